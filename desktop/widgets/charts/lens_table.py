"""What each layer would say next: a row for each block, its likeliest tokens from the left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.colour_map import colour_of, ink_on
from desktop.widgets.charts.grid_figure import GridFigure
from desktop.widgets.charts.pieces import shown, spoken, written

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import Candidate

_ROW: Final = 26
_LEFT: Final = 58
_GAP: Final = 2


class LensTable(GridFigure):
    """Places are cells, row by row; the last layer stands at the top."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._layers: tuple[tuple[Candidate, ...], ...] = ()
        self._here: int | None = None

    def set_layers(self, layers: tuple[tuple[Candidate, ...], ...], here: int | None) -> None:
        """Show candidates of each block, the first block first; ``here`` is the id in the text."""
        self._layers, self._here = layers[::-1], here
        self.setMinimumHeight(len(layers) * _ROW + 4)
        self.refresh()

    def decided(self) -> int | None:
        """Return from which block on (from 1) the last one's choice leads without a break."""
        if not self._layers:
            return None
        choice = self._layers[0][0].id
        leads = 0
        for layer in self._layers:
            if layer[0].id != choice:
                break
            leads += 1
        return len(self._layers) - leads + 1

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(480, len(self._layers) * _ROW + 4)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        first = self.decided()
        if first is None:
            return self.tr("Nothing to show yet.")
        word = spoken(self._layers[0][0])
        if first == 1:
            return self.tr("“{0}” leads from the first layer on.").format(word)
        before = spoken(self._layers[len(self._layers) - first + 1][0])
        return self.tr("“{0}” leads from layer {1} on; before that it would be “{2}”.").format(
            word, first, before
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (str(number), str(rank + 1), str(one.id), written(one), f"{one.chance:.8g}")
            for number, layer in self._numbered()
            for rank, one in enumerate(layer)
        ]
        return (("layer", "rank", "id", "token", "chance"), *rows)

    def _numbered(self) -> list[tuple[int, tuple[Candidate, ...]]]:
        count = len(self._layers)
        return [(count - row, layer) for row, layer in enumerate(self._layers)]

    def _columns(self) -> int:
        return max((len(layer) for layer in self._layers), default=1) or 1

    def place_count(self) -> int:
        """Return the number of cells."""
        return len(self._layers) * self._columns()

    def place_words(self, place: int) -> str:
        """Return what is said of one cell."""
        row, rank = divmod(place, self._columns())
        number, layer = self._numbered()[row]
        one = layer[min(rank, len(layer) - 1)]
        return self.tr("After layer {0}: “{1}” {2}").format(
            number, spoken(one), formatting.chance(one.chance)
        )

    def place_at(self, spot: QPoint) -> int:
        """Return the cell at a spot."""
        width = (self.width() - _LEFT) / self._columns()
        row, rank = spot.y() // _ROW, int((spot.x() - _LEFT) // width)
        inside = 0 <= row < len(self._layers) and 0 <= rank < self._columns()
        return row * self._columns() + rank if inside else -1

    def _box(self, place: int) -> QRectF:
        row, rank = divmod(place, self._columns())
        width = (self.width() - _LEFT) / self._columns()
        return QRectF(_LEFT + rank * width, row * _ROW, width - _GAP, _ROW - _GAP)

    def place_rect(self, place: int) -> QRect:
        """Return what changes its looks with one cell that is marked."""
        return self._box(place).toAlignedRect()

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the rows."""
        del size
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        columns, exposed = self._columns(), self.exposed()
        for row, (number, layer) in enumerate(self._numbered()):
            top = row * _ROW
            painter.setFont(theme.font("label", tabular=True))
            painter.setPen(theme.text3)
            align = Qt.AlignmentFlag.AlignVCenter
            words = self.tr("layer {0}").format(number)
            painter.drawText(QRectF(4, top, _LEFT - 8, _ROW), align, words)
            for rank, one in enumerate(layer):
                box = self._box(row * columns + rank)
                if not box.intersects(exposed):
                    continue
                self._draw_cell(painter, box, one)
                if row * columns + rank == self.mark:
                    painter.setPen(QPen(theme.focus, 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)

    def _draw_cell(self, painter: QPainter, box: QRectF, one: Candidate) -> None:
        theme = self.theme
        ground = colour_of(theme, one.chance * 0.8)
        is_here = one.id == self._here
        painter.setPen(QPen(theme.accent_text, 2) if is_here else Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1) if is_here else box, 4, 4)
        ink = ink_on(ground, theme)
        painter.setFont(theme.font("code_small", bold=is_here))
        painter.setPen(ink)
        share = formatting.chance(one.chance)
        painter.setFont(theme.font("label", tabular=True))
        room = painter.fontMetrics().horizontalAdvance(share) + 8
        painter.drawText(
            box.adjusted(0, 0, -6, 0),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            share,
        )
        painter.setFont(theme.font("code_small", bold=is_here))
        words = painter.fontMetrics().elidedText(
            shown(one), Qt.TextElideMode.ElideRight, max(8, round(box.width()) - room - 8)
        )
        painter.drawText(box.adjusted(7, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
