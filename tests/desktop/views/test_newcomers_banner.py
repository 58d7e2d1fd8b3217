"""A model that came in and may not answer: the banner leads to the page that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel

from desktop.values import Problem
from desktop.views.installed_page import InstalledPage
from desktop.widgets.inputs import SearchField
from tests.desktop.views.keeping import Keeping
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

BROKEN = "{% for m in messages %}{{ m.content }"


@pytest.fixture
def room(qtbot: QtBot, dressed_app: QApplication, tmp_path: Path) -> Iterator[Keeping]:
    room = Keeping(qtbot, dressed_app, tmp_path)
    room.show()
    yield room
    room.close()


def test_its_page_is_one_press_away_whatever_is_looked_for(room: Keeping) -> None:
    room.parts.engines.refresh()
    room.until(lambda: bool(room.parts.engines.shelf.models))
    page = room.window.open_page("models")
    page.open_tab("installed")  # type: ignore[attr-defined]  # the Models page
    room.find(SearchField, "models_search").setText("starter")
    room.window.open_page("chat")
    folder = room.paths.models / "org" / "poor"
    folder.mkdir(parents=True)
    tiny_gguf(folder / "poor.gguf", name="Poor", chat_template=BROKEN)
    room.parts.engines.refresh()
    room.until(room.window.banner.isVisible)
    assert room.window.banner.accessibleName() == "Poor may not answer as it should."
    button = room.find(QAbstractButton, "banner_model")
    assert button.isVisible()
    button.click()
    assert room.window.current_page() == "models"
    assert room.find(InstalledPage, "installed_page").isVisible()
    assert room.find(QLabel, "model_name").text() == "Poor"
    assert not room.window.banner.isVisible()


def test_other_trouble_has_no_such_button(room: Keeping) -> None:
    room.window.show_problem(Problem("The disk is full.", "Nothing can be kept.", "Free some."))
    assert room.window.banner.isVisible()
    assert not room.find(QAbstractButton, "banner_model").isVisible()


def test_the_banner_of_a_refused_command_ends_with_its_page_and_lasting_trouble_stays(
    room: Keeping,
) -> None:
    window = room.window
    window.open_page("chat")
    window.show_problem(Problem("An answer is being written.", "Wait.", is_passing=True))
    window.open_page("chat")
    assert window.banner.isVisible()
    window.open_page("settings")
    assert not window.banner.isVisible()
    window.show_problem(Problem("The disk is full.", "Nothing can be kept.", "Free some."))
    window.open_page("chat")
    assert window.banner.isVisible()
