"""Shadows under things in front: a picture painted once and stretched in nine parts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

Elevation = Literal["float", "dialog"]
_BLUR: Final = {"float": (20, 6), "dialog": (32, 10)}


def shadow_margin(kind: Elevation) -> int:
    """Return how far a shadow reaches beyond its thing, in device independent pixels."""
    blur, down = _BLUR[kind]
    return blur + down


def paint_float(
    painter: QPainter, rect: QRect, radius: int, theme: Theme, kind: Elevation = "float"
) -> None:
    """Paint shadow, ground and outline of a thing in front.

    Args:
        painter: Painter of the widget round it; ``rect`` lies ``shadow_margin`` inside.
        rect: The thing itself, without its shadow.
        radius: Of its corners.
        theme: Colours.
        kind: How far it stands in front.
    """
    _paint_shadow(painter, rect, radius, theme, kind)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.line_strong)
    painter.setBrush(theme.raised)
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


def _paint_shadow(
    painter: QPainter, rect: QRect, radius: int, theme: Theme, kind: Elevation
) -> None:
    blur, down = _BLUR[kind]
    alpha = theme.shadow_alpha * 0.7  # a blurred edge is half as dark as its middle
    patch = _patch(blur, radius, round(alpha * 255), theme.scrim.rgb())
    edge = blur + radius  # the part of the picture that must not be stretched
    target = rect.adjusted(-blur, -blur + down, blur, blur + down)
    xs = (target.left(), target.left() + edge, target.right() + 1 - edge, target.right() + 1)
    ys = (target.top(), target.top() + edge, target.bottom() + 1 - edge, target.bottom() + 1)
    cuts = (0, edge, edge + 1, 2 * edge + 1)
    for row in range(3):
        for column in range(3):
            source = QRect(
                QPoint(cuts[column], cuts[row]),
                QPoint(cuts[column + 1] - 1, cuts[row + 1] - 1),
            )
            part = QRect(QPoint(xs[column], ys[row]), QPoint(xs[column + 1] - 1, ys[row + 1] - 1))
            painter.drawPixmap(part, patch, source)


@lru_cache(maxsize=8)
def _patch(blur: int, radius: int, alpha: int, rgb: int) -> QPixmap:
    size = 2 * (blur + radius) + 1
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    color = QColor.fromRgb(rgb)
    previous = 0.0
    for step in range(blur):
        # Rings from outside in; each adds what a soft (cubic) fall-off lacks at its distance.
        wanted = alpha / 255 * ((step + 1) / blur) ** 3
        color.setAlphaF(max(0.0, (wanted - previous) / (1 - previous)))
        previous = wanted
        painter.setBrush(color)
        inner = QRectF(step, step, size - 2 * step, size - 2 * step)
        corner = radius + blur - step
        painter.drawRoundedRect(inner, corner, corner)
    painter.end()
    return pixmap
