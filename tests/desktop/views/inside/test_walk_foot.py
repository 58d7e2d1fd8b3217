"""The foot of the walk-through: keys, dots, and what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from desktop.views.inside.walk_foot import StepDots, WalkFoot
from desktop.widgets.controls import Button, KeyCap

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

_WORDS = "Step 8 of 10"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """These tests need no model in memory."""


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def foot(qtbot: QtBot, theme: Theme, window: QWidget) -> WalkFoot:
    made = WalkFoot(theme, window, 10)
    made.setParent(window)
    window.resize(800, 60)
    made.resize(800, 60)
    made.show_step(7, 11, _WORDS, "Choosing one word")
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return made


def button(foot: WalkFoot, name: str) -> Button:
    found = foot.findChild(Button, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("key", "by"), [(Qt.Key.Key_Left, -1), (Qt.Key.Key_Right, 1)])
def test_arrow_keys_on_either_button_turn_the_steps(
    foot: WalkFoot, qtbot: QtBot, key: Qt.Key, by: int
) -> None:
    for name in ("walk_back", "walk_next"):
        button(foot, name).setFocus()
        with qtbot.waitSignal(foot.turned) as turned:
            qtbot.keyClick(button(foot, name), key)
        assert turned.args == [by]
        assert button(foot, name).hasFocus()
    with qtbot.waitSignal(foot.turned) as turned:
        qtbot.keyClick(button(foot, "walk_next"), key, Qt.KeyboardModifier.AltModifier)
    assert turned.args == [by]


def test_a_screen_reader_is_told_what_the_dots_show(foot: WalkFoot) -> None:
    dots = foot.findChild(StepDots)
    assert dots is not None
    assert dots.accessibleName()
    assert dots.accessibleDescription() == _WORDS
    assert button(foot, "walk_next").accessibleName() == "Next: Choosing one word"


def test_dots_behind_and_ahead_differ_and_the_open_one_is_longest(
    foot: WalkFoot, theme: Theme
) -> None:
    dots = foot.findChild(StepDots)
    assert dots is not None
    picture = dots.grab().toImage()
    middle = picture.height() // 2
    row = [picture.pixelColor(x, middle).rgb() for x in range(picture.width())]
    runs = _runs(row, {theme.accent.rgb(), theme.line_strong.rgb()})
    inks = [ink for ink, _ in runs]
    assert inks == [theme.accent.rgb()] * 8 + [theme.line_strong.rgb()] * 3
    lengths = [length for _, length in runs]
    assert max(lengths) == lengths[7] > 2 * lengths[6]
    dots.show_step(10, 11, "After the steps")
    assert dots.accessibleDescription() == "After the steps"


def _runs(row: list[int], inks: set[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    before = 0
    for ink in row:
        if ink in inks and ink == before:
            runs[-1] = ink, runs[-1][1] + 1
        elif ink in inks:
            runs.append((ink, 1))
        before = ink
    return runs


@pytest.mark.parametrize("width", [490, 620, 800, 1500])
def test_the_dots_stand_clear_of_the_buttons_and_in_the_middle_where_there_is_room(
    foot: WalkFoot, width: int
) -> None:
    foot.set_narrow(narrow=width < 700)
    foot.resize(width, 60)
    QApplication.processEvents()
    dots = foot.findChild(StepDots)
    assert dots is not None
    parts = [*foot.findChildren(Button), *foot.findChildren(KeyCap)]
    for part in parts:
        assert part.isHidden() or not part.geometry().intersects(dots.geometry())
    if width >= 800:
        assert abs(dots.geometry().center().x() - width // 2) <= 1


def test_the_last_step_leads_back_only(foot: WalkFoot) -> None:
    foot.show_step(10, 11, "After the steps", "")
    assert button(foot, "walk_next").isHidden()
    foot.take_keyboard()
    assert button(foot, "walk_back").hasFocus()
    foot.show_step(0, 11, "Step 1 of 10", "Words become pieces")
    assert not button(foot, "walk_back").isEnabled()
