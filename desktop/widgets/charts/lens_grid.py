"""What each layer would say along a text: rows are layers, columns places, each with one token."""

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
    from inference.types import Candidate, TokenPiece

_ROW: Final = 26
_LEFT: Final = 58
_TOP: Final = 24
_GAP: Final = 2


class LensGrid(GridFigure):
    """Places are cells, row by row; the last layer stands at the top."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._layers: tuple[tuple[Candidate, ...], ...] = ()
        self._read: tuple[TokenPiece, ...] = ()
        self._next: tuple[int | None, ...] = ()

    def set_layers(
        self,
        layers: tuple[tuple[Candidate, ...], ...],
        read: tuple[TokenPiece, ...],
        following: tuple[int | None, ...],
    ) -> None:
        """Show for each block the likeliest token after each place, the first block first.

        Args:
            layers: One candidate for each place.
            read: The token read at each place.
            following: The id that follows in the text; ``None`` = nothing does.
        """
        self._layers, self._read, self._next = layers[::-1], read, following
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(480, len(self._layers) * _ROW + _TOP + 4)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._layers:
            return self.tr("Nothing to show yet.")
        told = [n for n, token in enumerate(self._next) if token is not None]
        right = sum(self._layers[0][n].id == self._next[n] for n in told)
        return self.tr("The last layer would say {0} of the {1} tokens that follow here.").format(
            right, len(told)
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (
                str(len(self._layers) - row),
                written(self._read[place]),
                str(one.id),
                written(one),
                f"{one.chance:.8g}",
            )
            for row, layer in enumerate(self._layers)
            for place, one in enumerate(layer)
        ]
        return (("layer", "after", "id", "token", "chance"), *rows)

    def _columns(self) -> int:
        return max(1, len(self._read))

    def place_count(self) -> int:
        """Return the number of cells."""
        return len(self._layers) * len(self._read)

    def place_words(self, place: int) -> str:
        """Return what is said of one cell."""
        row, column = divmod(place, self._columns())
        one = self._layers[row][column]
        return self.tr("After “{0}” layer {1} would say “{2}”, {3}").format(
            spoken(self._read[column]),
            len(self._layers) - row,
            spoken(one),
            formatting.chance(one.chance),
        )

    def place_at(self, spot: QPoint) -> int:
        """Return the cell at a spot."""
        width = (self.width() - _LEFT) / self._columns()
        row, column = (spot.y() - _TOP) // _ROW, int((spot.x() - _LEFT) // width)
        inside = 0 <= row < len(self._layers) and 0 <= column < len(self._read)
        return row * self._columns() + column if inside else -1

    def _box(self, place: int) -> QRectF:
        row, column = divmod(place, self._columns())
        width = (self.width() - _LEFT) / self._columns()
        return QRectF(_LEFT + column * width, _TOP + row * _ROW, width - _GAP, _ROW - _GAP)

    def place_rect(self, place: int) -> QRect:
        """Return what changes its looks with one cell that is marked."""
        return self._box(place).toAlignedRect()

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = (size.width() - _LEFT) / self._columns()
        align = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("code_small"))
        painter.setPen(theme.text2)
        for column, word in enumerate(self._read):
            box = QRectF(_LEFT + column * width + 6, 0, width - 12, _TOP)
            painter.drawText(box, align, self._fitted(painter, word, box.width()))
        exposed = self.exposed()
        for row, layer in enumerate(self._layers):
            top = _TOP + row * _ROW
            painter.setFont(theme.font("label", tabular=True))
            painter.setPen(theme.text3)
            words = self.tr("layer {0}").format(len(self._layers) - row)
            painter.drawText(QRectF(4, top, _LEFT - 8, _ROW), align, words)
            for column, one in enumerate(layer):
                box = self._box(row * self._columns() + column)
                if not box.intersects(exposed):
                    continue
                self._draw_cell(painter, box, one, is_right=one.id == self._next[column])
                if row * self._columns() + column == self.mark:
                    painter.setPen(QPen(theme.focus, 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)

    def _draw_cell(self, painter: QPainter, box: QRectF, one: Candidate, *, is_right: bool) -> None:
        theme = self.theme
        ground = colour_of(theme, one.chance * 0.8)
        painter.setPen(QPen(theme.accent_text, 2) if is_right else Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1) if is_right else box, 4, 4)
        painter.setFont(theme.font("code_small", bold=is_right))
        painter.setPen(ink_on(ground, theme))
        place = box.adjusted(6, 0, -6, 0)
        words = self._fitted(painter, one, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    @staticmethod
    def _fitted(painter: QPainter, word: TokenPiece, width: float) -> str:
        return painter.fontMetrics().elidedText(
            shown(word), Qt.TextElideMode.ElideRight, max(8, round(width))
        )
