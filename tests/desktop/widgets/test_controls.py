"""Labels and which side they are read from; buttons and the keys that press them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from desktop.widgets.context_meter import ContextMeter
from desktop.widgets.controls import Button, IconButton, Paragraph
from desktop.widgets.inputs import SearchField

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def inked(widget: QWidget) -> tuple[int, int]:
    """The leftmost and rightmost painted column of a widget."""
    image = widget.grab().toImage()
    ground = image.pixelColor(0, 0)
    columns = [
        x
        for x in range(image.width())
        if any(image.pixelColor(x, y) != ground for y in range(image.height()))
    ]
    return columns[0], columns[-1]


@pytest.mark.parametrize(("text", "side"), [("Short words.", "left"), ("שלום עולם.", "right")])
@pytest.mark.parametrize("window", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_paragraph_stands_on_the_side_its_words_are_read_from(
    qtbot: QtBot, theme: Theme, text: str, side: str, window: Qt.LayoutDirection
) -> None:
    paragraph = Paragraph(text, 20)
    paragraph.setFont(theme.font("body"))
    paragraph.setLayoutDirection(window)
    qtbot.addWidget(paragraph)
    paragraph.resize(300, 20)
    first, last = inked(paragraph)
    assert (first < 10, last > 285) == (side == "left", side == "right")


def test_the_numbers_of_the_context_stand_beside_the_bar_in_both_directions(
    qtbot: QtBot, theme: Theme
) -> None:
    for direction in (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft):
        meter = ContextMeter(theme)
        meter.setLayoutDirection(direction)
        qtbot.addWidget(meter)
        meter.set_use(0, 32_768)
        meter.resize(meter.sizeHint())
        image = meter.grab().toImage()
        line = QColor(theme.line_strong).rgb()
        bar = [x for x in range(image.width()) if image.pixel(x, image.height() // 2) == line]
        above = image.height() // 2 - 4  # over the bar, within the digits
        ground = image.pixel(0, 0)
        digits = [x for x in range(image.width()) if image.pixel(x, above) != ground]
        assert bar
        assert digits
        assert not set(bar) & set(digits)


def test_the_key_of_a_search_field_never_covers_its_words(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField("Find", theme, name="find", keys="Ctrl+K")
    qtbot.addWidget(field)
    left, right = field.textMargins().left(), field.textMargins().right()
    field.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert (field.textMargins().left(), field.textMargins().right()) == (right, left)


def test_a_word_wider_than_its_paragraph_goes_on_in_the_next_line(qtbot: QtBot) -> None:
    paragraph = Paragraph("a" * 200, 20)
    qtbot.addWidget(paragraph)
    assert paragraph.heightForWidth(100) >= 5 * 20


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_a_button_with_the_keys_is_pressed_once(qtbot: QtBot, theme: Theme, key: Qt.Key) -> None:
    pressed: list[str] = []
    for button in (
        Button("Look inside", theme, name="look"),
        IconButton("panel-left", "Chats", theme, name="list"),
    ):
        qtbot.addWidget(button)
        button.clicked.connect(partial(pressed.append, button.objectName()))
        button.show()
        qtbot.keyClick(button, key)
        qtbot.keyClick(button, key, Qt.KeyboardModifier.ControlModifier)
    assert pressed == (["look", "list"] if key != Qt.Key.Key_Space else ["look"] * 2 + ["list"] * 2)
