"""A sentence above the composer about what Enter does now, and the way out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.widgets.controls import Button, label

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme


class HintBar(QWidget):
    """One line; hidden at first.

    Args:
        text: The sentence.
        way_out: Words of the button.
        theme: Fonts.
        name: Stem of the objectNames.

    Signals:
        cancelled: The button was pressed.
    """

    cancelled = Signal()

    def __init__(self, text: str, way_out: str, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setObjectName(f"{name}_bar")
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 0, 0, 0)
        words = label(text, theme, "small", "text2", wrap=True, name=f"{name}_words")
        row.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
        cancel = Button(way_out, theme, kind="ghost", name=f"{name}_cancel", small=True)
        cancel.clicked.connect(self.cancelled)
        row.addWidget(cancel)
        self.hide()
