"""A number for each layer as lines, one for each thing compared, with its name beside its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from desktop.widgets.theme import Theme

_LEFT: Final = 40
_RIGHT: Final = 14
_TOP: Final = 10
_BOTTOM: Final = 24
_STEP: Final = 0.2
_NUMBER_ROOM: Final = 26
_STYLES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DotLine,
)
_COLOURS: Final = ("blue", "gold", "", "slate")  # the third is the accent's


@dataclass(frozen=True, slots=True)
class LayerLine:
    """One line: its name and a number for each layer; NaN where there is none.

    ``style`` is its place among four looks, told apart by colour, dashes and width.
    """

    name: str
    values: tuple[float, ...]
    style: int


class LayerLines(Figure):
    """Places are layers: 0 is in front of the first block."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._lines: tuple[LayerLine, ...] = ()
        self._sentence = ""
        self.setMinimumHeight(220)

    def set_lines(self, lines: tuple[LayerLine, ...], sentence: str) -> None:
        """Show lines of equal length, and say what they come to."""
        self._lines, self._sentence = lines, sentence
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return a size at which steps can be read."""
        return QSize(480, 240)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        return self._sentence or self.tr("Nothing to show yet.")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers: a row for each layer."""
        rows = [
            (str(layer), *("" if math.isnan(x) else f"{x:.6g}" for x in self._at(layer)))
            for layer in range(self.place_count())
        ]
        return (("layer", *(line.name for line in self._lines)), *rows)

    def _at(self, layer: int) -> tuple[float, ...]:
        return tuple(line.values[layer] for line in self._lines)

    def place_count(self) -> int:
        """Return the number of layers, and one for the start."""
        return len(self._lines[0].values) if self._lines else 0

    def place_at(self, spot: QPoint) -> int:
        """Return the layer nearest to a spot."""
        count = self.place_count()
        if not count or not 0 <= spot.y() <= self.height():
            return -1
        step = self._step(self.size())
        return max(0, min(count - 1, round((spot.x() - _LEFT) / step)))

    def place_words(self, place: int) -> str:
        """Return the numbers of one layer."""
        head = self.tr("Start") if place == 0 else self.tr("After layer {0}").format(place)
        told = ", ".join(
            f"{line.name} {formatting.decimal(line.values[place], 2)}"
            for line in self._lines
            if not math.isnan(line.values[place])
        )
        return f"{head}: {told}"

    # --- drawing ---------------------------------------------------------------------------

    def _step(self, size: QSize) -> float:
        return max(1.0, (size.width() - _LEFT - _RIGHT) / max(1, self.place_count() - 1))

    def _range(self) -> tuple[float, float]:
        known = [x for line in self._lines for x in line.values if not math.isnan(x)]
        lowest = min(known, default=0.0)
        return (0.0 if lowest >= 0 else max(-1.0, math.floor(lowest / _STEP) * _STEP), 1.0)

    def _y(self, value: float, size: QSize) -> float:
        low, high = self._range()
        return _TOP + (high - value) / (high - low) * (size.height() - _TOP - _BOTTOM)

    def _pen(self, style: int) -> QPen:
        name = _COLOURS[style]
        color: QColor = self.theme.categorical[name] if name else self.theme.accent
        return QPen(color, 3 if not name else 2, _STYLES[style])

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the grid, the marked layer and the lines."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._lines:
            return
        self._draw_grid(painter, size)
        step = self._step(size)
        if self.mark >= 0:
            painter.setPen(QPen(self.theme.focus, 2))
            x = _LEFT + self.mark * step
            painter.drawLine(QPointF(x, _TOP), QPointF(x, size.height() - _BOTTOM))
        for line in self._lines:
            spots = [
                QPointF(_LEFT + layer * step, self._y(value, size))
                for layer, value in enumerate(line.values)
                if not math.isnan(value)
            ]
            painter.setPen(self._pen(line.style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF(spots))

    def _draw_grid(self, painter: QPainter, size: QSize) -> None:
        theme = self.theme
        low, high = self._range()
        painter.setFont(theme.font("label", tabular=True))
        steps = round((high - low) / _STEP)
        for n in range(steps + 1):
            value = low + (high - low) * n / steps
            y = round(self._y(value, size)) + 0.5  # in the middle of a pixel, not across two
            painter.setPen(QPen(theme.line, 1))
            painter.drawLine(QLineF(_LEFT, y, size.width() - _RIGHT, y))
            painter.setPen(theme.text3)
            box = QRectF(0, y - 8, _LEFT - 8, 16)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, align, formatting.decimal(value, 1))
        step = self._step(size)
        every = max(1, math.ceil(_NUMBER_ROOM / step))
        for layer in range(0, self.place_count(), every):
            box = QRectF(_LEFT + layer * step - 20, size.height() - _BOTTOM + 4, 40, 18)
            words = self.tr("start") if layer == 0 else str(layer)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
