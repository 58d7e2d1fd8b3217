"""The Folders tab in the whole window: folders come, go and come back; other apps after a yes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from desktop.views.folder_rows import FolderRow
from desktop.views.folders_page import FoldersPage
from desktop.views.models_page import ModelsPage
from inference.library.folders import ModelFolders
from tests.desktop.views.keeping import Keeping
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    yield room
    room.close()


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return tiny_gguf(path)


def open_tab(room: Keeping) -> FoldersPage:
    room.show("models")
    room.find(ModelsPage, "models_page").open_tab("folders")
    page = room.find(FoldersPage, "folders_page")
    room.until(lambda: bool(rows(page)))
    return page


def rows(page: FoldersPage) -> list[FolderRow]:
    found = [row for row in page.findChildren(FolderRow) if row.isVisibleTo(page)]
    return sorted(found, key=lambda row: row.objectName())


def words(row: QWidget, name: str) -> str:
    found = row.findChild(QLabel, f"{row.objectName()}_{name}")
    assert isinstance(found, QLabel)
    return found.text()


def act(row: FolderRow, action: str) -> None:
    menu = row.make_menu()
    entry = next(one for one in menu.actions() if one.objectName() == f"folder_menu_{action}")
    entry.trigger()
    menu.deleteLater()


def test_a_folder_is_added_made_the_default_and_taken_off_with_undo(
    room: Keeping, tmp_path: Path
) -> None:
    put(tmp_path / "second" / "org" / "name" / "mine.gguf")
    page = open_tab(room)
    assert [row.path for row in rows(page)] == [room.paths.models]
    assert "made by the first download" in words(rows(page)[0], "facts")
    page.add_asked.emit(str(tmp_path / "second"))
    room.lists("org/name/mine")
    room.until(lambda: len(rows(page)) == 2)
    room.until(lambda: words(rows(page)[1], "facts").startswith("1 model, "))
    act(rows(page)[1], "default")
    room.until(lambda: ModelFolders(room.paths).default() == tmp_path / "second")
    act(rows(page)[1], "drop")
    room.lists()
    room.until(lambda: len(rows(page)) == 1)
    assert (tmp_path / "second" / "org" / "name" / "mine.gguf").exists()
    room.window.undo_last()
    room.lists("org/name/mine")
    assert ModelFolders(room.paths).default() == tmp_path / "second"


def test_a_folder_that_is_away_is_grey_and_comes_back_when_looked_for(
    room: Keeping, tmp_path: Path
) -> None:
    put(tmp_path / "drive" / "mine.gguf")
    ModelFolders(room.paths).add(tmp_path / "drive")
    page = open_tab(room)
    room.lists("mine")
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    page.look_asked.emit()
    room.until(lambda: words(rows(page)[1], "facts").startswith("Not connected."))
    assert "Its model is remembered" in words(rows(page)[1], "facts")
    assert room.parts.engines.shelf.models[-1].absent
    look = rows(page)[1].findChild(QAbstractButton, "folder_1_look")
    assert isinstance(look, QAbstractButton)
    assert look.isVisible()
    (tmp_path / "unplugged").rename(tmp_path / "drive")
    look.click()
    room.until(lambda: words(rows(page)[1], "facts").startswith("1 model, "))
    room.until(lambda: not room.parts.engines.shelf.models[-1].absent)
    assert not look.isVisible()


def test_a_folder_that_cannot_be_added_is_a_problem(room: Keeping, tmp_path: Path) -> None:
    page = open_tab(room)
    page.add_asked.emit(str(tmp_path))  # the app's own folder is in it
    room.until(room.window.banner.isVisible)
    assert len(rows(page)) == 1


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_other_apps_are_asked_about_once_and_can_be_switched(
    answer: str, room: Keeping, tmp_path: Path
) -> None:
    put(tmp_path / "person" / ".lmstudio" / "models" / "org" / "name" / "theirs.gguf")
    page = open_tab(room)
    room.until(lambda: room.has("apps_question"))
    assert room.ids() == []
    room.find(QAbstractButton, f"apps_question_{answer}").click()
    theirs = ["lmstudio/org/name/theirs"]
    room.lists(*(theirs if answer == "yes" else []))
    assert not room.has("apps_question")
    switch = page.findChild(QAbstractButton, "folders_app_lmstudio")
    assert isinstance(switch, QAbstractButton)
    room.until(lambda: switch.isChecked() == (answer == "yes"))
    switch.click()
    room.lists(*(theirs if answer == "no" else []))
    room.qtbot.wait(100)
    assert not room.has("apps_question")
    assert ModelFolders(room.paths).choices().apps == {"lmstudio": answer == "no"}


def test_without_other_apps_nothing_is_asked(room: Keeping) -> None:
    page = open_tab(room)
    room.qtbot.wait(100)
    assert not room.has("apps_question")
    assert page.findChildren(QAbstractButton, "folders_app_ollama") == []


def test_what_happens_to_files_from_elsewhere_is_kept(room: Keeping) -> None:
    page = open_tab(room)
    button = page.findChild(QAbstractButton, "folders_bringing_copy")
    assert isinstance(button, QAbstractButton)
    button.click()
    room.until(lambda: ModelFolders(room.paths).choices().bringing == "copy")


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_a_read_only_folder_says_so(
    room: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "second" / "mine.gguf")
    ModelFolders(room.paths).add(tmp_path / "second")
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path / "second")
    page = open_tab(room)
    room.until(lambda: len(rows(page)) == 2)
    room.until(lambda: "may only be read" in words(rows(page)[1], "facts"))
