"""Rows of words and numbers under heads; the chosen row stays lit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPainter

    from desktop.widgets.theme import Theme

_ROW: Final = 26
_NUMBER: Final = 104
_WORDS: Final = 220
_GAP: Final = 18
_NOTHING: Final = "-"

PlainRow: TypeAlias = "tuple[str, tuple[float | None, ...]]"
"""Words, and a number for each other column; none where there is nothing to tell."""


def whole(number: float) -> str:
    """Write a count."""
    return formatting.count(round(number))


class PlainTable(Figure):
    """Places are the rows. The first column is words and takes what the numbers leave.

    Where that is little, numbers take no more than they need.

    Args:
        theme: Colours.
        name: objectName.
        words: Accessible name.
        heads: One for each column.
        written: How the numbers of each column but the first are written for people.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        words: str,
        heads: tuple[str, ...],
        written: tuple[Callable[[float], str], ...],
    ) -> None:
        super().__init__(theme, name, words)
        self._heads, self._written = heads, written
        self._given: tuple[PlainRow, ...] = ()
        self._rows: tuple[tuple[str, ...], ...] = ()
        self._chosen = -1

    def set_heads(
        self, heads: tuple[str, ...], written: tuple[Callable[[float], str], ...]
    ) -> None:
        """Have other columns from now on, and no rows yet."""
        self._heads, self._written = heads, written
        self.set_rows(())

    def set_rows(self, rows: tuple[PlainRow, ...], chosen: int = -1) -> None:
        """Show other rows."""
        self._given, self._chosen = rows, chosen
        self._rows = tuple((words, *self._cells(numbers)) for words, numbers in rows)
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return what is shown."""
        return self._rows

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(420, (len(self._rows) + 1) * _ROW)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        told = "; ".join(self.place_words(place) for place in range(min(5, len(self._rows))))
        return told or self.tr("Nothing to show yet.")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers, as a spreadsheet reads them."""
        rows = [
            (words, *("" if number is None else f"{number:.8g}" for number in numbers))
            for words, numbers in self._given
        ]
        return (self._heads, *rows)

    def _cells(self, numbers: tuple[float | None, ...]) -> list[str]:
        return [
            _NOTHING if number is None else write(number)
            for write, number in zip(self._written, numbers, strict=True)
        ]

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = spot.y() // _ROW - 1
        return row if 0 <= row < len(self._rows) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        first, *rest = self._rows[place]
        heads = self._heads[1:]
        return ", ".join(
            [first, *(f"{head}: {cell}" for head, cell in zip(heads, rest, strict=True))]
        )

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        theme = self.theme
        painter.setFont(theme.font("label"))
        painter.setPen(theme.text3)
        columns = self._columns(size.width())
        self._draw_row(painter, 0, columns, self._heads)
        for row, cells in enumerate(self._rows, start=1):
            box = QRectF(0, row * _ROW, size.width(), _ROW)
            painter.setPen(theme.line)
            painter.drawLine(0, row * _ROW, size.width(), row * _ROW)
            paint_row_ground(painter, self, box, row - 1, is_chosen=row - 1 == self._chosen)
            painter.setFont(theme.font("small", tabular=True))
            painter.setPen(theme.text)
            self._draw_row(painter, row, columns, cells)

    def _columns(self, width: int) -> list[int]:
        """Return the width of each column."""
        head, cell = (QFontMetrics(self.theme.font(name)) for name in ("label", "small"))
        filled = zip(*self._rows, strict=True) if self._rows else [()] * len(self._heads)
        needed = [
            max(head.horizontalAdvance(name), *map(cell.horizontalAdvance, cells), 0) + _GAP
            for name, cells in list(zip(self._heads, filled, strict=True))[1:]
        ]
        numbers = [max(_NUMBER, room) for room in needed]
        if width - sum(numbers) < _WORDS:
            numbers = needed
        return [width - sum(numbers) - 8, *numbers]

    def _draw_row(
        self, painter: QPainter, row: int, columns: list[int], cells: tuple[str, ...]
    ) -> None:
        left = 4.0
        for place, (words, room) in enumerate(zip(cells, columns, strict=True)):
            side = Qt.AlignmentFlag.AlignRight if place else Qt.AlignmentFlag.AlignLeft
            fitted = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room - 6)
            box = QRectF(left, row * _ROW, room, _ROW)
            painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, fitted)
            left += room
