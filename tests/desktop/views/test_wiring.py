"""The window on real controllers, store and engine process; only the model is scripted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QListView, QTextEdit, QWidget

from desktop.late import LateLibrary
from desktop.views.chat_column import ChatColumn
from desktop.views.late_arrivals import LateArrivals
from desktop.views.main_window import MainWindow
from desktop.views.wiring import Wiring
from desktop.widgets.model_picker import ModelPicker
from inference.library.notes import ModelNotes
from inference.past import folder as files
from inference.paths import AppPaths
from inference.types import SamplingParams
from tests.desktop.controllers.house import House, ScriptedLibrary
from tests.desktop.controllers.house import model as scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme_manager import ThemeManager

CONTROL = Qt.KeyboardModifier.ControlModifier


class Room:
    """A house and its window."""

    def __init__(self, qtbot: QtBot, themes: ThemeManager, folder: Path) -> None:
        shelf = ScriptedLibrary(
            [scripted("starter-instruct", "text=A short answer."),
             scripted("slow", "tokens=400,rate=40")],
            ModelNotes(folder / "model-notes.json"),
        )  # fmt: skip
        self.qtbot = qtbot
        self.house = House(qtbot, folder, shelf)
        self.column = ChatColumn(themes.theme)
        self.picker = ModelPicker(themes.theme)
        self.column.set_picker(self.picker)
        self.window = MainWindow(themes.theme, self.house.settings.settings(), self.column)
        names = ("data", "config", "cache", "models", "log")
        paths = AppPaths(*(folder / name for name in names))
        Wiring(
            self.window, self.column, chats=self.house.chat, downloads=self.house.downloads,
            engines=self.house.engine,
            settings=self.house.settings, themes=themes, bridge=self.house.bridge,
            tasks=self.house.tasks,
            past=self.house.past, paths=paths, library=LateLibrary(paths),
        )  # fmt: skip
        LateArrivals(LateLibrary(paths), self.house.engine, self.house.tasks, self.window)
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    def type_and_send(self, text: str) -> None:
        field = self.window.findChild(QWidget, "composer_text")
        assert isinstance(field, QTextEdit) or field is not None
        field.setFocus()
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def titles(self) -> list[str]:
        view = self.window.findChild(QListView, "chat_rows")
        assert isinstance(view, QListView)
        model = view.model()
        return [str(model.index(n, 0).data()) for n in range(model.rowCount())]

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier) -> None:
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, modifier)


@pytest.fixture
def room(qtbot: QtBot, themes: ThemeManager, tmp_path: Path) -> Iterator[Room]:
    room = Room(qtbot, themes, tmp_path)
    room.house.load()
    yield room
    room.window.close()
    room.house.close()


def test_a_typed_question_is_answered_and_enters_the_list(room: Room) -> None:
    room.type_and_send("Hello there")
    room.house.end()
    assert room.house.answer.text == "A short answer."
    assert room.titles() == ["Today", "Hello there"]
    assert room.window.status.findChild(QWidget, "status_context").isVisible()


def test_deleting_offers_undo_and_ctrl_z_takes_it(room: Room) -> None:
    room.type_and_send("Keep me")
    room.house.end()
    room.house.chat.delete_chat(room.house.chat.current().id)
    assert room.titles() == []
    assert room.window.toast.isVisible()
    room.window.rail.focus_current()
    room.press(Qt.Key.Key_Z, CONTROL)
    assert room.titles() == ["Today", "Keep me"]


def test_escape_stops_the_answer(room: Room) -> None:
    room.house.load("slow")
    room.type_and_send("A long one")
    room.house.until(lambda: room.house.answer.state == "streaming")
    room.press(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    room.house.end()
    assert room.house.answer.state == "stopped"
    assert room.house.answer.text


def test_another_model_is_loaded_from_the_chip(room: Room) -> None:
    room.picker.model_chosen.emit("slow")
    room.house.until(
        lambda: (
            room.house.engine.state().status == "ready"
            and room.house.engine.state().model.id == "slow"
        )
    )
    assert "Slow" in room.picker.accessibleName()


def test_ctrl_k_finds_by_words_in_the_text(room: Room) -> None:
    room.type_and_send("Which bread needs salt")
    room.house.end()
    room.house.chat.new_chat()
    room.press(Qt.Key.Key_K, CONTROL)
    field = QApplication.focusWidget()
    assert field.objectName() == "chat_search"
    room.qtbot.keyClicks(field, "answer")
    room.house.until(lambda: room.titles() == ["Which bread needs salt"])


def test_typed_settings_reach_the_answer_that_is_sent_right_after(room: Room) -> None:
    room.press(Qt.Key.Key_J, CONTROL)
    prompt = room.window.findChild(QWidget, "system_prompt")
    room.qtbot.keyClicks(prompt, "Be brief.")
    room.type_and_send("Hi")
    room.house.end()
    assert room.house.chat.current().system_prompt == "Be brief."


def test_a_search_survives_a_change_of_the_list(room: Room) -> None:
    for text in ("Bread", "Salt"):
        room.house.chat.new_chat()
        room.house.ask(text)
    room.press(Qt.Key.Key_K, CONTROL)
    room.qtbot.keyClicks(QApplication.focusWidget(), "salt")
    room.house.until(lambda: room.titles() == ["Salt"])
    room.house.chat.pin_chat(room.house.chat.current().id, pinned=True)
    assert room.titles() == ["Salt"]
    room.house.chat.rename_chat(room.house.chat.current().id, "Sea salt")
    assert room.titles() == ["Sea salt"]
    room.press(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert room.titles() == ["Pinned", "Sea salt", "Today", "Bread"]


def test_settings_change_the_window_at_once(room: Room) -> None:
    room.house.settings.update(theme="dark", font_size=20)
    assert room.window.theme.name == "dark"
    assert room.window.theme.reading_px == 20


def writes_to_the_composer(room: Room, text: str = "x") -> bool:
    focus = QApplication.focusWidget()
    if focus is None:
        return False
    before = room.column.composer.text()
    room.qtbot.keyClicks(focus, text)
    return room.column.composer.text() == before + text


def test_the_composer_has_the_keyboard_wherever_writing_comes_next(room: Room) -> None:
    assert writes_to_the_composer(room)  # at the start
    room.picker.open_list()
    assert not writes_to_the_composer(room)
    room.press(Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    assert writes_to_the_composer(room)
    room.window.findChild(QWidget, "chat_new").click()
    assert writes_to_the_composer(room)
    room.press(Qt.Key.Key_2, CONTROL)
    assert not writes_to_the_composer(room)
    room.press(Qt.Key.Key_1, CONTROL)
    assert writes_to_the_composer(room)
    room.window.findChild(QWidget, "rail_settings").click()
    room.window.findChild(QWidget, "rail_chat").click()
    assert writes_to_the_composer(room)
    room.press(Qt.Key.Key_J, CONTROL)
    assert not writes_to_the_composer(room)
    room.press(Qt.Key.Key_J, CONTROL)
    assert writes_to_the_composer(room)


def test_what_models_have_read_is_counted_in_the_settings_and_cleared_there(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.house.past, "_folder", tmp_path)
    file = tmp_path / files.file_name("model", "chat")
    file.write_bytes(bytes(2_000_000))
    room.window.open_page("settings")
    find = room.window.findChild
    find(QListView, "settings_categories").setCurrentIndex(
        find(QListView, "settings_categories").model().index(2, 0)
    )
    words, clear = find(QLabel, "setting_past_kept_row_help"), find(QWidget, "clear_past")
    room.house.until(lambda: words.text() == "2.0\u00a0MB on this disk")
    clear.click()
    room.house.until(lambda: words.text() == "Nothing")
    assert not file.exists()


def test_a_question_too_long_for_the_chat_is_taken_into_a_new_one(room: Room) -> None:
    room.house.library.models.append(scripted("small", "context=64"))
    room.house.engine.refresh()
    room.house.until(lambda: any(row.info.id == "small" for row in room.house.engine.models().rows))
    room.house.load("small")
    text = " ".join(["word"] * 100)
    room.house.chat.send(text)
    room.house.end()
    note = room.window.findChild(QWidget, "offer_new_chat")
    assert note is not None
    note.click()
    assert room.house.chat.current().messages == ()
    assert room.column.composer.text() == text


def test_a_dropped_model_is_added_and_on_the_chat_loaded(room: Room, tmp_path: Path) -> None:
    for name in ("a.GGUF", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.GGUF", "notes.txt")])
    field = room.column.composer.field
    assert not field.canInsertFromMimeData(data)  # its path would be typed into the message
    drop = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    room.window.dropEvent(drop)
    room.house.until(
        lambda: (
            room.house.engine.state().status == "ready"
            and room.house.engine.state().model.id == "a.GGUF"
        )
    )
    assert len(room.house.library.models) == 3


def test_a_message_sent_during_an_answer_waits_its_turn(room: Room) -> None:
    room.house.load("slow")
    room.house.chat.set_sampling(SamplingParams(max_tokens=30))
    room.type_and_send("The first")
    room.house.until(lambda: room.house.answer.state == "streaming")
    room.type_and_send("The second")
    bar = room.window.findChild(QWidget, "queue_bar")
    assert bar is not None
    assert bar.isVisible()
    assert room.column.composer.text() == "The second"
    room.house.until(lambda: len(room.house.messages) == 4)
    assert room.house.messages[2].text == "The second"
    assert room.column.composer.text() == ""
    assert not bar.isVisible()
    room.house.end()


def test_stopping_keeps_the_waiting_message_unsent(room: Room) -> None:
    room.house.load("slow")
    room.type_and_send("The first")
    room.house.until(lambda: room.house.answer.state == "streaming")
    room.type_and_send("The second")
    room.house.chat.stop()
    room.house.end()
    assert len(room.house.messages) == 2
    assert room.column.composer.text() == "The second"
    assert not room.window.findChild(QWidget, "queue_bar").isVisible()


def test_a_model_that_does_not_load_is_said_above_the_composer(room: Room) -> None:
    room.house.library.models.append(scripted("bad", "load_error=CorruptCheckpoint"))
    room.house.engine.refresh()
    room.house.until(lambda: any(row.info.id == "bad" for row in room.house.engine.models().rows))
    room.house.engine.load("bad")
    room.house.until(lambda: room.house.engine.state().problem is not None)
    note = room.window.findChild(QWidget, "engine_note")
    assert note is not None
    assert note.isVisible()
    assert "damaged" in note.accessibleName()
    room.house.load("starter-instruct")
    assert not note.isVisible()


def test_tab_comes_to_the_messages_before_the_composer(room: Room) -> None:
    room.type_and_send("Hello")
    room.house.end()
    back = Qt.KeyboardModifier.ShiftModifier
    seen = []
    for _ in range(4):
        room.qtbot.keyClick(room.window, Qt.Key.Key_Backtab, back)
        seen.append(QApplication.focusWidget().objectName())
    assert seen == ["message_continue", "message_inside", "message_again", "message_copy"]
    room.column.focus_composer()
    room.qtbot.keyClick(room.window, Qt.Key.Key_Tab)
    assert QApplication.focusWidget().objectName() == "model_picker"
