"""The Discover tab on the real catalogue and a hub of our own, as a person works with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from desktop.controllers.discover import DiscoverController
from desktop.download_values import DownloadRow
from desktop.itemmodels.found_models import FoundRole
from desktop.itemmodels.found_versions import VersionRole
from desktop.values import Computer, InstalledModel, Models
from desktop.views.discover_page import DiscoverPage
from desktop.widgets.theme import Theme, apply_theme
from inference.library.machine import Machine
from inference.types import ModelInfo
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.discover_values import FoundModel

QWEN = {"gguf": {"total": 4_022_468_096, "architecture": "qwen3", "context_length": 40_960}}
CLICK = Qt.MouseButton.LeftButton


class Room:
    """A page with its controller; asks nobody until told to."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.qtbot = qtbot
        self.endpoint = "http://127.0.0.1:9"
        self.controller = DiscoverController(lambda: self.endpoint)
        self.controller.set_computer(Computer(Machine(16_000_000_000, 32_000_000_000, (), 40e9)))
        self.page = DiscoverPage(theme, self.controller)
        qtbot.addWidget(self.page)
        self.page.resize(1208, 720)
        self.page.show()
        self.page.activateWindow()
        qtbot.waitUntil(self.page.isActiveWindow)
        with qtbot.waitSignal(self.controller.judged_again, timeout=20_000):
            self.controller.begin()

    def find(self, name: str) -> QWidget:
        found = self.page.findChild(QWidget, name)
        assert found is not None, name
        return found

    def said(self, name: str) -> str:
        label = self.find(name)
        assert isinstance(label, QLabel)
        return label.text().replace("\u00a0", " ")

    def click(self, name: str) -> None:
        button = self.find(name)
        assert isinstance(button, QAbstractButton)
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, CLICK)

    def write(self, text: str) -> None:
        field = self.find("discover_search")
        assert isinstance(field, QLineEdit)
        field.clear()
        self.qtbot.keyClicks(field, text)

    def rows(self) -> list[str]:
        items = self.page.items
        found = [items.found_at(items.index(n)) for n in range(items.rowCount())]
        return [row.name for row in found if row is not None]

    def chosen(self) -> FoundModel | None:
        return self.page.found()

    def open(self, key: str) -> None:
        self.page.open(key)
        self.qtbot.waitUntil(lambda: self.said("found_name") != "")

    def search(self) -> None:
        self.qtbot.keyClick(self.find("discover_search"), Qt.Key.Key_Return)
        self.qtbot.waitUntil(
            lambda: self.controller.hub_state().status not in ("idle", "asking"), timeout=20_000
        )


@pytest.fixture
def room(qtbot: QtBot, theme: Theme) -> Iterator[Room]:
    room = Room(qtbot, theme)
    yield room
    room.controller.shutdown()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with LocalHub() as local:
        yield local


def test_the_first_curated_model_is_open_without_a_network(room: Room) -> None:
    assert len(room.rows()) > 30
    assert room.chosen() is not None
    assert room.said("found_name") == room.rows()[0]
    assert room.said("discover_section") == "Curated, available offline"
    assert room.said("discover_count") == str(len(room.rows()))


def test_a_star_brings_a_curated_model_to_the_top_and_it_stays_open(room: Room) -> None:
    key = room.page.items.found_at(room.page.items.index(5)).key  # type: ignore[union-attr]
    told: list[tuple[str, ...]] = []
    room.controller.starred_changed.connect(told.append)
    room.open(key)
    before = room.rows()
    room.click("found_favourite")
    assert told == [(key,)]
    assert room.rows() == [before[5], *before[:5], *before[6:]]
    assert room.chosen().key == key  # type: ignore[union-attr]
    assert "favourite" in room.page.items.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    room.click("found_favourite")
    assert told[-1] == ()
    assert room.rows() == before


def test_typing_narrows_the_list_and_clearing_brings_it_back(room: Room) -> None:
    every = len(room.rows())
    room.write("pythia")
    assert room.rows()
    assert all(name.startswith("Pythia") for name in room.rows())
    room.write("nothing-is-called-this")
    assert room.rows() == []
    assert room.find("discover_nothing").isVisible()
    room.click("discover_nothing_action")
    assert len(room.rows()) == every


def test_a_filter_that_is_on_is_seen_and_acts(room: Room) -> None:
    every = len(room.rows())
    room.controller.set_computer(Computer(Machine(1_000_000_000, 32_000_000_000)))
    room.click("discover_fits")
    assert 0 < len(room.rows()) < every
    button = room.find("discover_fits")
    assert isinstance(button, QAbstractButton)
    assert button.isChecked()


def test_a_choice_in_a_menu_acts_and_is_told_to_a_screen_reader(room: Room) -> None:
    button = room.page.filters._kind
    button._on_picked("base", True)
    assert "GPT-2 124M" in room.rows()
    assert "Qwen3 8B" not in room.rows()
    assert button.isChecked()
    assert button.accessibleDescription() == "Base"
    button._on_picked("base", False)
    assert not button.isChecked()
    assert "Qwen3 8B" in room.rows()


def test_the_pair_is_switched_with_cards(room: Room) -> None:
    room.open("catalog:qwen3-4b")
    assert "by Qwen, 4.0 billion parameters, 36 layers, Apache-2.0" in room.said("found_by")
    table = room.page.detail.table
    first = [room_version.label for room_version in versions(room)]
    room.click("found_kind_base")
    assert [version.label for version in versions(room)] != first
    assert versions(room)[0].kind == "base"
    assert table.current() != ""


def versions(room: Room) -> list[object]:
    items = room.page.detail.table.items
    found = [items.version_at(items.index(n)) for n in range(items.rowCount())]
    return [one for one in found if one is not None]


def test_another_context_changes_the_sum_and_keeps_the_chosen_version(room: Room) -> None:
    room.open("catalog:qwen3-4b")
    table = room.page.detail.table
    qtable_row = table.items.row_of("qwen-qwen3-4b-q8_0")
    table.setCurrentIndex(table.items.index(qtable_row))
    before = room.find("memory_bar").accessibleDescription()
    combo = room.find("found_context")
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData(16_384))
    combo.activated.emit(combo.currentIndex())
    assert table.current() == "qwen-qwen3-4b-q8_0"
    assert room.find("memory_bar").accessibleDescription() != before
    assert room.find("found_origin").accessibleName() == "derived from the catalogue"


def test_a_gated_version_is_explained_and_its_neighbour_offered(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    room.open("catalog:llama-3.2-1b")
    assert not room.find("found_gate").isVisible()
    room.page.detail.choose_version("llama-3.2-1b-instruct-safetensors")
    assert room.find("found_gate").isVisible()
    assert room.said("found_gate_title") == "Its authors want their terms accepted first."
    room.click("found_gate_browser")
    assert opened == ["http://127.0.0.1:9/meta-llama/Llama-3.2-1B-Instruct"]
    room.click("found_gate_neighbour")
    assert room.page.detail.table.current() == "bartowski-llama-3.2-1b-instruct-q4_k_m"
    assert not room.find("found_gate").isVisible()


def test_an_installed_version_leads_to_a_chat(room: Room, qtbot: QtBot) -> None:
    assert not room.find("found_foot").isVisible()
    path = "/m/Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf"
    with qtbot.waitSignal(room.controller.judged_again):
        room.controller.set_models(Models((InstalledModel(ModelInfo("x", "X", path, "gguf")),)))
    room.open("catalog:qwen3-4b")
    with qtbot.waitSignal(room.page.detail.foot.chat_asked) as asked:
        room.click("found_chat")
    assert asked.args == ["x"]


def test_there_is_no_download_button_where_nobody_downloads(room: Room) -> None:
    room.open("catalog:qwen3-4b")
    assert not room.find("found_download").isVisible()


def offer_downloads(room: Room, rows: dict[str, DownloadRow]) -> list[list[str]]:
    """Let versions be downloaded; return the ids that are asked for."""
    asked: list[list[str]] = []
    detail = room.page.detail
    detail.set_downloads(lambda version: rows.get(version.id), lambda: 24e6)
    detail.foot.download_asked.connect(lambda chosen: asked.append([one.id for one in chosen]))
    room.open("catalog:qwen3-4b")
    detail.refresh_downloads()
    return asked


def test_a_version_is_asked_for_by_its_button_its_row_or_with_its_partner(
    room: Room, qtbot: QtBot
) -> None:
    asked = offer_downloads(room, {})
    button = room.find("found_download")
    assert isinstance(button, QAbstractButton)
    assert button.text().replace("\u00a0", " ") == "Download Q4_K_M, 2.50 GB"
    assert room.said("found_foot_words") == "About 2 minutes at 24.0 MB/s"
    room.click("found_download")
    room.click("found_both")
    table = room.page.detail.table
    row = table.visualRect(table.items.index(table.items.row_of("qwen-qwen3-4b-q8_0")))
    place = table._delegate.action_place(row, mirrored=False).center()
    qtbot.mouseClick(table.viewport(), CLICK, pos=place)
    assert asked == [
        ["qwen-qwen3-4b-q4_k_m"],
        ["qwen-qwen3-4b-q4_k_m", "mradermacher-qwen3-4b-base-q4_k_m"],
        ["qwen-qwen3-4b-q8_0"],
    ]


def test_enter_on_a_version_leads_to_its_button(room: Room, qtbot: QtBot) -> None:
    offer_downloads(room, {})
    table = room.page.detail.table
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is room.find("found_download")


def test_a_download_under_way_shows_how_far_it_is(room: Room, qtbot: QtBot) -> None:
    row = DownloadRow("d", "Qwen/Qwen3-4B-GGUF", "Qwen3 4B", "Qwen3-4B-Q4_K_M.gguf",
                      "downloading", done_bytes=43, total_bytes=100)  # fmt: skip
    offer_downloads(room, {"qwen-qwen3-4b-q4_k_m": row})
    assert not room.find("found_download").isVisible()
    assert room.said("found_foot_words") == "Downloading, 43 %"
    index = room.page.detail.table.currentIndex()
    assert index.data(VersionRole.DONE) == 0.43
    with qtbot.waitSignal(room.page.detail.foot.downloads_asked):
        room.click("found_downloads")


def test_what_the_disk_cannot_hold_is_refused_with_the_reason(room: Room) -> None:
    offer_downloads(room, {})
    room.page.detail.foot.set_free_disk(1_000_000_000)
    button = room.find("found_download")
    assert not button.isEnabled()
    assert button.toolTip().replace("\u00a0", " ") == (
        "It needs 2.50 GB, and 1.00 GB are free on the disk of the models folder."
    )
    room.page.detail.foot.set_free_disk(100_000_000_000)
    assert button.isEnabled()


def test_enter_asks_the_hub_and_shows_what_it_has(room: Room, hub: LocalHub, qtbot: QtBot) -> None:
    room.endpoint = hub.endpoint
    for number in range(40):
        hub.add(f"org/Model-{number:02d}-GGUF", {"m.gguf": b"GGUF%d" % number}, extra=QWEN)
    room.write("model-")
    assert hub.requests == []
    room.search()
    assert "Model-00-GGUF" in room.rows()
    view = room.page.view
    qtbot.waitUntil(lambda: view.verticalScrollBar().maximum() > 0)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: room.controller.hub_state().status == "end", timeout=20_000)
    assert len(room.rows()) == 40
    assert room.said("discover_section") == "On the hub"


def test_the_one_model_that_a_pasted_address_means_is_opened(room: Room, hub: LocalHub) -> None:
    room.endpoint = hub.endpoint
    hub.add("org/Model-GGUF", {"m-Q8_0.gguf": b"GGUF"}, extra=QWEN)
    room.write(f"{hub.endpoint}/org/Model-GGUF")
    room.search()
    room.qtbot.waitUntil(lambda: room.said("found_name") == "Model-GGUF", timeout=20_000)
    room.qtbot.waitUntil(lambda: bool(versions(room)), timeout=20_000)


def test_a_curated_model_leads_to_all_versions_of_its_repository(room: Room, hub: LocalHub) -> None:
    room.endpoint = hub.endpoint
    files: dict[str, bytes | Path] = {f"m-{q}.gguf": q.encode() for q in ("Q2_K", "Q6_K", "F16")}
    hub.add("Qwen/Qwen3-4B-GGUF", files, extra=QWEN)
    room.open("catalog:qwen3-4b")
    assert hub.requests == []
    room.click("found_every")
    room.qtbot.waitUntil(lambda: len(versions(room)) == 3, timeout=20_000)
    assert room.said("found_name") == "Qwen3-4B-GGUF"
    assert not room.find("found_every").isVisible()


def test_without_a_network_the_list_says_so_and_stays(room: Room, qtbot: QtBot) -> None:
    room.write("qwen3")
    curated = room.rows()
    room.search()
    assert room.rows() == curated
    last = room.page.items.index(room.page.items.rowCount() - 1)
    note = last.data(FoundRole.NOTE)
    assert note.title == "The hub cannot be reached."
    assert note.action == "Try again"
    room.page.view.scrollTo(last)
    place = room.page.view.visualRect(last).center()
    with qtbot.waitSignal(room.controller.rows_changed):
        qtbot.mouseClick(room.page.view.viewport(), CLICK, pos=place)
    assert room.controller.hub_state().status == "asking"


def test_what_the_hub_gave_can_be_put_away(room: Room, hub: LocalHub, qtbot: QtBot) -> None:
    room.endpoint = hub.endpoint
    hub.add("org/Model-GGUF", {"m-Q8_0.gguf": b"GGUF"}, extra=QWEN)
    curated = room.rows()
    room.search()
    assert room.rows() == [*curated, "Model-GGUF"]
    section = room.page.items.index(len(curated))
    room.page.view.scrollTo(section)
    place = room.page.view.visualRect(section).center()
    qtbot.mouseClick(room.page.view.viewport(), CLICK, pos=place)
    assert room.rows() == curated
    assert room.controller.hub_state().status == "idle"


def test_a_header_is_read_on_a_click(room: Room, hub: LocalHub, tmp_path: Path) -> None:
    room.endpoint = hub.endpoint
    content = tiny_gguf(tmp_path / "m.gguf", architecture="qwen3").read_bytes()
    hub.add("org/Model-GGUF", {"m-Q4_K_M.gguf": content}, extra=QWEN)
    room.write("org/Model-GGUF")
    room.search()
    room.page.open("hub:org/Model-GGUF")
    room.qtbot.waitUntil(lambda: bool(versions(room)), timeout=20_000)
    origin = room.find("found_origin")
    assert origin.accessibleName() == "derived from the file's size"
    room.click("found_header")
    room.qtbot.waitUntil(
        lambda: origin.accessibleName() == "derived from the file's header", timeout=20_000
    )
    assert not room.find("found_header").isVisible()


def test_a_card_is_shown_as_text_and_one_comes_back(room: Room, hub: LocalHub) -> None:
    room.endpoint = hub.endpoint
    card = b"# A model\n\nSome **words**.\n\n![x](https://pictures.example/x.png)"
    hub.add("org/Model-GGUF", {"m-Q8_0.gguf": b"GGUF", "README.md": card}, extra=QWEN)
    room.write("org/Model-GGUF")
    room.search()
    room.page.open("hub:org/Model-GGUF")
    room.qtbot.waitUntil(lambda: bool(versions(room)), timeout=20_000)
    room.click("found_card")
    room.qtbot.waitUntil(lambda: room.find("card_browser").isVisible(), timeout=20_000)

    def words() -> str:  # each card has a body of its own
        return str(room.find("card_text").accessibleDescription())

    room.qtbot.waitUntil(lambda: "Some words." in words(), timeout=20_000)
    assert room.said("card_left_out") == "1 picture was left out; the browser shows it."
    room.click("card_back")
    assert room.find("found_name").isVisible()
    assert QApplication.focusWidget() is room.find("found_card")


def test_a_narrow_page_is_a_stack_with_a_way_back(room: Room, qtbot: QtBot) -> None:
    assert not room.find("found_back").isVisible()
    room.page.resize(700, 560)
    assert room.page.view.isVisible()
    assert not room.page.detail.isVisible()
    room.page.view.activated.emit(room.page.view.currentIndex())
    assert room.page.detail.isVisible()
    assert not room.page.view.isVisible()
    room.click("found_back")
    assert room.page.view.isVisible()


def test_the_page_of_a_model_scrolls_no_further_than_it_is_high(room: Room) -> None:
    room.open("catalog:qwen3-0.6b")
    area = room.find("found_scroll")
    assert isinstance(area, QScrollArea)
    layout = area.widget().layout()
    assert layout is not None
    room.qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    room.page.resize(1208, 400)
    room.qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    room.qtbot.wait(50)
    viewport = area.viewport()
    needed = layout.heightForWidth(viewport.width())
    assert area.verticalScrollBar().maximum() == needed - viewport.height()


def test_a_theme_that_changes_is_drawn(room: Room) -> None:
    dark = Theme.load("dark")
    room.open("catalog:qwen3-4b")
    apply_theme(room.page, dark)
    table = room.page.detail.table
    row = table.visualRect(table.currentIndex())
    inside = table.viewport().grab().toImage().pixelColor(row.left() + 4, row.center().y())
    assert inside == dark.selected
