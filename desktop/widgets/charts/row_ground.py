"""The ground of a row in a figure: chosen, under the pointer, or where the keys are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

if TYPE_CHECKING:
    from desktop.widgets.charts.figure import Figure

_RADIUS: Final = 4


def paint_row_ground(
    painter: QPainter, figure: Figure, box: QRectF, place: int, *, is_chosen: bool = False
) -> None:
    """Paint what lies under a row's words.

    A row that is both chosen and marked keeps the colour of the chosen one; the ring round it says
    where the keys are.

    Args:
        painter: Open on the figure.
        figure: Whose mark, focus and theme count.
        box: The whole row.
        place: The row's place.
        is_chosen: Whether the row stays lit.
    """
    is_marked = place == figure.mark
    if not (is_marked or is_chosen):
        return
    theme = figure.theme
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.selected if is_chosen else theme.hover)
    painter.drawRoundedRect(box, _RADIUS, _RADIUS)
    if is_marked and figure.hasFocus():
        painter.setPen(QPen(theme.focus, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
    painter.restore()
