"""Colours of code: which words of each line are keywords, strings, numbers, names and comments.

While code streams in, a finished line is coloured with the lines since the last one that begins at
the margin, so the cost of a line does not grow with the code. When the code is complete, a
``Recolouring`` goes through it once exactly, in slices. Knows no widget.
"""

from __future__ import annotations

from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygments.lexer import Lexer

Shade = Literal["code_key", "code_str", "code_num", "code_fn", "code_com"]
Span = tuple[int, int, Shade]  # first character, behind the last, colour
_WINDOW: Final = 40  # lines that are read again for the colours of a new one
_SLICE_S: Final = 0.003


@lru_cache(maxsize=32)
def lexer_for(info: str) -> Lexer | None:
    """Return the reader of a language named behind a fence; ``None`` where it is not known."""
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  (only when code is shown)
    from pygments.util import ClassNotFound  # noqa: PLC0415

    name = info.split(maxsplit=1)[0].strip("{}.").lower() if info.split() else ""
    if name in {"", "text", "plain", "plaintext", "txt", "output"}:
        return None
    try:
        lexer: Lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return lexer


def language_name(info: str) -> str:
    """Return the name of a language for people, e.g. ``Python`` for ``py``; may be empty."""
    lexer = lexer_for(info)
    if lexer is not None:
        return str(lexer.name)
    return info.split(maxsplit=1)[0] if info.split() else ""


def suffix(info: str) -> str:
    """Return the usual ending of a file in this language, e.g. ``.py``."""
    lexer = lexer_for(info)
    names = list(lexer.filenames) if lexer is not None else []
    usual = next((name for name in names if name.startswith("*.") and "[" not in name), "*.txt")
    return str(usual)[1:]


class Colours:
    """Colours of the lines of one code block, which may still grow.

    Args:
        info: What stands behind the fence.
    """

    def __init__(self, info: str) -> None:
        self._lexer = lexer_for(info)
        self.lines: list[tuple[Span, ...]] = []
        self.is_exact = True

    def grow(self, lines: list[str], finished: int) -> None:
        """Colour the lines up to ``finished`` that have no colours yet."""
        if self._lexer is None or finished <= len(self.lines):
            return
        done = len(self.lines)
        start = self._window_start(lines, done)
        self.is_exact = self.is_exact and start == 0
        found = list(_by_line(self._lexer, lines[start:finished]))
        self.lines.extend(found[done - start :])
        self.lines.extend([()] * (finished - len(self.lines)))

    def _window_start(self, lines: list[str], done: int) -> int:
        if done <= _WINDOW:
            return 0
        start = done
        while start > done - _WINDOW:
            start -= 1
            line = lines[start]
            if line[:1].isalpha() and not lines[start - 1].strip():
                break
        return start


class Recolouring:
    """One exact pass over complete code, a few milliseconds at a time.

    Args:
        colours: What it mends.
        info: What stands behind the fence.
        lines: All lines of the code.
    """

    def __init__(self, colours: Colours, info: str, lines: list[str]) -> None:
        self._colours = colours
        lexer = lexer_for(info)
        self._found = _by_line(lexer, lines) if lexer is not None else iter(())
        self._index = 0

    def step(self) -> bool:
        """Go on for some milliseconds; ``False`` when all is done."""
        end = perf_counter() + _SLICE_S
        for spans in self._found:
            if self._index < len(self._colours.lines):
                self._colours.lines[self._index] = spans
            else:
                self._colours.lines.append(spans)
            self._index += 1
            if perf_counter() > end:
                return True
        self._colours.is_exact = True
        return False


def _by_line(lexer: Lexer, lines: list[str]) -> Iterator[tuple[Span, ...]]:
    """Give the coloured spans of each line in turn."""
    spans: list[Span] = []
    column = 0
    for token, value in lexer.get_tokens("\n".join(lines)):
        shade = _shade(token)
        parts = value.split("\n")
        for index, part in enumerate(parts):
            if index:
                yield tuple(spans)
                spans, column = [], 0
            if part and shade is not None:
                spans.append((column, column + len(part), shade))
            column += len(part)
    yield tuple(spans)


@lru_cache(maxsize=256)
def _shade(token: Any) -> Shade | None:  # noqa: ANN401  (pygments' token types have no type)
    from pygments.token import Comment, Keyword, Name, Number, String  # noqa: PLC0415

    shades: tuple[tuple[Any, Shade], ...] = (
        (Comment, "code_com"),
        (String, "code_str"),
        (Number, "code_num"),
        (Keyword, "code_key"),
        (Name.Function, "code_fn"),
        (Name.Class, "code_fn"),
        (Name.Tag, "code_key"),
        (Name.Attribute, "code_fn"),
        (Name.Decorator, "code_fn"),
    )
    if str(token) == "Token.Operator.Word":
        return "code_key"
    return next((shade for family, shade in shades if token in family), None)
