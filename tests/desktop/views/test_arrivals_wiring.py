"""Files from elsewhere in the whole window: asked about, linked, copied, moved, and back."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel

from desktop.views.arrival_dialog import ArrivalDialog
from inference.library import moving
from tests.desktop.views.keeping import Keeping
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot


@pytest.fixture
def room(
    qtbot: QtBot, dressed_app: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Keeping]:
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "person"))
    room = Keeping(qtbot, dressed_app, tmp_path)
    room.show("settings")  # a file dropped on the chat would be loaded
    yield room
    room.close()


def asked(room: Keeping) -> None:
    room.until(lambda: isinstance(room.window.dialogs.content, ArrivalDialog))


def press(room: Keeping, name: str) -> None:
    dialog = room.window.dialogs.content
    assert dialog is not None
    button = dialog.findChild(QAbstractButton, name)
    assert isinstance(button, QAbstractButton)
    button.click()


def toast(room: Keeping) -> str:
    return " ".join(one.text() for one in room.window.toast.findChildren(QLabel))


def test_a_file_is_linked_where_it_lies(room: Keeping, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    asked(room)
    press(room, "arrival_link")
    room.lists("mine")
    assert room.parts.engines.shelf.models[-1].path == str(file)
    assert room.window.dialogs.content is None
    room.window.take_model(str(file))  # on the list: nobody is asked twice
    room.qtbot.wait(300)
    assert room.window.dialogs.content is None


def test_a_file_is_copied(room: Keeping, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    asked(room)
    press(room, "arrival_copy")
    room.lists("added/mine/mine")
    assert file.exists()
    assert "Copied" in toast(room)


def test_a_file_is_moved_and_the_undo_moves_it_back(room: Keeping, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    asked(room)
    press(room, "arrival_move")
    room.lists("added/mine/mine")
    assert not file.exists()
    room.until(lambda: "Moved" in toast(room))
    room.window.undo_last()
    room.lists("mine")
    assert file.exists()


def test_a_cancelled_question_changes_nothing(room: Keeping, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    asked(room)
    room.window.press_escape()
    assert room.window.dialogs.content is None
    room.qtbot.wait(200)
    assert room.ids() == []
    assert file.exists()


def test_several_files_are_asked_about_one_by_one_and_an_answer_can_be_kept(
    room: Keeping, tmp_path: Path
) -> None:
    files = [tiny_gguf(tmp_path / f"m{number}.gguf") for number in range(3)]
    for file in files:
        room.window.take_model(str(file))
    asked(room)
    press(room, "arrival_link")
    room.until(lambda: len(room.ids()) == 1)
    asked(room)
    press(room, "arrival_remember")
    press(room, "arrival_copy")
    room.until(lambda: len(room.ids()) == 3)
    assert sum(one.startswith("added/") for one in room.ids()) == 2
    room.window.take_model(str(tiny_gguf(tmp_path / "later.gguf")))
    room.until(lambda: "added/later/later" in room.ids())
    assert room.window.dialogs.content is None


def test_a_question_in_front_of_another_dialog_is_still_asked(
    room: Keeping, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    room.window.show_keys()
    asked(room)
    press(room, "arrival_copy")
    room.lists("added/mine/mine")


def test_what_cannot_be_done_says_why(room: Keeping, tmp_path: Path) -> None:
    place = tmp_path / "person" / ".lmstudio" / "models" / "org" / "name"
    place.mkdir(parents=True)
    room.window.take_model(str(tiny_gguf(place / "theirs.gguf")))
    asked(room)
    dialog = room.window.dialogs.content
    assert dialog is not None
    move = dialog.findChild(QAbstractButton, "arrival_move")
    assert isinstance(move, QAbstractButton)
    assert not move.isEnabled()
    assert "belongs to LM Studio" in move.toolTip()
    press(room, "arrival_cancel")


def test_a_damaged_file_is_a_problem_and_no_question(room: Keeping, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF nonsense")
    room.window.take_model(str(tmp_path / "bad.gguf"))
    room.until(room.window.banner.isVisible)
    assert room.window.dialogs.content is None


def test_a_long_copy_shows_how_far_it_is_and_can_be_cancelled(
    room: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go = threading.Event()
    real = moving.copy_all

    def slow(moves: object, cancel: object, on_copied: object) -> None:
        may_go.wait(20)
        real(moves, cancel, on_copied)  # type: ignore[arg-type]  passed on as they came

    monkeypatch.setattr("inference.library.arrivals.copy_all", slow)
    file = tiny_gguf(tmp_path / "mine.gguf")
    room.window.take_model(str(file))
    asked(room)
    press(room, "arrival_copy")
    room.until(lambda: room.has("copy_dialog"))
    press(room, "copy_cancel")
    assert room.window.dialogs.content is None
    may_go.set()
    # ``rglob`` would stumble over a folder that goes while it looks.
    room.until(lambda: not any(dirs or files for _, dirs, files in os.walk(room.paths.models)))
    room.qtbot.wait(100)
    assert room.ids() == []
    assert file.exists()
