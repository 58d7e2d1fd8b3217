"""A block of code, painted line by line: only lines in sight are ever laid out."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen, QTextCharFormat, QTextLayout

from desktop.widgets.markdown.highlight import Colours, Recolouring, language_name
from desktop.widgets.transcript.pieces import draw_quotes, indent
from desktop.widgets.transcript.rich_text import Look, cut, line_x, text_option, units

if TYPE_CHECKING:
    from desktop.widgets.markdown.parse import Block
    from desktop.widgets.theme import Theme
    from desktop.widgets.transcript.pieces import Selection

BAR: Final = 32
PAD: Final = 14
_TOP: Final = 10
_BOTTOM: Final = 12
_SCROLL: Final = 8
FOLD_LINES: Final = 400
_FOLDED_LINES: Final = 40
_FOLD_ROW: Final = 34
_LONG: Final = 4_000  # characters of a line shown in one go; the rest goes to the next row
_KEPT: Final = 200


class CodePiece:
    """Code with a bar above it; folded when it is complete and very long.

    Attributes:
        scroll_x: How far the lines are pushed to the left, in pixels.
        is_folded: Whether only the first lines are shown.
    """

    def __init__(self, block: Block, theme: Theme, *, is_open: bool) -> None:
        self.block = block
        self.language = language_name(block.info)
        self.scroll_x = 0.0
        self.is_folded = False
        self.height = self.width = 0.0
        self.length = 0
        self.changed_from = 0.0
        self._theme = theme
        self._is_open = is_open
        self._rows: list[str] = []
        self._starts: list[int] = [0]
        self._widest = 0.0
        self._colours = Colours(block.info)
        self._layouts: OrderedDict[int, QTextLayout] = OrderedDict()
        self._indent = indent(block.containers)
        self._line = theme.line_height("code")
        self._take(block.text)

    def update(self, block: Block, *, is_open: bool) -> None:
        """Show the same code with more at its end; earlier lines are not touched."""
        self.block = block
        self._is_open = is_open
        self._take(block.text)

    def _take(self, text: str) -> None:
        rows = _rows(text)
        keep = max(0, len(self._rows) - 1)  # the last line may have grown
        self.changed_from = float(BAR + _TOP + keep * self._line) if keep else 0.0
        metrics = QFontMetricsF(self._theme.font("code"))
        for index in range(keep, len(rows)):
            self._widest = max(self._widest, metrics.horizontalAdvance(_expanded(rows[index])))
        self._layouts.pop(keep, None)
        self._rows = rows
        del self._starts[keep + 1 :]
        lengths = (units(row) + 1 for row in rows[keep:])
        self._starts.extend(list(accumulate(lengths, initial=self._starts[keep]))[1:])
        self.length = max(0, self._starts[-1] - 1)
        self._colours.grow(rows, len(rows) - 1 if self._is_open else len(rows))
        self.is_folded = self.is_folded or (not self._is_open and len(rows) > FOLD_LINES)

    def recolouring(self) -> Recolouring | None:
        """Return the exact pass that complete code still needs, if any."""
        if self._colours.is_exact or self._is_open:
            return None
        return Recolouring(self._colours, self.block.info, self._rows)

    def forget_layouts(self) -> None:
        """Paint lines anew, in other colours."""
        self._layouts.clear()

    # -- sizes ------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        """How many lines the code has."""
        return len(self._rows)

    @property
    def shown_lines(self) -> int:
        """How many lines are in sight when scrolled over."""
        return _FOLDED_LINES if self.is_folded else len(self._rows)

    @property
    def can_fold(self) -> bool:
        """Whether there is a row below that folds and unfolds."""
        return not self._is_open and len(self._rows) > FOLD_LINES

    @property
    def inner_width(self) -> float:
        """Width in pixels for the lines."""
        return self.width - self._indent - 2 * PAD

    @property
    def hidden_width(self) -> float:
        """How much of the longest line does not fit, in pixels."""
        return max(0.0, self._widest - self.inner_width)

    @property
    def box(self) -> QRectF:
        """The outlined ground."""
        return QRectF(self._indent, 0, self.width - self._indent, self.height)

    def lay_out(self, measure: float, widest: float) -> None:
        """Take the measure, or more where lines are longer and there is room."""
        wanted = self._widest + 2 * PAD + self._indent
        self.width = measure if wanted <= measure else min(widest, wanted)
        self.scroll_x = min(self.scroll_x, self.hidden_width)
        height = BAR + _TOP + self.shown_lines * self._line + _BOTTOM
        if self.hidden_width > 0:
            height += _SCROLL
        if self.can_fold:
            height += _FOLD_ROW
        self.height = float(height)

    # -- painting ---------------------------------------------------------------------------

    def draw(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        """Paint ground, bar and the lines in sight."""
        if theme is not self._theme:
            self._theme = theme
            self._layouts.clear()
        draw_quotes(painter, self.block.containers, self.height, theme)
        box = self.box.adjusted(0.5, 0.5, -0.5, -0.5)
        # Only corners in sight matter; the painter is slow with very tall shapes.
        box.setTop(max(box.top(), clip.top() - 50))
        box.setBottom(min(box.bottom(), clip.bottom() + 50))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.line, 1))
        painter.setBrush(theme.sunken)
        painter.drawRoundedRect(box, 8, 8)
        if clip.top() < BAR:
            painter.drawLine(QPointF(box.left(), BAR - 0.5), QPointF(box.right(), BAR - 0.5))
            self._draw_bar(painter, theme)
        painter.save()
        path = QPainterPath()
        path.addRect(self.box.adjusted(1, BAR, -1, -1))
        painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
        self._draw_lines(painter, clip, theme, selection)
        painter.restore()

    def _draw_bar(self, painter: QPainter, theme: Theme) -> None:
        painter.setFont(theme.font("small_medium"))
        painter.setPen(theme.text3)
        place = QRectF(self._indent + 13, 0, max(0.0, self.width - self._indent - 220), BAR)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(align), self.language)

    def _draw_lines(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        top = BAR + _TOP
        first = max(0, int((clip.top() - top) // self._line))
        last = min(self.shown_lines, int((clip.bottom() - top) // self._line) + 1)
        painter.setPen(theme.code_text)
        for index in range(first, last):
            at = QPointF(self._indent + PAD - self.scroll_x, top + index * self._line)
            ranges = []
            chosen = self._chosen(index, selection)
            if chosen is not None:
                part = QTextLayout.FormatRange()
                part.start, part.length = chosen
                part.format.setBackground(theme.selected)
                ranges.append(part)
            self._layout(index).draw(painter, at, ranges)

    def _chosen(self, index: int, selection: Selection | None) -> tuple[int, int] | None:
        if selection is None:
            return None
        start = max(selection[0] - self._starts[index], 0)
        end = min(selection[1] - self._starts[index], units(self._rows[index]))
        return (start, end - start) if start < end else None

    def draw_caret(self, painter: QPainter, theme: Theme) -> None:
        """Paint the caret behind the last line."""
        index = len(self._rows) - 1
        line = self._layout(index).lineAt(0)
        x = line_x(line, line.textLength()) + self._indent + PAD - self.scroll_x
        top = BAR + _TOP + index * self._line
        painter.fillRect(QRectF(x + 1, top + 2, 2, self._line - 4), theme.accent)

    def _layout(self, index: int) -> QTextLayout:
        found = self._layouts.get(index)
        if found is not None:
            self._layouts.move_to_end(index)
            return found
        font = self._theme.font("code")
        layout = QTextLayout(self._rows[index], font)
        option = text_option(Look("code", wraps=False))
        option.setTabStopDistance(4 * QFontMetricsF(font).horizontalAdvance(" "))
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        layout.setTextOption(option)
        layout.setFormats(self._ranges(index))
        metrics = QFontMetricsF(font)
        base = (self._line - metrics.height()) / 2 + metrics.ascent()
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(1e6)
        line.setPosition(QPointF(0, base - line.ascent()))
        layout.endLayout()
        self._layouts[index] = layout
        while len(self._layouts) > _KEPT:
            self._layouts.popitem(last=False)
        return layout

    def _ranges(self, index: int) -> list[QTextLayout.FormatRange]:
        colours = self._colours.lines
        ranges = []
        row = self._rows[index]
        for start, end, shade in colours[index] if index < len(colours) else ():
            style = QTextCharFormat()
            style.setForeground(getattr(self._theme, shade))
            part = QTextLayout.FormatRange()
            part.start = units(row[:start])
            part.length = units(row[start:end])
            part.format = style
            ranges.append(part)
        return ranges

    # -- places -----------------------------------------------------------------------------

    def position_at(self, x: float, y: float) -> int:
        """Return the place between characters nearest to a point."""
        row = int((y - BAR - _TOP) // self._line)
        if row < 0:
            return 0
        if row >= len(self._rows):
            return self.length
        line = self._layout(row).lineAt(0)
        inside = int(line.xToCursor(x - self._indent - PAD + self.scroll_x))
        return self._starts[row] + inside

    def link_at(self, x: float, y: float) -> str:
        """Return an empty text: addresses in code stay text."""
        del x, y
        return ""

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        return ()

    def row_of(self, place: int) -> int:
        """Return the line a place is on, from 0."""
        return min(len(self._rows) - 1, bisect_right(self._starts, place) - 1)

    def raw(self) -> str:
        """Return the code as its lines are shown."""
        return "\n".join(self._rows)

    def cut(self, start: int, end: int) -> str:
        """Return a part of the code."""
        if len(self._rows) == self.block.text.count("\n") + 1:
            return cut(self.block.text, start, end)
        return cut(self.raw(), start, end)


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    if len(text) <= _LONG or max(map(len, rows)) <= _LONG:
        return rows
    return [
        row[start : start + _LONG] for row in rows for start in range(0, max(1, len(row)), _LONG)
    ]


def _expanded(row: str) -> str:
    return row.replace("\t", "    ") if "\t" in row else row
