"""Cuts text that grows at its end into finished blocks and the open end.

A finished block never changes again, so nothing about it is parsed or laid out twice. What an
append costs depends on the open block only, and that stays small: paragraphs are cut after
``CUT_CHARS`` characters, lists are finished item by item, quotes block by block, code and tables
grow by lines. Knows no widget.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from desktop.widgets.markdown.inline import is_closed
from desktop.widgets.markdown.parse import Block, block_parser, first_line, flatten, tops

if TYPE_CHECKING:
    from markdown_it.token import Token

CUT_CHARS: Final = 2_000
# The end of a sentence; Chinese and Japanese put no space behind it.
_SENTENCE: Final = re.compile(r"""[.!?:;\u2026]["')\]\u201d\u2019]*\s|[\u3002\uff01\uff1f]""")
# The beginning of a line that may still become a marker: shown once it is clear what it is.
_UNDECIDED: Final = re.compile(r"^[ \t]*(?:[-=*_+#>`~|: \t]*|\d{1,9}[.)]?[ \t]*)$")


class Stream(Protocol):
    """What a message body shows: blocks that stay, and the end that may still change."""

    finished: list[Block]

    @property
    def open(self) -> tuple[Block, ...]:
        """The blocks at the end, which may still change."""
        ...

    def append(self, text: str) -> None:
        """Add text at the end."""
        ...

    def close(self) -> None:
        """Say that no text will come any more."""
        ...


class BlockStream:
    """Markdown that grows; see the module's docstring.

    Args:
        cut_chars: Where a long paragraph is cut, in characters.
    """

    def __init__(self, cut_chars: int = CUT_CHARS) -> None:
        self.finished: list[Block] = []
        self._cut_chars = cut_chars
        self._lines: list[str] = []  # complete lines of the open block
        self._size = 0  # characters in them, line ends included
        self._partial = ""
        self._held_return = False  # a "\r" at the end may be half of a line end
        self._before = ""  # stands for what was cut off in front: "x " or "x\n"
        self._prose = False  # the open block can only be a paragraph (or end as something else)
        self._judged = False  # it grew past the limit and is no paragraph
        self._number: int | None = None  # of the open list item, where items before are finished
        self._fence: tuple[str, re.Pattern[str]] | None = None  # info, closing line
        self._table: tuple[str, str] | None = None  # head and delimiter lines
        self._rows: list[tuple[str, ...]] = []
        self._aligns: tuple[str, ...] = ()
        self._closed = False

    def append(self, text: str) -> None:
        """Add text at the end; half a line end or half a marker may come later."""
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        if self._held_return:
            text = text[:-1]
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        *complete, rest = text.split("\n")
        for line in complete:
            self._grow(line)
            self._end_line()
        self._grow(rest)

    def close(self) -> None:
        """Finish the open blocks."""
        if self._closed:
            return
        if self._held_return:
            self._held_return = False
            self._end_line()
        if self._partial:
            self._end_line()
        self.finished.extend(self.open)
        self._lines, self._fence, self._table, self._rows = [], None, None, []
        self._closed = True

    @property
    def open(self) -> tuple[Block, ...]:
        """The blocks at the end, which may still change."""
        partial = self._partial
        if self._closed:
            return ()
        if self._fence:
            lines = self._lines
            if partial and not _could_close(partial, self._fence[1]):
                lines = [*lines, partial]
            return (Block("code", "\n".join(lines).rstrip("\n"), info=self._fence[0]),)
        if self._table:
            row = self._row(partial, self._table) if partial.strip() else None
            return (self._table_block((row,) if row else ()),)
        if _UNDECIDED.match(partial):
            partial = ""
        if not self._lines and not partial:
            return ()
        if self._prose and (not partial or partial[0].isalpha()):
            lines = [*self._lines, partial] if partial else self._lines
            return (self._paragraph("\n".join(lines)),)
        return tuple(self._blocks(self._parse([*self._lines, partial])))

    # -- growing ----------------------------------------------------------------------------

    def _grow(self, text: str) -> None:
        """Take text without a line end; cut the paragraph each time it passes the limit."""
        self._partial += text
        if not self._lines and not self._before and not (self._fence or self._table):
            self._prose = self._partial[:1].isalpha()
        while (
            not (self._fence or self._table or self._judged)
            and self._size + len(self._partial) > self._cut_chars
        ):
            region = "\n".join([*self._lines, self._partial])
            head = region[: self._cut_chars + 1]
            end = _cut_at(head) if self._is_paragraph(head) else 0
            if not end:
                self._judged = True
                return
            self._cut(region, end)

    def _is_paragraph(self, source: str) -> bool:
        if self._prose and self._partial[:1].isalpha():
            return True
        tokens = self._parse(source.split("\n"))
        return len(tops(tokens)) == 1 and tokens[0].type == "paragraph_open"

    def _cut(self, region: str, end: int) -> None:
        self.finished.append(self._paragraph(region[:end]))
        *lines, partial = region[end:].split("\n")
        self._lines, self._partial = lines, partial
        self._size = sum(map(len, lines)) + len(lines)
        # What goes on in mid-line must not be taken for the beginning of a line.
        self._before = "x\n" if region[end - 1] == "\n" else "x "
        self._prose = True

    def _end_line(self) -> None:
        line, self._partial = self._partial, ""
        if self._fence:
            self._end_code_line(line, self._fence)
        elif self._table:
            self._end_row(line, self._table)
        else:
            self._take(line)

    def _take(self, line: str) -> None:
        """Add a complete line to the open block, and finish what it completes."""
        starts = not self._lines and not self._before
        if starts and not line.strip():
            return
        if self._prose and (not line.strip()):
            self._finish([self._paragraph("\n".join(self._lines))] if self._lines else [])
            return
        self._lines.append(line)
        self._size += len(line) + 1
        if line[:1].isalpha() and (starts or self._prose):
            self._prose = True
            return
        self._settle()

    def _finish(self, blocks: list[Block], rest: list[str] | None = None) -> None:
        self.finished.extend(blocks)
        self._lines = rest or []
        self._size = sum(map(len, self._lines)) + len(self._lines)
        self._prose = self._judged = False
        self._before, self._number = "", None

    # -- block structure --------------------------------------------------------------------

    def _parse(self, lines: list[str]) -> list[Token]:
        """Parse lines of the open block; a cut paragraph gets a word in front to go on from."""
        return block_parser().parse(self._before + "\n".join(lines))

    def _blocks(self, tokens: list[Token]) -> list[Block]:
        blocks = list(flatten(tokens, self._number))
        if not self._before or not blocks:
            return blocks
        first = blocks[0]
        text = first.text.removeprefix("x").lstrip()
        rows = first.rows
        if rows:
            rows = ((rows[0][0].removeprefix("x").lstrip(), *rows[0][1:]), *rows[1:])
        blocks[0] = replace(first, text=text, rows=rows, joined=True)
        return blocks if text or rows else blocks[1:]

    def _paragraph(self, source: str) -> Block:
        return Block("paragraph", source.strip(), joined=bool(self._before))

    def _settle(self) -> None:
        """Finish every block but the last, and what is certain of the last."""
        tokens = self._parse(self._lines)
        spans = tops(tokens)
        if not spans:
            self._finish([])
            return
        if len(spans) > 1:
            start, _ = spans[-1]
            rest = self._lines[first_line(tokens[start]) - self._shift :]
            self._finish(self._blocks(tokens[:start]), rest)
            tokens = self._parse(self._lines)
        kind = tokens[0].type
        self._prose = kind == "paragraph_open" and self._reaches_end(tokens[0])
        if kind == "fence":
            self._open_fence(tokens[0])
        elif kind == "table_open":
            self._open_table(tokens)
        elif kind in {"bullet_list_open", "ordered_list_open"}:
            self._finish_inner(tokens, is_list=True)
        elif kind == "blockquote_open":
            self._finish_inner(tokens, is_list=False)
        elif kind == "hr":
            self._finish(list(flatten(tokens)))

    @property
    def _shift(self) -> int:
        """How many lines stand in front of ours in what is parsed."""
        return self._before.count("\n")

    def _reaches_end(self, token: Token) -> bool:
        """Whether a block ends with the last line, so that the next line may belong to it."""
        return token.map is not None and token.map[1] == len(self._lines) + self._shift

    def _finish_inner(self, tokens: list[Token], *, is_list: bool) -> None:
        """Finish every item of a list, or block of a quote, but the last."""
        inner = tops(tokens, level=1)
        if len(inner) < 2:
            return
        start, _ = inner[-1]
        number = self._number if self._number is not None else int(tokens[0].attrs.get("start", 1))
        done = [tokens[0], *tokens[inner[0][0] : start], tokens[-1]]
        blocks = list(flatten(done, self._number))
        self._finish(blocks, self._lines[first_line(tokens[start]) :])
        if is_list:
            self._number = number + len(inner) - 1

    # -- code and tables --------------------------------------------------------------------

    def _open_fence(self, token: Token) -> None:
        if self._lines[0][:1] in {" ", "\t"} or len(self._lines) > 1:
            return  # indented: lines must be cut by the parser's rules
        mark = token.markup
        closing = re.compile(rf" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*")
        self._fence = (token.info.strip(), closing)
        self._lines = []

    def _end_code_line(self, line: str, fence: tuple[str, re.Pattern[str]]) -> None:
        info, closing = fence
        if not closing.fullmatch(line):
            self._lines.append(line)
            return
        text = "\n".join(self._lines).rstrip("\n")
        self._fence = None
        self._finish([Block("code", text, info=info)])

    def _open_table(self, tokens: list[Token]) -> None:
        self._table = (self._lines[0], self._lines[1])
        (block,) = self._blocks(tokens)
        self._rows = list(block.rows)
        self._aligns = block.aligns
        self._lines = []

    def _row(self, line: str, table: tuple[str, str]) -> tuple[str, ...] | None:
        """Return the cells of a line if it is a row of the open table."""
        blocks = list(flatten(block_parser().parse("\n".join([*table, line]))))
        return blocks[0].rows[1] if len(blocks) == 1 and len(blocks[0].rows) == 2 else None

    def _end_row(self, line: str, table: tuple[str, str]) -> None:
        row = self._row(line, table)
        if row is not None:
            self._rows.append(row)
            return
        block = self._table_block()
        self._table, self._rows = None, []
        self._finish([block])
        self._take(line)

    def _table_block(self, more: tuple[tuple[str, ...], ...] = ()) -> Block:
        return Block("table", rows=(*self._rows, *more), aligns=self._aligns)


class PlainStream:
    """Text without markup that grows: one block a line, as a base model's text is shown.

    Args:
        lead: Text by the person that the model's text continues.
        level: Of the blocks.
    """

    def __init__(self, lead: str = "", level: int = 0) -> None:
        self.finished: list[Block] = []
        self._level = level
        self._line = ""
        self._lead = 0  # characters of the open line by the person
        self._joined = False
        self._held_return = False  # a "\r" at the end may be half of a line end
        self._add(lead, lead=True)

    @property
    def open(self) -> tuple[Block, ...]:
        """The last line."""
        return (self._block(self._line),) if self._line else ()

    def append(self, text: str) -> None:
        """Add text by the model."""
        self._add(text, lead=False)

    def close(self) -> None:
        """Finish the last line."""
        if self._held_return:
            self._add("\n", lead=False)
        self.finished.extend(self.open)
        self._line, self._lead = "", 0

    def _block(self, text: str) -> Block:
        lead = min(self._lead, len(text))
        return Block("plain", text, level=self._level, joined=self._joined, lead=lead)

    def _add(self, text: str, *, lead: bool) -> None:
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        *complete, rest = text.split("\n")
        for line in complete:
            self._grow(line, lead=lead)
            self.finished.append(self._block(self._line))
            self._line, self._lead, self._joined = "", 0, False
        self._grow(rest, lead=lead)

    def _grow(self, text: str, *, lead: bool) -> None:
        self._line += text
        if lead:
            self._lead = len(self._line)
        while len(self._line) > CUT_CHARS:
            end = _last_space(self._line[:CUT_CHARS]) or CUT_CHARS
            self.finished.append(self._block(self._line[:end]))
            self._line = self._line[end:]
            self._lead = max(0, self._lead - end)
            self._joined = True


def _could_close(partial: str, closing: re.Pattern[str]) -> bool:
    """Whether the beginning of a line may still become the fence that ends the code."""
    stripped = partial.strip(" \t")
    return bool(closing.fullmatch(partial)) or stripped in {"`", "``", "~", "~~"}


def _last_space(text: str) -> int:
    """Return the place behind the last white space, or 0."""
    return max(text.rfind(" "), text.rfind("\n")) + 1


def _cut_at(head: str) -> int:
    """Return where to cut: behind a sentence if no mark is left open there, else at a space.

    Only the given text decides, and what follows the cut is no white space; so the place does not
    depend on how the text arrived. 0 where there is no such place.
    """
    half = len(head) // 2
    ends = [match.end() for match in _SENTENCE.finditer(head, half)]
    spaces = [_last_space(head[: len(head) * part // 8]) for part in (8, 7, 6, 5)]
    places = [*reversed(ends[-4:]), *spaces]
    places = [end for end in places if half < end < len(head) and not head[end].isspace()]
    for end in places[:4]:
        if is_closed(head[:end]):
            return end
    if places:
        return places[0]
    last = len(head) - 1
    return last if not head[last].isspace() else 0
