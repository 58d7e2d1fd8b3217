"""A list of many rows that scrolls by moving what is painted already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QListView

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from desktop.widgets.theme import Theme


class RowList(QListView):
    """Rows of one height on the ground of side panels.

    It paints its ground itself: Qt moves the pixels of an opaque view, while of a transparent one
    it paints every row anew at each step.

    Args:
        theme: Colours.
        name: objectName.
        words: Accessible name.
    """

    def __init__(self, theme: Theme, *, name: str, words: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(words)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground, then the rows."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.side)
        painter.end()
        super().paintEvent(event)
