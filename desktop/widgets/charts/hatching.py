"""Hatching for what is cut or masked: lines cut to size, sharp at every scale and in a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPen

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter

_STEP: Final = 5.0


def hatch(painter: QPainter, rect: QRectF, color: QColor) -> None:
    """Fill a rectangle with slanted lines; they end at its edges, for an SVG has no clip."""
    painter.save()
    painter.setPen(QPen(color, 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    height, lines = rect.height(), []
    x = rect.left() - height
    while x < rect.right():
        start = max(0.0, rect.left() - x)  # how far along its height a line comes in
        end = min(height, rect.right() - x)
        lines.append(QLineF(x + start, rect.bottom() - start, x + end, rect.bottom() - end))
        x += _STEP
    painter.drawLines(lines)
    painter.restore()
