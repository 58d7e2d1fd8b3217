from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt

from desktop.widgets.charts.temperature_line import TemperatureLine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


@pytest.fixture
def line(qtbot: QtBot, theme: Theme) -> TemperatureLine:
    made = TemperatureLine(theme, "line", "Line")
    qtbot.addWidget(made)
    made.resize(260, 124)
    made.set_values((1.0,) * 4)
    made.show()
    return made


def test_up_and_down_move_the_marked_step_within_its_bounds(
    line: TemperatureLine, qtbot: QtBot
) -> None:
    qtbot.keyClick(line, Qt.Key.Key_Right)
    qtbot.keyClick(line, Qt.Key.Key_Right)
    with qtbot.waitSignal(line.moved):
        qtbot.keyClick(line, Qt.Key.Key_Up)
    assert line.values() == (1.0, 1.1, 1.0, 1.0)
    assert "Step 2: temperature 1.1" in line.accessibleDescription()
    for _ in range(30):
        qtbot.keyClick(line, Qt.Key.Key_Down)
    assert line.values() == (1.0, 0.0, 1.0, 1.0)


def test_a_point_follows_the_pointer(line: TemperatureLine, qtbot: QtBot) -> None:
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(250, 8))
    assert line.values() == (1.0, 1.0, 1.0, 2.0)
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(250, 8))
    assert "2.0 at most" in line.sentence()
    assert line.table()[4] == ("4", "2")


def test_values_beyond_the_scale_are_kept_on_it(line: TemperatureLine) -> None:
    line.set_values((-1.0, 9.0))
    assert line.values() == (0.0, 2.0)
