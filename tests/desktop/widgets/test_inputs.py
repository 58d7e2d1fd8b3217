"""Switch, slider, combo, segments, value rows: what a hand or a key does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.views.sampling import value_specs
from desktop.widgets.inputs import Combo, SearchField, Segments, Slider, Switch
from desktop.widgets.value_row import ValueBox, ValueRow

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def wheel(widget: QWidget) -> bool:
    """Turn the wheel over a widget; return whether the widget took it."""
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre, widget.mapToGlobal(centre), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.fixture
def row(qtbot: QtBot, theme: Theme) -> ValueRow:
    row = ValueRow(value_specs()[0], theme)
    qtbot.addWidget(row)
    row.resize(272, 100)
    row.show()
    return row


def test_a_press_beside_the_knob_goes_there(qtbot: QtBot, theme: Theme) -> None:
    slider = Slider("Top-k", theme, name="s")
    qtbot.addWidget(slider)
    slider.setRange(0, 100)
    slider.resize(214, 26)
    slider.show()
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(107, 13))
    assert slider.value() == pytest.approx(50, abs=1)


@pytest.mark.parametrize("kind", ["slider", "combo", "box"])
def test_scrolling_past_a_value_leaves_it(qtbot: QtBot, theme: Theme, kind: str) -> None:
    made = {
        "slider": lambda: Slider("A", theme, name="a"),
        "combo": lambda: Combo("B", theme, name="b"),
        "box": lambda: ValueBox(value_specs()[0], theme),
    }[kind]()
    qtbot.addWidget(made)
    made.show()
    assert not wheel(made)


def test_a_key_moves_the_slider_and_the_box_and_tells_once(row: ValueRow, qtbot: QtBot) -> None:
    row.set_value(0.7)
    slider = row.findChild(Slider)
    assert slider is not None
    with qtbot.waitSignal(row.value_changed) as told:
        qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert told.args == [pytest.approx(0.71)]
    assert row.value() == pytest.approx(0.71)


def test_a_drag_is_told_when_it_ends(row: ValueRow) -> None:
    told: list[float] = []
    row.value_changed.connect(told.append)
    slider = row.findChild(Slider)
    assert slider is not None
    slider.setSliderDown(True)
    for place in range(10, 40):
        slider.setValue(place)
    assert told == []
    slider.setSliderDown(False)
    assert told == [pytest.approx(0.39)]


def test_showing_a_value_tells_nothing(row: ValueRow, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(row.value_changed):
        row.set_value(1.5)
    assert row.value() == 1.5


def test_the_box_reaches_beyond_the_slider(row: ValueRow) -> None:
    row.set_value(4.0)
    slider = row.findChild(Slider)
    assert slider is not None
    assert row.value() == 4.0
    assert slider.value() == slider.maximum()


def test_a_switch_turns_by_space_and_is_named(qtbot: QtBot, theme: Theme) -> None:
    switch = Switch("Motion", theme, name="motion")
    qtbot.addWidget(switch)
    switch.show()
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert switch.isChecked()
    assert switch.accessibleName() == "Motion"


def test_segments_tell_the_value_and_follow_silently(qtbot: QtBot, theme: Theme) -> None:
    parts = Segments("Theme", (("light", "Light"), ("dark", "Dark")), theme, name="theme")
    qtbot.addWidget(parts)
    parts.show()
    with qtbot.assertNotEmitted(parts.chosen):
        parts.set_value("light")
    dark = parts.findChild(QWidget, "theme_dark")
    with qtbot.waitSignal(parts.chosen) as told:
        qtbot.mouseClick(dark, Qt.MouseButton.LeftButton)
    assert told.args == ["dark"]


def test_the_key_hint_gives_way_to_typed_text(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField("Find", theme, name="find", keys="Ctrl+K")
    qtbot.addWidget(field)
    field.show()
    hint = field.findChild(QWidget, "")
    qtbot.keyClicks(field, "bread")
    caps = [child for child in field.findChildren(QWidget) if child.accessibleName() == "Ctrl+K"]
    assert hint is not None
    assert [cap.isVisible() for cap in caps] == [False]


def test_a_switch_that_is_on_points_to_the_end_of_the_line(qtbot: QtBot, theme: Theme) -> None:
    switch = Switch("Motion", theme, name="motion")
    qtbot.addWidget(switch)
    switch.setChecked(True)
    for direction, knob in (
        (Qt.LayoutDirection.LeftToRight, 24),
        (Qt.LayoutDirection.RightToLeft, 10),
    ):
        switch.setLayoutDirection(direction)
        image = switch.grab().toImage()
        assert image.pixelColor(knob, 13) == theme.on_accent
        assert image.pixelColor(34 - knob, 13) == theme.accent
