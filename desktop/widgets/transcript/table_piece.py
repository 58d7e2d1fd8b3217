"""A table: cells of words, a head, hairlines below the rows."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF

from desktop.widgets.markdown.inline import LINE_BREAK, parse_inline
from desktop.widgets.transcript.pieces import draw_quotes, indent
from desktop.widgets.transcript.rich_text import Look, RichText, cut

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from desktop.widgets.markdown.parse import Block
    from desktop.widgets.theme import Theme
    from desktop.widgets.transcript.pieces import Selection

_ABOVE: Final = 6
_BELOW: Final = 7
_GUTTER: Final = 24
_LEAST: Final = 48.0


class TablePiece:
    """Cells laid out in columns; a cell that did not change is not laid out again."""

    def __init__(self, block: Block, theme: Theme) -> None:
        self.block = block
        self.height = self.width = 0.0
        self.length = 0
        self.changed_from = 0.0
        self._theme = theme
        self._cells: list[list[RichText]] = []
        self._naturals: list[list[float]] = []
        self._columns: list[float] = []
        self._tops: list[float] = []
        self._laid_for: list[float] = []
        self._indent = indent(block.containers)
        self._starts: list[int] = [0]
        self.update(block)

    def update(self, block: Block) -> None:
        """Show the same table with more rows, or a longer last one."""
        for index, row in enumerate(block.rows):
            is_old = index < len(self._cells)
            if is_old and index < len(self.block.rows) and self.block.rows[index] == row:
                continue
            aligns = (*block.aligns, *[""] * len(row))
            look = "small" if index == 0 else "body"
            cells = [
                RichText(
                    parse_inline(cell),
                    Look(
                        look,  # type: ignore[arg-type]  # one of two font roles
                        weight=600 if index == 0 else 0,
                        line=20,
                        tone="text2" if index == 0 else "text",
                        align=aligns[column],
                    ),
                    self._theme,
                )
                for column, cell in enumerate(row)
            ]
            del self._cells[index:], self._naturals[index:]
            self._cells.append(cells)
            self._naturals.append([cell.natural_width() for cell in cells])
        self.block = block
        lengths = [cell.length + 1 for row in self._cells for cell in row]
        self._starts = list(accumulate(lengths, initial=0))
        self.length = max(0, self._starts[-1] - 1)
        self._laid_for = []

    def lay_out(self, measure: float, widest: float) -> None:
        """Give each column its words' width if they fit, else a fair share."""
        count = max(1, len(self.block.rows[0])) if self.block.rows else 1
        wanted = [max((row[i] for row in self._naturals), default=0.0) + 1 for i in range(count)]
        gutters = _GUTTER * (count - 1) + self._indent
        total = sum(wanted) + gutters
        if total > measure:
            self.width = min(widest, total)
            columns = _shares(wanted, self.width - gutters)
        else:
            self.width = (
                measure if count > 3 else min(measure, max(total + 60 * count, measure * 0.65))
            )
            spare = (self.width - total) / count
            columns = [width + spare for width in wanted]
        self._place(columns)

    def _place(self, columns: list[float]) -> None:
        if columns != self._laid_for:
            for row in self._cells:
                for cell, width in zip(row, columns, strict=False):
                    cell.lay_out(width)
        self._laid_for = self._columns = columns
        heights = [
            max((cell.height for cell in row), default=20.0) + _ABOVE + _BELOW
            for row in self._cells
        ]
        self._tops = list(accumulate(heights, initial=0.0))
        self.height = self._tops[-1]

    def draw(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        """Paint the rows in sight."""
        self._theme = theme
        draw_quotes(painter, self.block.containers, self.height, theme)
        for index, row in enumerate(self._cells):
            top, bottom = self._tops[index], self._tops[index + 1]
            if bottom < clip.top() or top > clip.bottom():
                continue
            line = theme.line_strong if index == 0 else theme.line
            painter.fillRect(QRectF(self._indent, bottom - 1, self.width - self._indent, 1), line)
            for column, cell in enumerate(row):
                chosen = self._chosen(index, column, selection)
                at = QPointF(self._left(column), top + _ABOVE)
                cell.draw(painter, at, theme, chosen)

    def draw_caret(self, painter: QPainter, theme: Theme) -> None:
        """Paint the caret in the last cell that has words."""
        row = len(self._cells) - 1
        column = max((i for i, c in enumerate(self._cells[row]) if c.text), default=0)
        at = QPointF(self._left(column), self._tops[row] + _ABOVE)
        self._cells[row][column].draw_caret(painter, at, theme.accent)

    def position_at(self, x: float, y: float) -> int:
        """Return the place between characters nearest to a point."""
        row, column = self._cell_at(x, y)
        inside = self._cells[row][column].position_at(
            x - self._left(column), max(0.0, y - self._tops[row] - _ABOVE)
        )
        return self._start(row, column) + inside

    def link_at(self, x: float, y: float) -> str:
        """Return the address under a point, or an empty text."""
        row, column = self._cell_at(x, y)
        return self._cells[row][column].link_at(
            x - self._left(column), y - self._tops[row] - _ABOVE
        )

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        return tuple(link for row in self._cells for cell in row for link in cell.links())

    def raw(self) -> str:
        """Return the words of all cells, one a line."""
        return "\n".join(cell.text for row in self._cells for cell in row)

    def cut(self, start: int, end: int) -> str:
        """Return cells parted by tabs and rows by line ends."""
        rows = []
        for index, row in enumerate(self._cells):
            cells = []
            for column, cell in enumerate(row):
                chosen = self._chosen(index, column, (start, end))
                if chosen is not None:
                    cells.append(cut(cell.text, *chosen).replace(LINE_BREAK, " "))
            if cells:
                rows.append("\t".join(cells))
        return "\n".join(rows)

    def _cell_at(self, x: float, y: float) -> tuple[int, int]:
        rows = len(self._cells)
        row = next((i for i in range(rows) if y < self._tops[i + 1]), rows - 1)
        count = len(self._cells[row])
        lefts = [self._left(column) - _GUTTER / 2 for column in range(count)]
        column = max((i for i in range(count) if lefts[i] <= x), default=0)
        return row, column

    def _left(self, column: int) -> float:
        return self._indent + sum(self._columns[:column]) + _GUTTER * column

    def _start(self, row: int, column: int) -> int:
        return self._starts[sum(len(cells) for cells in self._cells[:row]) + column]

    def _chosen(self, row: int, column: int, selection: Selection | None) -> Selection | None:
        if selection is None:
            return None
        begin = self._start(row, column)
        start = max(0, selection[0] - begin)
        end = min(self._cells[row][column].length, selection[1] - begin)
        return (start, end) if start <= end and end >= 0 and selection[1] >= begin else None


def _shares(wanted: list[float], room: float) -> list[float]:
    """Part ``room`` so that narrow columns keep their width and wide ones share the rest."""
    left, shares = room, [0.0] * len(wanted)
    for place, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        fair = left / (len(wanted) - place)
        shares[index] = max(_LEAST, min(wanted[index], fair))
        left -= shares[index]
    return shares
