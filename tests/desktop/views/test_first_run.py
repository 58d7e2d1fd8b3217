"""From the first start to the first answer, on the real app, engine and downloads."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from desktop import app as application
from desktop.controllers.first_run import FirstRunController
from desktop.store.settings import DownloadSettings
from desktop.views.first_run import FirstRun, OfferCard
from desktop.views.first_run_wiring import FirstRunWiring
from desktop.widgets.shrinking_area import ShrinkingArea
from inference.library.machine import Gpu, Machine
from inference.library.other_apps import Place
from inference.paths import AppPaths
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

SMALL = Machine(6_000_000_000, 8_000_000_000, (), 12e9)
STARTER = Path(
    str(importlib.resources.files("resources") / "starter" / "starter-instruct-Q8_0.gguf")
)
GPU = Gpu("CUDA: RTX", 7_000_000_000, 8_000_000_000)
SLOW = Fault("slow", at=6_000_000)


class Start:
    """The app as it is on its first day."""

    def __init__(self, qtbot: QtBot, parts: application.Parts, hub: LocalHub) -> None:
        self.qtbot = qtbot
        self.parts = parts
        self.hub = hub

    def offer(self, machine: Machine = SMALL, places: tuple[Place, ...] = ()) -> FirstRun:
        parts = self.parts
        offers = FirstRunController(
            parts.library, parts.paths, parts.tasks,
            machine=lambda _paths: machine, places=lambda: places,
        )  # fmt: skip
        FirstRunWiring(
            parts.column, parts.window.theme, offers,
            downloads=parts.downloads, engines=parts.engines, chats=parts.chats,
        )  # fmt: skip
        parts.engines.load_default()
        self.until(lambda: parts.window.findChild(FirstRun) is not None)
        view = parts.window.findChild(FirstRun)
        assert isinstance(view, FirstRun)
        self.until(view.isVisible)
        for offer in offers.view().offers:
            name = offer.wanted.wanted
            self.hub.add(offer.wanted.repo, {name or "model.safetensors": STARTER})
        return view

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=60_000)

    def click(self, name: str) -> None:
        self.until(lambda: any(b.isVisible() for b in self.buttons(name)))
        self.qtbot.mouseClick(self.buttons(name)[0], Qt.MouseButton.LeftButton)

    def buttons(self, name: str) -> list[QAbstractButton]:
        return self.parts.window.findChildren(QAbstractButton, name)

    def write(self, text: str) -> None:
        field = self.parts.column.composer.field
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    @property
    def model(self) -> str:
        state = self.parts.engines.state()
        return state.model.name if state.model is not None and state.status == "ready" else ""


@pytest.fixture
def start(
    qtbot: QtBot, dressed_app: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    folders = (tmp_path / name for name in ("data", "config", "cache", "models", "log"))
    with LocalHub() as hub:
        parts = application.build(dressed_app, AppPaths(*folders))
        parts.settings.update(downloads=DownloadSettings(endpoint=hub.endpoint))
        qtbot.addWidget(parts.window)
        parts.window.show()
        parts.window.activateWindow()
        qtbot.waitUntil(parts.window.isActiveWindow)
        yield Start(qtbot, parts, hub)
        parts.window.close()
        parts.close()
    dressed_app.setStyleSheet("")


def test_three_models_that_fit_are_proposed_and_nothing_is_asked_of_the_network(
    start: Start,
) -> None:
    view = start.offer()
    cards = view.findChildren(OfferCard)
    assert len(cards) == 3
    said = [" ".join(one.text() for one in card.findChildren(QLabel)) for card in cards]
    assert all("Processor, about" in text for text in said)
    assert ["Quick" in said[0], "Best" in said[1], "inside" in said[2]] == [True] * 3
    assert start.hub.requests == []


@pytest.mark.parametrize(
    ("machine", "least"),
    [
        (Machine(1_200_000_000, 2_000_000_000, (), 8e9), 1),
        (Machine(50_000_000_000, 64_000_000_000, (), 60e9), 3),
        (Machine(12_000_000_000, 16_000_000_000, (GPU,), 30e9), 3),
    ],
)  # fmt: skip
def test_offers_differ_in_size_and_fit_small_and_large_computers(
    start: Start, machine: Machine, least: int
) -> None:
    view = start.offer(machine)
    cards = view.findChildren(OfferCard)
    assert len(cards) >= least
    assert len({card.accessibleName() for card in cards}) == len(cards)


def test_one_click_ends_in_an_answer_of_the_new_model(start: Start) -> None:
    start.offer()
    start.hub.faults.always(SLOW)
    start.click("offer_1_download")
    assert QApplication.focusWidget() is start.parts.column.composer.field
    card = start.parts.window.findChild(OfferCard, "offer_1")
    words = start.parts.window.findChild(QLabel, "offer_1_words")
    start.until(lambda: "MB" in words.text())
    row = start.parts.downloads.rows()[0]
    start.until(lambda: start.parts.downloads.rows()[0].state == "finished")
    start.until(lambda: start.parts.engines.state().status == "ready" and bool(start.model))
    start.until(lambda: start.parts.engines.state().model.path == row.path)
    start.until(lambda: "Ready" in words.text())
    assert card.isVisible()
    start.write("Why is the sky blue?")
    start.until(lambda: len(start.parts.chats.current().messages) == 2)
    start.until(lambda: not start.parts.chats.answering)
    answer = start.parts.chats.current().messages[-1]
    assert answer.state == "complete"
    assert answer.text
    assert start.parts.window.findChild(FirstRun) is None or not card.isVisible()


def test_a_message_written_meanwhile_is_answered_at_once_and_the_new_model_comes_after(
    start: Start,
) -> None:
    start.offer()
    start.until(lambda: bool(start.model))
    starter = start.model
    start.hub.faults.always(SLOW)
    start.click("offer_1_download")
    start.until(lambda: start.parts.downloads.totals().running == 1)
    start.write("What is a token?")
    start.until(lambda: len(start.parts.chats.current().messages) == 2)
    start.until(lambda: not start.parts.chats.answering)
    assert start.parts.chats.current().messages[-1].model_name == starter
    assert start.parts.chats.current().messages[-1].state == "complete"
    start.until(lambda: bool(start.parts.downloads.rows()))
    path = start.parts.downloads.rows()[0].path
    start.until(
        lambda: (s := start.parts.engines.state()).status == "ready" and s.model.path == path
    )


def test_the_offers_go_away_with_the_first_message_and_stay_away(start: Start) -> None:
    view = start.offer()
    start.until(lambda: bool(start.model))
    start.write("Hello")
    start.until(lambda: not start.parts.chats.answering)
    start.until(lambda: start.parts.window.findChild(FirstRun) is None)
    start.parts.chats.new_chat()
    assert start.parts.window.findChild(FirstRun) is None
    del view


def test_trouble_is_said_in_the_card_and_the_same_button_tries_again(start: Start) -> None:
    start.offer()
    repo = start.parts.window.findChild(OfferCard, "offer_0")
    start.hub.faults.always(Fault("status", "api", status=404))
    start.click("offer_0_download")
    words = start.parts.window.findChild(QLabel, "offer_0_words")
    start.until(lambda: "The hub" in words.text())
    start.hub.faults.clear()
    start.click("offer_0_download")
    start.until(lambda: "Ready" in words.text() or "Loading" in words.text())
    assert repo.isVisible()


@pytest.mark.parametrize("use", [True, False])
def test_models_of_other_apps_are_a_question_that_is_asked_once(
    start: Start, tmp_path: Path, use: bool
) -> None:
    (tmp_path / "lm").mkdir()
    start.offer(places=(Place("lmstudio", tmp_path / "lm"),))
    box = start.parts.window.findChild(QWidget, "first_run_apps_box")
    start.until(box.isVisible)
    assert "LM Studio" in start.parts.window.findChild(QLabel, "first_run_apps").text()
    start.click("first_run_apps_use" if use else "first_run_apps_not")
    assert not box.isVisible()
    start.until(lambda: start.parts.library.folders.choices().apps == {"lmstudio": use})


def test_a_choice_of_ones_own_is_not_taken_over_by_a_download(start: Start) -> None:
    start.offer()
    start.until(lambda: bool(start.model))
    own = start.parts.paths.models / "mine" / "mine.gguf"
    own.parent.mkdir(parents=True)
    os.link(STARTER, own) if os.name != "nt" else own.write_bytes(STARTER.read_bytes())
    start.parts.engines.add_model(str(own), load=True)
    start.until(
        lambda: (s := start.parts.engines.state()).status == "ready" and s.model.path == str(own)
    )
    start.click("offer_1_download")
    start.until(
        lambda: (
            bool(start.parts.downloads.rows())
            and start.parts.downloads.rows()[0].state == "finished"
        )
    )
    start.qtbot.wait(500)
    assert start.parts.engines.state().model.path == str(own)
    assert start.parts.window.toast.isVisible()


def test_in_a_small_window_the_cards_keep_their_height_and_scroll(start: Start) -> None:
    start.offer()
    window = start.parts.window
    window.setMinimumSize(300, 200)
    window.resize(640, 430)
    area = window.findChild(ShrinkingArea, "first_run_area")
    start.until(lambda: window.height() == 430)
    QApplication.sendPostedEvents()
    start.qtbot.wait(50)
    for number in range(3):
        card = window.findChild(QWidget, f"offer_{number}")
        assert card.height() >= card.minimumSizeHint().height() > 40
        button = window.findChild(QWidget, f"offer_{number}_download")
        area.ensureWidgetVisible(button)
        assert button.visibleRegion().boundingRect().height() > 20
