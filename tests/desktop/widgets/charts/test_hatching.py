"""Hatching stays inside its rectangle, in a picture and in a drawing that knows no clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator, QSvgRenderer

from desktop.widgets.charts.hatching import hatch

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PLACE = QRectF(60, 40, 9, 30)


def _inked(image: QImage) -> QRect:
    """Return the least rectangle round all that was painted."""
    spots = [
        (x, y)
        for y in range(image.height())
        for x in range(image.width())
        if image.pixelColor(x, y).alpha() > 40
    ]
    xs, ys = zip(*spots, strict=True)
    return QRect(min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


def _blank() -> QImage:
    image = QImage(140, 120, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    return image


def test_lines_end_at_the_edges_of_what_is_hatched(qapp: QApplication) -> None:
    assert qapp is not None
    drawing = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(drawing)
    generator.setSize(QSize(140, 120))
    generator.setViewBox(QRect(0, 0, 140, 120))
    painter = QPainter(generator)
    hatch(painter, PLACE, QColor("black"))
    painter.end()
    drawn, painted = _blank(), _blank()
    painter = QPainter(drawn)
    QSvgRenderer(drawing.data()).render(painter, QRectF(0, 0, 140, 120))
    painter.end()
    painter = QPainter(painted)
    hatch(painter, PLACE, QColor("black"))
    painter.end()
    for image in (drawn, painted):
        ink = _inked(image)
        assert PLACE.toRect().adjusted(-1, -1, 1, 1).contains(ink)
        assert ink.width() >= 8
        assert ink.height() >= 28
