"""A figure whose places stand in rows and columns: up and down step to other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop.widgets.charts.figure import Figure

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent


class GridFigure(Figure):
    """Places are the cells, row by row."""

    def _columns(self) -> int:
        """Return how many cells a row has."""
        raise NotImplementedError

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move to other rows with up and down."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps and self.place_count():
            place = max(0, self.mark) + steps[key] * self._columns()
            if 0 <= place < self.place_count():
                self.set_mark(place)
        else:
            super().keyPressEvent(event)
