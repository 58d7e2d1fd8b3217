"""Widgets that go on in the next line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.widgets.controls import Button
from desktop.widgets.wrap_row import WrapRow

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def test_what_does_not_fit_goes_to_the_next_line_and_is_seen_whole(
    qtbot: QtBot, theme: Theme
) -> None:
    box, row = QWidget(), WrapRow(last_at_end=True)
    QVBoxLayout(box).addWidget(row)
    buttons = [Button(f"A button {n}", theme, name=f"b{n}") for n in range(4)]
    for button in buttons:
        row.add(button)
    qtbot.addWidget(box)
    box.resize(1_000, 200)
    box.show()
    assert {button.y() for button in buttons} == {0}
    assert buttons[-1].geometry().right() == row.width() - 1
    box.resize(260, 200)
    QApplication.sendPostedEvents()
    assert len({button.y() for button in buttons}) > 1
    for button in buttons:
        assert row.rect().contains(button.geometry())
        assert button.width() == button.sizeHint().width()
