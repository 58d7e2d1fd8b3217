"""The pieces a message is painted from: words, rules; and what all pieces can do.

A piece lays itself out once for a width and paints itself; it is no widget. Positions in it count
UTF-16 units, as Qt does. See ``code_piece`` and ``table_piece`` for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from desktop.widgets.markdown.inline import LINE_BREAK, parse_inline
from desktop.widgets.transcript.rich_text import Look, RichText, cut, plain_runs, units

if TYPE_CHECKING:
    from desktop.widgets.markdown.parse import Block, Container
    from desktop.widgets.theme import Theme

Selection = tuple[int, int]
_QUOTE_INDENT: Final = 18
_ITEM_INDENT: Final = 26
_GAPS: Final = {"paragraph": 12, "heading": 22, "code": 14, "table": 12, "rule": 16, "plain": 0}


class Piece(Protocol):
    """One block as laid out for painting.

    Attributes:
        block: What it shows.
        height: In pixels, known after ``lay_out``.
        width: In pixels, known after ``lay_out``; at most ``widest``.
        length: Characters that can be chosen.
        changed_from: From which height on it looks different since it was last shown.
    """

    block: Block
    height: float
    width: float
    length: int
    changed_from: float

    def lay_out(self, measure: float, widest: float) -> None:
        """Fit into ``measure`` pixels; code and tables may take up to ``widest``."""
        ...

    def draw(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        """Paint at the origin; nothing outside ``clip`` is needed."""
        ...

    def draw_caret(self, painter: QPainter, theme: Theme) -> None:
        """Paint the mark behind the last character that text is still coming."""
        ...

    def position_at(self, x: float, y: float) -> int:
        """Return the place between characters nearest to a point."""
        ...

    def link_at(self, x: float, y: float) -> str:
        """Return the address under a point, or an empty text."""
        ...

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        ...

    def raw(self) -> str:
        """Return the characters that places count."""
        ...

    def cut(self, start: int, end: int) -> str:
        """Return the characters from ``start`` to ``end`` as they are copied."""
        ...


class TextPiece:
    """A paragraph, heading, list item or line of plain text."""

    def __init__(self, block: Block, theme: Theme) -> None:
        self.block = block
        self.changed_from = 0.0
        self._look = _look(block, theme)
        runs = plain_runs(block.text) if block.kind == "plain" else parse_inline(block.text)
        self._text = RichText(runs, self._look, theme)
        self.length = self._text.length
        self.height = self.width = 0.0
        self._indent = indent(block.containers)

    def note_change(self, before: TextPiece) -> None:
        """Find out what looks different from an earlier state of the same words."""
        if self.block.containers == before.block.containers and self._look == before._look:
            self.changed_from = self._text.same_height(before._text)

    def raw(self) -> str:
        """Return the words."""
        return self._text.text

    @property
    def used_width(self) -> float:
        """Width of the longest line in pixels."""
        return self._indent + self._text.used_width

    def lay_out(self, measure: float, widest: float) -> None:
        """Fit into ``measure`` pixels."""
        del widest  # words never get wider than the measure
        self.width = measure
        self.height = self._text.lay_out(max(40.0, measure - self._indent))

    def draw(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        """Paint the words, bars of quotes and the bullet or number."""
        del clip  # a piece is at most some twenty lines
        draw_quotes(painter, self.block.containers, self.height, theme)
        self._draw_marker(painter, theme)
        tint = units(self.block.text[: self.block.lead]) if self.block.kind == "plain" else -1
        self._text.draw(painter, QPointF(self._indent, 0), theme, selection, tint)

    def _draw_marker(self, painter: QPainter, theme: Theme) -> None:
        x = 0.0
        for box in self.block.containers:
            step = _step(box)
            if box.first and box.kind == "bullet":
                middle = self._text.line_height / 2
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.text3)
                painter.drawEllipse(QPointF(x + step - 15, middle), 2.5, 2.5)
            elif box.first and box.kind == "number":
                painter.setFont(theme.font("reading", tabular=True))
                painter.setPen(theme.text2)
                place = QRectF(x, 0, step - 7, self._text.line_height)
                align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(place, int(align), f"{box.number}.")
            x += step

    def draw_caret(self, painter: QPainter, theme: Theme) -> None:
        """Paint the caret behind the last word."""
        self._text.draw_caret(painter, QPointF(self._indent, 0), theme.accent)

    def position_at(self, x: float, y: float) -> int:
        """Return the place between characters nearest to a point."""
        return self._text.position_at(x - self._indent, y)

    def link_at(self, x: float, y: float) -> str:
        """Return the address under a point, or an empty text."""
        return self._text.link_at(x - self._indent, y)

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        return self._text.links()

    def cut(self, start: int, end: int) -> str:
        """Return a part of the words; from the start with its bullet or number."""
        words = cut(self._text.text, start, end).replace(LINE_BREAK, "\n")
        return (marker(self.block.containers) + words) if start == 0 else words


class RulePiece:
    """A line between parts."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.height, self.width, self.length = 1.0, 0.0, 0
        self.changed_from = 0.0

    def lay_out(self, measure: float, widest: float) -> None:
        """Be as wide as the measure."""
        del widest
        self.width = measure

    def draw(
        self, painter: QPainter, clip: QRectF, theme: Theme, selection: Selection | None
    ) -> None:
        """Paint a hairline."""
        del clip, selection
        painter.fillRect(QRectF(0, 0, self.width, 1), theme.line_strong)

    def draw_caret(self, painter: QPainter, theme: Theme) -> None:
        """Do nothing: words go on in a piece of their own."""

    def position_at(self, x: float, y: float) -> int:
        """Return 0."""
        del x, y
        return 0

    def link_at(self, x: float, y: float) -> str:
        """Return an empty text."""
        del x, y
        return ""

    def links(self) -> tuple[str, ...]:
        """Return the addresses in it, in order."""
        return ()

    def raw(self) -> str:
        """Return an empty text."""
        return ""

    def cut(self, start: int, end: int) -> str:
        """Return what stands for a rule in plain text."""
        del start, end
        return "---"


def _step(box: Container) -> float:
    if box.kind == "quote":
        return _QUOTE_INDENT
    return _ITEM_INDENT + (9 * max(0, len(str(box.number)) - 2) if box.kind == "number" else 0)


def indent(containers: tuple[Container, ...]) -> float:
    """Return how far lists and quotes push a block to the right, in pixels."""
    return sum(map(_step, containers))


def marker(containers: tuple[Container, ...]) -> str:
    """Return bullet or number as plain text, indented."""
    depth = sum(box.kind != "quote" for box in containers)
    quote = "> " * sum(box.kind == "quote" for box in containers)
    space = "  " * max(0, depth - 1)
    firsts = [box for box in containers if box.first and box.kind != "quote"]
    if firsts:
        box = firsts[-1]
        return quote + space + ("- " if box.kind == "bullet" else f"{box.number}. ")
    return quote + (space + "  " if depth else "")


def draw_quotes(
    painter: QPainter, containers: tuple[Container, ...], height: float, theme: Theme
) -> None:
    """Paint the bars at the left of quotes."""
    x = 0.0
    for box in containers:
        if box.kind == "quote":
            painter.fillRect(QRectF(x, 0, 2, height), theme.line_strong)
        x += _step(box)


def gap_between(before: Block, after: Block) -> float:
    """Return the space between two blocks that follow each other, in pixels."""
    if after.joined or after.kind == "plain":
        return 0.0
    if before.containers and after.containers:
        same = before.containers[0].kind == after.containers[0].kind
        words = {before.kind, after.kind} <= {"paragraph"}
        if same and words:
            quoted = after.containers[-1].kind == "quote"
            return 12.0 if quoted else 6.0 if after.containers[-1].first else 8.0
    if before.kind == "heading":
        return 8.0
    return float(max(_GAPS[before.kind], _GAPS[after.kind]))


def _look(block: Block, theme: Theme) -> Look:
    if block.kind == "plain":
        return Look("notebook" if block.level else "reading")
    if block.kind != "heading":
        quoted = any(box.kind == "quote" for box in block.containers)
        return Look("reading", tone="text2" if quoted else "text")
    scale = theme.reading_px / 16
    px, line = {1: (20, 28), 2: (18, 26)}.get(block.level, (16, 26))
    return Look("reading", weight=600, px=round(px * scale), line=round(line * scale))


def advance(text: str, theme: Theme) -> float:
    """Return the width of one line of code in pixels, without laying it out."""
    return QFontMetricsF(theme.font("code")).horizontalAdvance(text)
