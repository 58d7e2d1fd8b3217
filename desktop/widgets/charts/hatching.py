"""Hatching for what is cut or masked: lines under a clip, sharp at every scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPen

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter

_STEP: Final = 5.0


def hatch(painter: QPainter, rect: QRectF, color: QColor) -> None:
    """Fill a rectangle with slanted lines."""
    painter.save()
    painter.setClipRect(rect)
    painter.setPen(QPen(color, 1))
    x = rect.left() - rect.height()
    lines = []
    while x < rect.right():
        lines.append(QLineF(x, rect.bottom(), x + rect.height(), rect.top()))
        x += _STEP
    painter.drawLines(lines)
    painter.restore()
