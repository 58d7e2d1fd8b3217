"""The pieces of one message one below the other, kept in step with a stream of blocks.

A finished block's piece is never laid out again unless the width changes. Knows no widget.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from desktop.widgets.transcript.code_piece import CodePiece
from desktop.widgets.transcript.pieces import RulePiece, TextPiece, gap_between
from desktop.widgets.transcript.table_piece import TablePiece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop.widgets.markdown.blocks import Stream
    from desktop.widgets.markdown.parse import Block
    from desktop.widgets.theme import Theme
    from desktop.widgets.transcript.pieces import Piece

Place = tuple[int, int]  # piece, place in it


class Flow:
    """A column of pieces.

    Args:
        stream: Where the blocks come from.
        theme: Fonts and colours for new pieces.

    Attributes:
        settled: How many pieces show finished blocks.
    """

    def __init__(self, stream: Stream, theme: Theme) -> None:
        self.stream = stream
        self.theme = theme
        self.pieces: list[Piece] = []
        self.tops: list[float] = []
        self.height = 0.0
        self.settled = 0
        self._measure = 0.0
        self._widest = 0.0

    def set_width(self, measure: float, widest: float) -> bool:
        """Lay everything out for another width; ``False`` where it is the same."""
        if (measure, widest) == (self._measure, self._widest):
            return False
        self._measure, self._widest = measure, widest
        for piece in self.pieces:
            piece.lay_out(measure, widest)
        self._place(0)
        return True

    def set_theme(self, theme: Theme) -> None:
        """Take other colours; other sizes of type need new pieces."""
        same_type = (theme.reading_px, theme.measure_px) == (
            self.theme.reading_px,
            self.theme.measure_px,
        )
        self.theme = theme
        if not same_type:
            self.pieces, self.tops, self.settled = [], [], 0
            self.refresh()

    def refresh(self) -> float:
        """Show what the stream holds now.

        Returns:
            From which height on the flow looks different, in pixels.
        """
        first = self.settled
        blocks = [*self.stream.finished[first:], *self.stream.open]
        settled = len(self.stream.finished)
        before = self.tops[first : first + 1], self._shape(first)
        for index, block in enumerate(blocks, first):
            self._renew(index, block, is_open=index >= settled)
        del self.pieces[first + len(blocks) :]
        self.settled = settled
        self._place(first)
        if first >= len(self.pieces):
            return self.tops[-1] if self.tops else 0.0
        same_shape = before == (self.tops[first : first + 1], self._shape(first))
        return self.tops[first] + (self.pieces[first].changed_from if same_shape else 0.0)

    def _shape(self, index: int) -> tuple[float, float] | None:
        """What must stay the same for the top of a piece to stay as it is painted."""
        if index >= len(self.pieces):
            return None
        return self.pieces[index].width, self.x_of(index)

    def _renew(self, index: int, block: Block, *, is_open: bool) -> None:
        """Make the piece at ``index`` show ``block``."""
        old = self.pieces[index] if index < len(self.pieces) else None
        if isinstance(old, CodePiece) and _goes_on(old.block, block):
            old.update(block, is_open=is_open)
            piece: Piece = old
        elif isinstance(old, TablePiece) and block.kind == "table":
            old.update(block)
            piece = old
        elif old is not None and old.block == block:
            old.changed_from = old.height
            return
        else:
            piece = self._make(block, is_open=is_open)
            if isinstance(piece, TextPiece) and isinstance(old, TextPiece):
                piece.note_change(old)
        if self._measure:
            piece.lay_out(self._measure, self._widest)
        self.pieces[index : index + 1] = [piece]

    def _make(self, block: Block, *, is_open: bool) -> Piece:
        if block.kind == "code":
            return CodePiece(block, self.theme, is_open=is_open)
        if block.kind == "table":
            return TablePiece(block, self.theme)
        if block.kind == "rule":
            return RulePiece(block)
        return TextPiece(block, self.theme)

    def relay(self, index: int) -> None:
        """Lay one piece out again, as after folding."""
        self.pieces[index].lay_out(self._measure, self._widest)
        self._place(index)

    def _place(self, first: int) -> None:
        del self.tops[first:]
        for index in range(first, len(self.pieces)):
            piece = self.pieces[index]
            if index == 0:
                self.tops.append(0.0)
                continue
            before = self.pieces[index - 1]
            gap = gap_between(before.block, piece.block)
            self.tops.append(self.tops[-1] + before.height + gap)
        self.height = self.tops[-1] + self.pieces[-1].height if self.pieces else 0.0

    # -- places -----------------------------------------------------------------------------

    def between(self, top: float, bottom: float) -> Iterator[int]:
        """Give the pieces that lie at least partly between two heights."""
        index = max(0, bisect_right(self.tops, top) - 1)
        while index < len(self.pieces) and self.tops[index] <= bottom:
            if self.tops[index] + self.pieces[index].height >= top:
                yield index
            index += 1

    def used_width(self) -> float:
        """Return how wide the widest line of words is, in pixels."""
        texts = (piece for piece in self.pieces if isinstance(piece, TextPiece))
        return max((piece.used_width for piece in texts), default=0.0)

    @property
    def left(self) -> float:
        """Where the measure begins within the widest width."""
        return (self._widest - self._measure) / 2

    def x_of(self, index: int) -> float:
        """Return where a piece begins; wide ones are centred over the measure."""
        piece = self.pieces[index]
        return self.left - max(0.0, piece.width - self._measure) / 2

    def place_at(self, x: float, y: float) -> Place:
        """Return the place between characters nearest to a point."""
        if not self.pieces:
            return (0, 0)
        index = max(0, bisect_right(self.tops, y) - 1)
        piece = self.pieces[index]
        return index, piece.position_at(x - self.x_of(index), y - self.tops[index])

    def link_at(self, x: float, y: float) -> str:
        """Return the address under a point, or an empty text."""
        for index in self.between(y, y):
            return self.pieces[index].link_at(x - self.x_of(index), y - self.tops[index])
        return ""

    def links(self) -> tuple[str, ...]:
        """Return the addresses in the text, each once, in order."""
        return tuple(dict.fromkeys(link for piece in self.pieces for link in piece.links()))

    def end(self) -> Place:
        """Return the place behind the last character."""
        return (len(self.pieces) - 1, self.pieces[-1].length) if self.pieces else (0, 0)

    def chosen(self, index: int, start: Place, end: Place) -> tuple[int, int] | None:
        """Return which characters of a piece lie between two places."""
        if not start[0] <= index <= end[0]:
            return None
        first = start[1] if index == start[0] else 0
        last = end[1] if index == end[0] else self.pieces[index].length
        return (first, last) if first <= last else None

    def cut(self, start: Place, end: Place) -> str:
        """Return the text between two places as it is copied."""
        parts: list[str] = []
        for index in range(start[0], min(end[0] + 1, len(self.pieces))):
            span = self.chosen(index, start, end)
            if span is None:
                continue
            piece = self.pieces[index]
            if parts:
                parts.append(_between(self.pieces[index - 1].block, piece.block))
            parts.append(piece.cut(*span))
        return "".join(parts)


def _goes_on(before: Block, after: Block) -> bool:
    return (
        after.kind == "code"
        and after.info == before.info
        and after.containers == before.containers
        and after.text.startswith(before.text)
    )


def _between(before: Block, after: Block) -> str:
    """Return what parts two blocks in copied text."""
    if before.kind == "plain":
        return "" if after.joined else "\n"
    if after.joined:
        return " "
    is_list = bool(before.containers and after.containers)
    return "\n" if is_list and gap_between(before, after) < 10 else "\n\n"
