"""A temperature for every step, as a line whose points are dragged or moved by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPen, QPolygonF

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

    from desktop.widgets.theme import Theme

HOTTEST: Final = 2.0
_STEP: Final = 0.1
_AXIS: Final = 26
_FOOT: Final = 18
_TOP: Final = 8
_KNOB: Final = 4.0
_HEIGHT: Final = 124


class TemperatureLine(Figure):
    """Places are the steps: left and right choose one, up and down make it hotter or cooler.

    Signals:
        moved: A person moved a point; the temperatures are what they are now.
    """

    moved = Signal()

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._values: tuple[float, ...] = ()
        self.setMinimumHeight(_HEIGHT)

    def values(self) -> tuple[float, ...]:
        """Return the temperatures, one a step."""
        return self._values

    def set_values(self, values: tuple[float, ...]) -> None:
        """Show other temperatures, 0 to ``HOTTEST``; nothing is emitted."""
        self._values = tuple(round(max(0.0, min(one, HOTTEST)), 2) for one in values)
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return a size in which each step can be hit."""
        return QSize(250, _HEIGHT)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._values:
            return self.tr("Nothing to show yet.")
        if len(set(self._values)) == 1:
            return self.tr("Temperature {0} at every step.").format(self._number(self._values[0]))
        return self.tr("Temperature {0} at first, {1} at the end, {2} at most.").format(
            self._number(self._values[0]),
            self._number(self._values[-1]),
            self._number(max(self._values)),
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = ((str(n + 1), f"{one:g}") for n, one in enumerate(self._values))
        return (("step", "temperature"), *rows)

    def place_count(self) -> int:
        """Return the number of steps."""
        return len(self._values)

    def place_words(self, place: int) -> str:
        """Return what is said of one step."""
        return self.tr("Step {0}: temperature {1}").format(
            place + 1, self._number(self._values[place])
        )

    def place_at(self, spot: QPoint) -> int:
        """Return the step at a spot."""
        count = len(self._values)
        if not count:
            return -1
        return max(0, min(int((spot.x() - _AXIS) / self._width() * count), count - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the marked point up or down; other keys are those of all figures."""
        by = {Qt.Key.Key_Up: _STEP, Qt.Key.Key_Down: -_STEP}.get(Qt.Key(event.key()))
        if by is None or not self._values:
            super().keyPressEvent(event)
            return
        if self.mark < 0:
            self.set_mark(0)
        self._put(self.mark, self._values[self.mark] + by)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the point under the pointer along."""
        super().mousePressEvent(event)
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the step under the pointer; with the button down, move its point."""
        super().mouseMoveEvent(event)
        self._follow(event)

    def _follow(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._values:
            spot = event.position().toPoint()
            self._put(self.place_at(spot), HOTTEST * (self._floor() - spot.y()) / self._room())

    def _put(self, place: int, value: float) -> None:
        value = round(round(max(0.0, min(value, HOTTEST)) / _STEP) * _STEP, 2)
        if value == self._values[place]:
            return
        values = list(self._values)
        values[place] = value
        self._values = tuple(values)
        self.refresh()
        self.moved.emit()

    # --- looks -----------------------------------------------------------------------------

    def _number(self, value: float) -> str:
        return formatting.decimal(value, 1)

    def _width(self) -> float:
        return max(1.0, self.width() - _AXIS - _KNOB)

    def _floor(self) -> float:
        return self.height() - _FOOT

    def _room(self) -> float:
        return self._floor() - _TOP

    def _point(self, place: int) -> QPointF:
        step = self._width() / len(self._values)
        y = self._floor() - self._values[place] / HOTTEST * self._room()
        return QPointF(_AXIS + (place + 0.5) * step, y)

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint grid, line and points."""
        theme = self.theme
        painter.setRenderHint(painter.RenderHint.Antialiasing)
        painter.setFont(theme.font("label"))
        for value in (0.0, 1.0, 2.0):
            y = self._floor() - value / HOTTEST * self._room()
            painter.setPen(QPen(theme.line_strong if value == 0 else theme.line, 1))
            painter.drawLine(QLineF(_AXIS, y, size.width(), y))
            painter.setPen(theme.text3)
            box = QRectF(0, y - 8, _AXIS - 6, 16)
            painter.drawText(
                box,
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                self._number(value),
            )
        if not self._values:
            return
        points = [self._point(place) for place in range(len(self._values))]
        painter.setPen(QPen(theme.accent, 2))
        painter.drawPolyline(QPolygonF(points))
        for place, point in enumerate(points):
            marked = place == self.mark
            painter.setBrush(theme.accent if marked else theme.raised)
            radius = _KNOB + 1 if marked else _KNOB
            painter.drawEllipse(point, radius, radius)
        painter.setPen(theme.text3)
        for place in (0, len(points) - 1):
            box = QRectF(points[place].x() - 20, self._floor() + 2, 40, _FOOT - 2)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(place + 1))
