"""Colours of code: which words of each line are keywords, strings, numbers, names and comments.

While code streams in, a finished line is coloured together with a few lines before it, so the cost
of a line does not grow with the code. When the code is complete, a
``Recolouring`` goes through it once exactly, in slices. Knows no widget.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pygments.lexer import Lexer

Shade = Literal["code_key", "code_str", "code_num", "code_fn", "code_com"]
Span = tuple[int, int, Shade]  # first character, behind the last, colour
_WINDOW: Final = 4  # lines that are read again for the colours of a new one
_LONGEST: Final = 40  # lines of one string or comment that are read again
_SLICE_S: Final = 0.003


_NAMES: Final = {
    "bash": "Bash", "c": "C", "cpp": "C++", "cs": "C#", "css": "CSS", "diff": "Diff", "go": "Go",
    "html": "HTML", "java": "Java", "javascript": "JavaScript", "js": "JavaScript",
    "json": "JSON", "kotlin": "Kotlin", "latex": "LaTeX", "lua": "Lua", "markdown": "Markdown",
    "php": "PHP", "py": "Python", "python": "Python", "r": "R", "ruby": "Ruby", "rust": "Rust",
    "sh": "Shell", "sql": "SQL", "swift": "Swift", "toml": "TOML", "ts": "TypeScript",
    "typescript": "TypeScript", "xml": "XML", "yaml": "YAML",
}  # fmt: skip
_UNCOLOURED: Final = frozenset({"", "text", "plain", "plaintext", "txt", "output", "none"})


class _Lexers:
    """Readers of languages, prepared in a thread: one takes up to 0.1 s."""

    def __init__(self) -> None:
        self._ready: dict[str, Lexer | None] = dict.fromkeys(_UNCOLOURED)
        self._wanted: set[str] = set()
        self._lock = threading.Lock()

    def ask(self, name: str) -> tuple[bool, Lexer | None]:
        """Return whether it is known which reader a language has, and the reader."""
        if name in self._ready:
            return True, self._ready[name]
        with self._lock:
            if name not in self._wanted:
                self._wanted.add(name)
                threading.Thread(target=self._prepare, args=(name,), daemon=True).start()
        return False, None

    def _prepare(self, name: str) -> None:
        from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  (only when code is shown)
        from pygments.util import ClassNotFound  # noqa: PLC0415

        lexer: Lexer | None
        try:
            lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
            deque(lexer.get_tokens("x"), maxlen=0)  # its tables are built with the first word
        except ClassNotFound:
            lexer = None
        self._ready[name] = lexer


_LEXERS: Final = _Lexers()


def prepare(name: str) -> None:
    """Prepare the reader of a language before it is needed; returns at once."""
    _LEXERS.ask(name)


def language(info: str) -> str:
    """Return the name of a language as the fence gives it, in small letters; may be empty."""
    first = info.split(maxsplit=1)[:1]
    return first[0].strip("{}.").lower() if first else ""


def language_name(info: str) -> str:
    """Return the name of a language for people, e.g. ``Python`` for ``py``; may be empty."""
    name = language(info)
    return _NAMES.get(name, name)


def suffix(info: str) -> str:
    """Return the usual ending of a file in this language, e.g. ``.py``."""
    lexer = _LEXERS.ask(language(info))[1]
    names = list(lexer.filenames) if lexer is not None else []
    usual = next((name for name in names if name.startswith("*.") and "[" not in name), "*.txt")
    return str(usual)[1:]


class Colours:
    """Colours of the lines of one code block, which may still grow.

    Args:
        info: What stands behind the fence.
    """

    def __init__(self, info: str) -> None:
        self._name = language(info)
        self.lines: list[tuple[Span, ...]] = []
        self.is_exact = self._name in _UNCOLOURED

    def grow(self, lines: list[str], finished: int) -> None:
        """Colour the lines up to ``finished`` that have no colours yet, if that is quick."""
        done = len(self.lines)
        if self._name in _UNCOLOURED or finished <= done:
            return
        if done == 0:
            self.is_exact = True
        lexer = _LEXERS.ask(self._name)[1]
        start = self._window_start(lines, done)
        if lexer is not None and finished - start <= _LONGEST + 2 * _WINDOW:
            self.is_exact = self.is_exact and start == 0
            self.lines.extend(list(_by_line(lexer, lines[start:finished]))[done - start :])
        else:
            self.is_exact = False
        self.lines.extend([()] * (finished - len(self.lines)))

    def _window_start(self, lines: list[str], done: int) -> int:
        """Return the line to read from: a few before, and all of a long string or comment."""
        start = done
        while start > max(0, done - _LONGEST) and self._is_inside(lines[start - 1], start - 1):
            start -= 1
        return max(0, start - _WINDOW)

    def _is_inside(self, line: str, index: int) -> bool:
        spans = self.lines[index]
        return not line.strip() or (
            len(spans) == 1
            and spans[0][2] in {"code_str", "code_com"}
            and spans[0][1] - spans[0][0] >= len(line.strip())
        )


class Recolouring:
    """One exact pass over complete code, a few milliseconds at a time.

    Args:
        colours: What it mends.
        info: What stands behind the fence.
        lines: All lines of the code.
    """

    def __init__(self, colours: Colours, info: str, lines: list[str]) -> None:
        self._colours = colours
        self._name = language(info)
        self._lines = lines
        self._found: Iterator[tuple[Span, ...]] | None = None
        self._index = 0

    def step(self) -> bool:
        """Go on for some milliseconds; ``False`` when all is done."""
        if self._found is None:
            is_known, lexer = _LEXERS.ask(self._name)
            if not is_known:
                return True
            self._found = _by_line(lexer, self._lines) if lexer is not None else iter(())
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
                _add(spans, column, column + len(part), shade)
            column += len(part)
    yield tuple(spans)


def _add(spans: list[Span], start: int, end: int, shade: Shade) -> None:
    """Add a span, as one with its neighbour where the colour is the same."""
    if spans and spans[-1][1] == start and spans[-1][2] == shade:
        start = spans.pop()[0]
    spans.append((start, end, shade))


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
