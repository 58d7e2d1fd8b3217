"""Words inside a block: runs of text with their style, through markdown-it.

Only http, https and mailto become links. Pictures are never loaded: their description and address
are shown. Bare web addresses become links as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LINE_BREAK: Final = "\u2028"  # a new line within one layout
_SCHEMES: Final = ("http://", "https://", "mailto:")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,;:!?)\]}*_]")
_MARKS: Final = re.compile(r"[*_`~\[<]")


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style; ``href`` is an address that may be opened, else empty."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    strike: bool = False
    href: str = ""


@cache
def parser() -> MarkdownIt:
    """Return the parser of words."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  (60 ms that the start does not need)

    result = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough"])
    return result.disable(["html_inline"])


def parse_inline(source: str) -> tuple[Run, ...]:
    """Return the runs of one paragraph, heading or cell; lines stay lines."""
    if not source:
        return ()
    if not _MARKS.search(source) and not any(mark in source for mark in "\\&!:\n"):
        return (Run(source),)
    tokens = parser().parseInline(source)[0].children or []
    return tuple(_merged(_runs(tokens)))


def is_closed(source: str) -> bool:
    """Whether no mark is open at the end, so that words may be cut here."""
    runs = parse_inline(source)
    return not any(_MARKS.search(run.text) for run in runs if not run.code)


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    style = Run("")
    address = ""  # of the link we are in, where it may not be opened
    for token in tokens:
        kind = token.type
        if kind in {"strong_open", "strong_close"}:
            style = replace(style, bold=token.nesting == 1)
        elif kind in {"em_open", "em_close"}:
            style = replace(style, italic=token.nesting == 1)
        elif kind in {"s_open", "s_close"}:
            style = replace(style, strike=token.nesting == 1)
        elif kind == "link_open":
            href = str(token.attrs.get("href", ""))
            is_safe = href.lower().startswith(_SCHEMES)
            style = replace(style, href=href if is_safe else "")
            address = "" if is_safe else href
        elif kind == "link_close":
            if address:
                yield replace(style, text=f" ({address})")
            style, address = replace(style, href=""), ""
        else:
            yield from _leaf(token, style)


def _leaf(token: Token, style: Run) -> Iterator[Run]:
    if token.type in {"softbreak", "hardbreak"}:
        yield replace(style, text=LINE_BREAK)
    elif token.type == "code_inline":
        yield replace(style, text=token.content, code=True)
    elif token.type == "image":
        source = str(token.attrs.get("src", ""))
        words = token.content or "picture"
        yield replace(style, text=f"{words} ({source})", italic=True)
    elif style.href:
        yield replace(style, text=token.content)
    else:
        yield from _with_addresses(token.content, style)


def _with_addresses(text: str, style: Run) -> Iterator[Run]:
    end = 0
    for match in _ADDRESS.finditer(text):
        yield replace(style, text=text[end : match.start()])
        yield replace(style, text=match[0], href=match[0])
        end = match.end()
    yield replace(style, text=text[end:])


def _merged(runs: Iterator[Run]) -> Iterator[Run]:
    last: Run | None = None
    for run in runs:
        if not run.text:
            continue
        if last is not None and replace(last, text="") == replace(run, text=""):
            last = replace(last, text=last.text + run.text)
            continue
        if last is not None:
            yield last
        last = run
    if last is not None:
        yield last
