"""A map of points with names; near ones belong together as far as two directions can show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_MARGIN: Final = 46
_DOT: Final = 4.0
_NEAR: Final = 12.0


@dataclass(frozen=True, slots=True)
class MapPoint:
    """One point: its name, where it is, and whether it was asked for."""

    text: str
    x: float
    y: float
    is_asked: bool = False


class PointMap(Figure):
    """Places are the points."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._points: tuple[MapPoint, ...] = ()
        self._sentence = ""
        self.setMinimumHeight(320)

    def set_points(self, points: tuple[MapPoint, ...], sentence: str) -> None:
        """Show points and what is to be said of them."""
        self._points, self._sentence = points, sentence
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return a size at which names can be read."""
        return QSize(480, 360)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        return self._sentence or self.tr("Nothing to show yet.")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [(point.text, f"{point.x:.6g}", f"{point.y:.6g}") for point in self._points]
        return (("token", "first", "second"), *rows)

    def place_count(self) -> int:
        """Return the number of points."""
        return len(self._points)

    def place_words(self, place: int) -> str:
        """Return the name of one point."""
        return spoken(self._points[place].text)

    def place_at(self, spot: QPoint) -> int:
        """Return the point near a spot."""
        places = self._places(self.size())
        near = [(abs(p.x() - spot.x()) + abs(p.y() - spot.y()), n) for n, p in enumerate(places)]
        distance, place = min(near, default=(_NEAR, -1))
        return place if distance < _NEAR else -1

    def _places(self, size: QSize) -> list[QPointF]:
        if not self._points:
            return []
        xs, ys = [point.x for point in self._points], [point.y for point in self._points]
        spread = max(max(xs) - min(xs), max(ys) - min(ys)) or 1.0
        scale_x = (size.width() - 2 * _MARGIN) / spread
        scale_y = (size.height() - 2 * _MARGIN) / spread
        scale = min(scale_x, scale_y)
        middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
        return [
            QPointF(
                size.width() / 2 + (point.x - middle_x) * scale,
                size.height() / 2 - (point.y - middle_y) * scale,
            )
            for point in self._points
        ]

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint axes, dots and names."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.line, 1))
        painter.drawRoundedRect(QRectF(0.5, 0.5, size.width() - 1, size.height() - 1), 8, 8)
        for place, (point, spot) in enumerate(zip(self._points, self._places(size), strict=True)):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent if point.is_asked else theme.categorical["blue"])
            painter.drawEllipse(spot, _DOT, _DOT)
            if place == self.mark:
                painter.setPen(QPen(theme.focus, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(spot, _DOT + 4, _DOT + 4)
            painter.setFont(theme.font("code_small", bold=point.is_asked))
            painter.setPen(theme.accent_text if point.is_asked else theme.text2)
            painter.drawText(spot + QPointF(7, 4), shown(point.text))
