"""Markdown source to flat blocks, through markdown-it.

CommonMark with tables and strike-through. HTML is text, never markup. Link reference definitions
are text too: they would change words that are already shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind = Literal["paragraph", "heading", "code", "table", "rule", "plain"]
_LEAVES: Final = frozenset({"paragraph_open", "heading_open", "fence", "code_block", "hr"})


@dataclass(frozen=True, slots=True)
class Container:
    """A list item or quote around a block.

    Attributes:
        kind: What it is.
        number: Number of an item in a numbered list.
        first: Whether the block is the first in it, and so stands beside the bullet or number.
    """

    kind: Literal["quote", "bullet", "number"]
    number: int = 0
    first: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a text from margin to margin.

    Attributes:
        kind: ``plain`` is text without markup, see ``PlainStream``.
        text: Markdown source of words, or the characters of code.
        level: 1 to 6 for a heading; 1 for ``plain`` text of a model, which is set wider.
        info: What stands behind the fence of code, usually a language.
        rows: Cells of a table as markdown source; the first row is the head.
        aligns: ``left``, ``right``, ``center`` or empty, per column.
        containers: Lists and quotes around it, outermost first.
        joined: It goes on where the block before it was cut, without a gap.
        lead: How many characters of ``plain`` text a person wrote; the rest is the model's.
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    info: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    aligns: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    joined: bool = False
    lead: int = 0


@cache
def block_parser() -> MarkdownIt:
    """Return the parser of block structure; words stay source."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  (60 ms that the start does not need)

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table"])
    parser.disable(["reference", "html_block"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def parse_blocks(source: str) -> list[Block]:
    """Return the blocks of a whole text."""
    return list(flatten(block_parser().parse(source)))


def tops(tokens: Sequence[Token], level: int = 0) -> list[tuple[int, int]]:
    """Return where blocks of one nesting level begin and end in ``tokens``."""
    found: list[tuple[int, int]] = []
    start = 0
    for index, token in enumerate(tokens):
        if token.level != level:
            continue
        if token.nesting == 1:
            start = index
        elif token.nesting == 0:
            found.append((index, index + 1))
        else:
            found.append((start, index + 1))
    return found


def first_line(token: Token) -> int:
    """Return the line on which a block begins."""
    return token.map[0] if token.map else 0


def flatten(tokens: Sequence[Token], start: int | None = None) -> Iterator[Block]:
    """Give the blocks of a token list in reading order.

    Args:
        tokens: From ``block_parser``, any number of whole blocks.
        start: Number of the first item, where the first list goes on from text before it.
    """
    around: list[Container] = []
    numbers: list[int] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            number = int(token.attrs.get("start", 1))
            if start is not None and not around and not numbers:
                number, start = start, None
            numbers.append(number)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            numbers.pop()
        elif token.type in {"list_item_open", "blockquote_open"}:
            around.append(_container(token, numbers))
        elif token.type in {"list_item_close", "blockquote_close"}:
            yield from _leave(token, around, numbers)
        elif token.type == "table_open":
            end = next(i for i in range(index, len(tokens)) if tokens[i].type == "table_close")
            yield _table(tokens[index:end], tuple(around))
            _enter(around)
            index = end + 1
        elif token.type in _LEAVES:
            yield _leaf(token, tokens, index, tuple(around))
            _enter(around)


def _container(token: Token, numbers: list[int]) -> Container:
    if token.type == "blockquote_open":
        return Container("quote")
    if token.markup in {".", ")"}:
        return Container("number", numbers[-1], first=True)
    return Container("bullet", first=True)


def _leave(token: Token, around: list[Container], numbers: list[int]) -> Iterator[Block]:
    if around[-1].first:
        yield Block("paragraph", containers=tuple(around))  # an item without words
    around.pop()
    _enter(around)
    if token.type == "list_item_close":
        numbers[-1] += 1


def _enter(around: list[Container]) -> None:
    """Note that what comes next is no longer the first block in its containers."""
    around[:] = [Container(box.kind, box.number) for box in around]


def _leaf(
    token: Token, tokens: Sequence[Token], index: int, around: tuple[Container, ...]
) -> Block:
    if token.type == "hr":
        return Block("rule", containers=around)
    if token.type in {"fence", "code_block"}:
        text = token.content.rstrip("\n")
        return Block("code", text, info=token.info.strip(), containers=around)
    text = tokens[index].content
    if token.type == "heading_open":
        return Block("heading", text, level=int(token.tag[1:]), containers=around)
    return Block("paragraph", text, containers=around)


def _table(tokens: Sequence[Token], around: tuple[Container, ...]) -> Block:
    rows: list[list[str]] = []
    aligns: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
        elif token.type == "th_open":
            aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
    return Block("table", rows=tuple(map(tuple, rows)), aligns=tuple(aligns), containers=around)
