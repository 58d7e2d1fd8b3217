"""An area that takes the height its content needs at its width, and scrolls where there is less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop.widgets.shrinking_area import ShrinkingArea

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

WORDS = "Many words that stand in one line where there is room and in many where there is none. "


class Place:
    """An area above something that stretches."""

    def __init__(self, qtbot: QtBot) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.body = QWidget()
        column = QVBoxLayout(self.body)
        self.words = QLabel(WORDS)
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        self.area = ShrinkingArea(self.body, "area", "Words")
        outer = QVBoxLayout(self.window)
        outer.addWidget(self.area)
        outer.addStretch(1)
        self.qtbot = qtbot

    def show(self, width: int, height: int) -> None:
        self.window.resize(width, height)
        self.window.show()
        self.qtbot.waitExposed(self.window)
        self.qtbot.wait(20)

    @property
    def hidden(self) -> int:
        return self.area.verticalScrollBar().maximum()


@pytest.fixture
def place(qtbot: QtBot) -> Place:
    return Place(qtbot)


def test_it_is_as_high_as_its_content_at_this_width_and_scrolls_nothing(place: Place) -> None:
    place.show(900, 400)
    assert place.hidden == 0
    assert place.area.height() < 80
    place.words.setText(WORDS * 12)
    place.qtbot.wait(20)
    assert place.hidden == 0
    assert place.words.height() >= place.words.heightForWidth(place.words.width())


def test_where_there_is_less_it_scrolls_and_cuts_nothing(place: Place) -> None:
    place.words.setText(WORDS * 40)
    place.show(300, 220)
    assert place.area.height() <= 220
    assert place.hidden > 200
    assert place.words.height() >= place.words.heightForWidth(place.words.width())
