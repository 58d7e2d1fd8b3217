"""What a text costs in tokens, by the language that it is written in."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from inference.tokenizing.language_names import NAMES, UNSPACED
from inference.tokenizing.languages import NO_WORDS, NOT_TOLD
from inference.tokenizing.orders import LanguageCost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from inference.tokenizing.languages import Told
    from inference.types import TokenPiece

    Span = tuple[int, int]
    Teller = Callable[[str], Sequence[Told]]

MARKS: Final = "marks of the chat"
_SPECIAL: Final = "special tokens"
_LAST: Final = (NOT_TOLD, NO_WORDS, _SPECIAL, MARKS)
_KEEP: Final = "surrogateescape"
"""Bytes that are no UTF-8 stay one character each, and become the same bytes again."""
_LONG_LINE: Final = 12


def by_language(
    tokens: Sequence[TokenPiece], tell: Teller, said: Sequence[str] = ()
) -> tuple[LanguageCost, ...]:
    """Return what each language costs, most tokens first; together they are all tokens.

    A token belongs to the passage in which its first byte behind white space stands.

    Args:
        tokens: The text.
        tell: Cuts a text into passages and tells the language of each.
        said: What people and models wrote in a chat, in order; whatever else the text holds was
            put around it by the template. None: all of it was written.
    """
    data = [piece.data for piece in tokens]
    starts = list(accumulate(map(len, data), initial=0))
    text = b"".join(data).decode("utf-8", _KEEP)
    special = [
        (start, start + len(own))
        for start, own, piece in zip(starts, data, tokens, strict=False)
        if piece.special
    ]
    owners = _Owners(text, special, said, tell)
    counts: Counter[str] = Counter()
    for piece, own, start in zip(tokens, data, starts, strict=False):
        indent = len(own) - len(own.lstrip())
        at = start + (indent if indent < len(own) else 0)
        counts[_SPECIAL if piece.special else owners.of(at)] += 1
    if said:
        counts[MARKS] += counts.pop(_SPECIAL, 0)
    found = [owners.cost(kind, n) for kind, n in counts.items() if n]
    last = {name: place for place, name in enumerate(_LAST, start=1)}
    return tuple(sorted(found, key=lambda one: (last.get(one.name, 0), -one.tokens, one.name)))


class _Owners:
    """Which bytes of a text belong to what, and how much that is."""

    def __init__(
        self, text: str, special: Sequence[Span], said: Sequence[str], tell: Teller
    ) -> None:
        offsets = list(accumulate((len(char.encode("utf-8", _KEEP)) for char in text), initial=0))
        cut = [(bisect_right(offsets, a) - 1, bisect_right(offsets, b) - 1) for a, b in special]
        self._begins: list[int] = []
        self._kinds: list[str] = []
        self._words: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        written = list(_found(text, said)) or [(0, len(text))]
        at = 0
        for start, end in _without(written, cut):
            self._add(MARKS, at, offsets)
            for one in tell(text[start:end]):
                a, b = start + one.start, start + one.end
                self._add(one.language, a, offsets)
                self._words[one.language] += _words(text[a:b])
                self._characters[one.language] += b - a
                self._bytes[one.language] += offsets[b] - offsets[a]
            at = end
        self._add(MARKS, at, offsets)

    def _add(self, kind: str, at: int, offsets: Sequence[int]) -> None:
        self._begins.append(offsets[at])
        self._kinds.append(kind)

    def of(self, at: int) -> str:
        """Return what the byte at an offset belongs to."""
        return self._kinds[bisect_right(self._begins, at) - 1]

    def cost(self, kind: str, tokens: int) -> LanguageCost:
        """Return what is known of a language, or of what is in none."""
        known = kind in NAMES
        return LanguageCost(
            kind if known else "",
            NAMES.get(kind, kind),
            self._words[kind] if known and kind not in UNSPACED else None,
            self._characters[kind],
            self._bytes[kind],
            tokens,
        )


def _words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _without(spans: Sequence[Span], holes: Sequence[Span]) -> Iterator[Span]:
    """Yield what is left of each span; both are in order and do not overlap."""
    for start, end in spans:
        at = start
        for a, b in holes:
            if at <= a < end:
                if at < a:
                    yield at, a
                at = b
        if at < end:
            yield at, end


def _found(text: str, said: Sequence[str]) -> Iterator[Span]:
    """Yield where each message stands: as a whole, else its long lines.

    Templates trim messages, and some leave out what was thought before an answer.
    """
    at = 0
    for words in map(str.strip, said):
        lines = (line.strip() for line in words.splitlines())
        for wanted in (words, *(line for line in lines if len(line) >= _LONG_LINE)):
            match = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)").search(text, at)
            if match and wanted:
                yield match.span()
                at = match.end()
                if wanted is words:
                    break
