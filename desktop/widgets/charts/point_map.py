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
_SMALL_DOT: Final = 2.5
_FEW: Final = 60
_LOW: Final = 360
_HIGH: Final = 560
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
        self.setMinimumHeight(_LOW)

    def set_points(self, points: tuple[MapPoint, ...], sentence: str) -> None:
        """Show points and what is to be said of them."""
        self._points, self._sentence = points, sentence
        self.setMinimumHeight(_LOW if len(points) <= _FEW else _HIGH)
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return a size at which names can be read."""
        return QSize(480, 420)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        pair = self._nearest()
        if pair is None:
            return self._sentence or self.tr("Nothing to show yet.")
        words = self.tr("{0} words; nearest to each other are “{1}” and “{2}”.")
        one, other = (spoken(self._points[place].text) for place in pair)
        return f"{words.format(len(self._points), one, other)} {self._sentence}".strip()

    def _nearest(self) -> tuple[int, int] | None:
        """Return the two points that are nearest to each other; none of fewer than two."""
        count = len(self._points)
        if count < 2:
            return None
        import numpy as np  # noqa: PLC0415  not at the start

        spots = np.array([(point.x, point.y) for point in self._points], np.float32)  # (N, 2)
        apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1))  # (N, N)
        np.fill_diagonal(apart, np.inf)
        one, other = divmod(int(apart.argmin()), count)
        return one, other

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
        """Paint dots, and names where they fit; the marked one always has its name."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.line, 1))
        painter.drawRoundedRect(QRectF(0.5, 0.5, size.width() - 1, size.height() - 1), 8, 8)
        places = self._places(size)
        dot = _DOT if len(places) <= _FEW else _SMALL_DOT
        for place in self._order():
            self._draw_dot(painter, places[place], place, dot)
        taken: list[QRectF] = []
        for place in self._order():
            point = self._points[place]
            painter.setFont(theme.font("code_small", bold=point.is_asked))
            box = self._name_box(painter, places[place], shown(point.text), size)
            if place != self.mark and any(box.intersects(other) for other in taken):
                continue
            if place == self.mark:
                painter.fillRect(box, theme.page)
            taken.append(box)
            painter.setPen(theme.accent_text if point.is_asked else theme.text2)
            align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, shown(point.text))

    def _order(self) -> list[int]:
        """Return the marked point, those asked with, and the others: so they get their names."""
        order = sorted(range(len(self._points)), key=lambda n: not self._points[n].is_asked)
        if self.mark >= 0:
            order.remove(self.mark)
            order.insert(0, self.mark)
        return order

    def _name_box(self, painter: QPainter, spot: QPointF, name: str, size: QSize) -> QRectF:
        """Return where a name stands: right of its dot, or left of it at the edge."""
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(name) + 2, metrics.height()
        left = spot.x() + _DOT + 3
        if left + width > size.width() - 2:
            left = max(2.0, spot.x() - _DOT - 3 - width)
        return QRectF(left, spot.y() - height / 2, width, height)

    def _draw_dot(self, painter: QPainter, spot: QPointF, place: int, dot: float) -> None:
        theme = self.theme
        painter.setPen(Qt.PenStyle.NoPen)
        is_asked = self._points[place].is_asked
        painter.setBrush(theme.accent if is_asked else theme.categorical["blue"])
        if is_asked:  # told apart by its shape too
            painter.drawRect(QRectF(spot.x() - dot, spot.y() - dot, 2 * dot, 2 * dot))
        else:
            painter.drawEllipse(spot, dot, dot)
        if place == self.mark:
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(spot, dot + 4, dot + 4)
