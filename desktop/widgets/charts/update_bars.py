"""How far each block moves the stream: a bar for attention, one for the feed-forward part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_ROW: Final = 26
_LEFT: Final = 58
_NUMBER: Final = 58
_BAR: Final = 9
_APART: Final = 16


class UpdateBars(Figure):
    """Places are layers; the last one stands at the top."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._layers: tuple[tuple[float, float, float], ...] = ()
        self._chosen: int | None = None

    def set_layers(self, layers: tuple[tuple[float, float, float], ...]) -> None:
        """Show lengths of what attention and MLP add, and of the stream, the first block first."""
        self._layers = layers[::-1]
        self.setMinimumHeight(len(layers) * _ROW + 4)
        self.refresh()

    def set_chosen(self, layer: int) -> None:
        """Keep the row of a layer lit, from 0; any other number = none."""
        self._chosen = layer
        self.update()

    def layer_of(self, place: int) -> int:
        """Return the layer of a row, from 0."""
        return len(self._layers) - 1 - place

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(480, len(self._layers) * _ROW + 4)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._layers:
            return self.tr("Nothing to show yet.")
        most = max(range(len(self._layers)), key=lambda row: sum(self._layers[row][:2]))
        attention, forward, _ = self._layers[most]
        part = self.tr("attention") if attention > forward else self.tr("the feed-forward part")
        return self.tr("Layer {0} moves the stream most, above all by {1}.").format(
            len(self._layers) - most, part
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        count = len(self._layers)
        rows = [
            (str(count - row), *(f"{value:.6g}" for value in layer))
            for row, layer in enumerate(self._layers)
        ]
        return (("layer", "attention", "feed-forward", "stream"), *rows)

    def place_count(self) -> int:
        """Return the number of layers."""
        return len(self._layers)

    def place_at(self, spot: QPoint) -> int:
        """Return the layer at a spot."""
        row = spot.y() // _ROW
        return row if 0 <= row < len(self._layers) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one layer."""
        told = (formatting.decimal(value, 2) for value in self._layers[place])
        return self.tr("Layer {0}: attention adds {1}, feed-forward {2}; the stream is {3}").format(
            len(self._layers) - place, *told
        )

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the rows."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = max((max(layer) for layer in self._layers), default=1.0) or 1.0
        font = theme.font("label", tabular=True)
        numbers = [formatting.decimal(stream, 1) for *_, stream in self._layers]
        metrics = QFontMetrics(font)
        widest = max(map(metrics.horizontalAdvance, numbers), default=0)
        room = max(_NUMBER, widest + _APART)
        scale = max(20, size.width() - _LEFT - room) / most
        for row, (attention, forward, stream) in enumerate(self._layers):
            top = row * _ROW
            is_chosen = self.layer_of(row) == self._chosen
            ground = QRectF(0, top, size.width(), _ROW)
            paint_row_ground(painter, self, ground, row, is_chosen=is_chosen)
            painter.setPen(Qt.PenStyle.NoPen)
            for offset, value, color in (
                (3, attention, theme.categorical["blue"]),
                (13, forward, theme.categorical["gold"]),
            ):
                painter.setBrush(color)
                painter.drawRoundedRect(
                    QRectF(_LEFT, top + offset, max(1.5, value * scale), _BAR), 2, 2
                )
            x = _LEFT + stream * scale
            painter.setPen(QPen(theme.text3, 2))
            painter.drawLine(round(x), top + 3, round(x), top + 22)
            painter.setFont(font)
            painter.setPen(theme.text3)
            words = self.tr("layer {0}").format(len(self._layers) - row)
            align = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(4, top, _LEFT - 8, _ROW), align, words)
            painter.drawText(
                QRectF(size.width() - room, top, room - 4, _ROW),
                align | Qt.AlignmentFlag.AlignRight,
                numbers[row],
            )
