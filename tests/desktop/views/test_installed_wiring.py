"""The Installed tab on real files, a real library and real engine processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.engine import EngineController
from desktop.store.settings import Settings
from desktop.views.installed_page import InstalledPage
from desktop.views.installed_wiring import make_installed
from desktop.widgets.theme import Theme, apply_theme
from inference.host.client import EngineClient
from inference.library.installed import Library
from inference.library.notes import FILE, ModelNotes
from inference.library.template_doctor import built_in
from inference.paths import AppPaths
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


class Tab:
    """The page, and what is behind it."""

    def __init__(self, qtbot: QtBot, theme: Theme, folder: Path) -> None:
        self.paths = AppPaths(
            *(folder / name for name in ("data", "config", "cache", "models", "log"))
        )
        self.paths.models.mkdir()
        self.file = tiny_gguf(self.paths.models / "plain-chat.gguf", chat_template=None)
        tiny_gguf(self.paths.models / "zebra.gguf")
        self.qtbot = qtbot
        self.bridge, self.tasks = EventBridge(), TaskRunner()
        library = Library(self.paths, starters=folder / "none")
        self.engines = EngineController(EngineClient, library, self.bridge, self.tasks, Settings)
        self.engines.refresh()
        qtbot.waitUntil(lambda: len(self.engines.models().rows) == 2, timeout=10_000)
        self.page = make_installed(theme, self.engines, self.tasks, self.paths, self.engines)
        self.engines.state_changed.connect(self.page.set_engine)
        self.engines.models_changed.connect(self.page.set_models)
        self.page.detail.complete()
        apply_theme(self.page, theme)
        qtbot.addWidget(self.page)
        self.page.resize(1180, 800)
        self.page.show()
        self.until(lambda: self.find("template_verdict").isVisibleTo(self.page))

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=30_000)

    def find(self, name: str) -> Any:
        found = self.page.findChild(QWidget, name)
        assert found is not None, name
        return found

    def said(self, name: str) -> str:
        label = self.find(name)
        assert isinstance(label, QLabel)
        return label.text()

    def press(self, name: str) -> None:
        button = self.find(name)
        assert isinstance(button, QAbstractButton)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, name: str, value: object) -> None:
        combo = self.find(name)
        assert isinstance(combo, QComboBox)
        combo.setCurrentIndex(combo.findData(value))
        combo.activated.emit(combo.currentIndex())

    def close(self) -> None:
        self.engines.shutdown()
        self.tasks.close()
        self.bridge.close()


@pytest.fixture
def tab(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tab]:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    tab = Tab(qtbot, theme, tmp_path)
    yield tab
    tab.close()


def test_a_mended_model_answers_with_the_template_that_was_chosen(tab: Tab) -> None:
    assert isinstance(tab.page, InstalledPage)
    assert tab.page.chosen == "plain-chat"
    assert "no chat template" in tab.said("template_verdict_title")
    tab.press("template_verdict_mend")
    tab.until(lambda: tab.said("template_verdict_title") == "The chat template works.")
    assert "<|im_start|>" in tab.said("template_sample")
    tab.press("model_load")
    tab.until(lambda: tab.engines.state().status == "ready")
    assert tab.engines.options is not None
    assert tab.engines.options.chat_template == built_in("chatml").source
    assert tab.engines.state().loaded.has_chat_template  # type: ignore[union-attr]
    assert not tab.engines.state().continues


def test_what_was_predicted_stands_beside_what_was_measured(tab: Tab) -> None:
    tab.press("model_load")
    tab.until(lambda: tab.said("memory_measured_total") != "once it is loaded")
    for part in ("weights", "context", "total"):
        assert tab.said(f"memory_derived_{part}").startswith("about ")
        assert tab.said(f"memory_measured_{part}")[0].isdigit()
    predicted = tab.said("memory_derived_weights").removeprefix("about ")
    assert tab.said("memory_measured_weights") == predicted


def test_a_changed_option_waits_for_the_next_load_which_is_one_press_away(tab: Tab) -> None:
    tab.press("model_load")
    tab.until(lambda: tab.engines.state().status == "ready")
    assert tab.engines.state().loaded.n_ctx == 512  # type: ignore[union-attr]
    tab.choose("default_threads", 1)
    tab.until(lambda: tab.find("loading_stale").isVisibleTo(tab.page))
    tab.press("loading_stale_load")
    tab.until(lambda: not tab.find("loading_stale").isVisibleTo(tab.page))
    tab.until(lambda: tab.engines.state().status == "ready")
    assert tab.engines.options.threads == 1  # type: ignore[union-attr]
    tab.press("default_threads_row_reset")
    tab.until(lambda: tab.find("loading_stale").isVisibleTo(tab.page))


def test_a_favourite_comes_first_and_is_kept(tab: Tab) -> None:
    rows = tab.find("models_list").model()
    assert [rows.index(n, 0).data() for n in range(2)] == ["Tiny Random", "Tiny Random"]
    tab.page.findChild(QWidget, "models_list").setCurrentIndex(rows.index(1, 0))  # type: ignore[union-attr]
    assert tab.page.chosen == "zebra"
    tab.press("model_favourite")
    notes = ModelNotes(tab.paths.data / FILE)
    tab.until(lambda: any(note.favourite for note in notes.all().values()))
    assert rows.row_of("zebra") == 0
    assert tab.page.chosen == "zebra"


def test_the_files_are_hashed_with_a_plain_result(tab: Tab) -> None:
    tab.press("model_verify")
    tab.until(lambda: tab.find("model_check").isVisibleTo(tab.page))
    assert tab.said("model_check_title") == "The files can be read to their end."
    assert tab.said("model_hash").startswith("SHA-256 ")
    tab.file.write_bytes(tab.file.read_bytes()[:-4] + b"abcd")
    tab.press("model_verify")
    tab.until(lambda: "wrong" in tab.said("model_check_title"))
    assert "plain-chat.gguf has changed since the first check" in tab.said("model_check_text")


def test_a_removed_model_says_what_it_freed_and_comes_back(tab: Tab) -> None:
    size = tab.file.stat().st_size
    with tab.qtbot.waitSignal(tab.engines.model_removed, timeout=10_000) as removed:
        tab.press("model_remove")
    assert removed.args == ["plain-chat", "Tiny Random", size]
    tab.until(lambda: tab.page.chosen == "zebra")
    tab.engines.undo_remove()
    tab.until(lambda: len(tab.engines.models().rows) == 2)
    assert tab.file.exists()


def test_the_list_is_filtered_and_sorted_from_its_buttons(tab: Tab) -> None:
    rows = tab.find("models_list").model()
    kind, order = tab.find("installed_kind"), tab.find("installed_order")
    kind.chosen.emit(("base",))
    assert [rows.model_at(rows.index(0, 0)).info.id, rows.rowCount()] == ["plain-chat", 1]
    kind.chosen.emit(())
    tab.find("installed_engine").chosen.emit(("native",))
    assert rows.rowCount() == 0
    tab.find("installed_engine").chosen.emit(())
    order.chosen.emit(("size",))
    assert order.text() == "Size"
    assert rows.model_at(rows.index(0, 0)).info.id == "zebra"  # its template makes it larger
