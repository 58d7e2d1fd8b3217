"""The strip of tokens: one step a notch, and the left button only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop.widgets.token_strip import TokenStrip
from inference.types import TokenPiece

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


@pytest.fixture
def strip(qtbot: QtBot, theme: Theme) -> TokenStrip:
    made = TokenStrip(theme, "strip")
    qtbot.addWidget(made)
    made.resize(600, 44)
    made.set_text(tuple(TokenPiece(n, f"w{n}") for n in range(9)), 4)
    made.show()
    made.grab()
    return made


def _turn(strip: TokenStrip, by: int) -> None:
    event = QWheelEvent(
        QPointF(40, 20),
        QPointF(40, 20),
        QPoint(),
        QPoint(0, by),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(strip, event)


def test_small_turns_of_a_touch_pad_add_up_to_one_step(strip: TokenStrip) -> None:
    chosen: list[int] = []
    strip.place_chosen.connect(chosen.append)
    for _ in range(11):
        _turn(strip, -10)
    assert chosen == []
    _turn(strip, -10)
    assert chosen == [5]
    _turn(strip, 120)
    assert chosen == [5, 3]


def test_only_the_left_button_chooses(strip: TokenStrip, qtbot: QtBot) -> None:
    chosen: list[int] = []
    strip.place_chosen.connect(chosen.append)
    spot = next(box.center() for place, box in strip._boxes if place == 2)
    qtbot.mouseClick(strip, Qt.MouseButton.RightButton, pos=spot)
    assert chosen == []
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=spot)
    assert chosen == [2]
