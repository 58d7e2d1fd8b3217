"""A text as passages within passages: paragraphs, lines, sentences, stretches of one script.

Every part of a passage, put one after another, is that passage again: nothing is left out.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCED: Final = re.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*\n(?:.*?^[ ]{0,3}(?P=fence)[^\n]*(?:\n|\Z)|.*\Z)",
    re.MULTILINE | re.DOTALL,
)
"""A block of code as Markdown fences it in; one that is never closed goes on to the end."""
_PARAGRAPH: Final = re.compile(r".+?(?:\n\s*\n|\Z)", re.DOTALL)
_LINE: Final = re.compile(r"[^\n]*+\n\s*|[^\n]++\Z")
_SENTENCE: Final = re.compile(
    r".+?(?:"
    r"(?<![.!?…])[.!?…]++[\"'»”’)\]]*+\s+|"  # noqa: RUF001  what ends a sentence
    r"(?<![。！？।۔؟])[。！？।۔؟]++[」』”）\"]*+\s*|"  # noqa: RUF001
    r"\Z)",
    re.DOTALL,
)
_LEAST_OTHER: Final = 12
"""Letters that a stretch in another alphabet needs to be a passage of its own."""
_LEAST_WIDE: Final = 4
"""The same where a letter is a syllable or a word."""
_WIDE: Final = frozenset({"EAST", "HANGUL"})
_SAME: Final = {"CJK": "EAST", "HIRAGANA": "EAST", "KATAKANA": "EAST"}


class Passage(NamedTuple):
    """Characters ``start`` to ``end`` of a text; no parts: it is not cut any further.

    ``code`` is a fenced block, in no language that people speak.
    """

    start: int
    end: int
    parts: tuple[Passage, ...] = ()
    code: bool = False


def passages(text: str) -> Passage:
    """Return the whole text, cut into blocks of code and paragraphs and on to the smallest."""
    parts: list[Passage] = []
    done = 0
    for block in _FENCED.finditer(text):
        parts += _cut(text, done, block.start(), 0)
        parts.append(Passage(*block.span(), code=True))
        done = block.end()
    parts += _cut(text, done, len(text), 0)
    return Passage(0, len(text), tuple(parts))


def _cut(text: str, start: int, end: int, depth: int) -> tuple[Passage, ...]:
    """Return the parts of a passage at one depth, each cut on at the next."""
    if depth == len(_BORDERS):
        return tuple(Passage(*span) for span in _stretches(text, start, end))
    found: list[Passage] = []
    for match in _BORDERS[depth].finditer(text, start, end):
        parts = _cut(text, *match.span(), depth + 1)
        if len(parts) == 1:  # the same passage once more: what it is made of says more
            parts = parts[0].parts
        found.append(Passage(*match.span(), parts))
    return tuple(found)


_BORDERS: Final = (_PARAGRAPH, _LINE, _SENTENCE)


def _stretches(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut where another script begins, and goes on for long enough to tell something."""
    runs: list[tuple[str, int, int]] = []  # script, where it begins, its letters
    for at in range(start, end):
        script = script_of(text[at])
        if not script:
            continue
        if runs and runs[-1][0] == script:
            runs[-1] = (script, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((script, at, 1))
    long = [run for run in runs if run[2] >= (_LEAST_WIDE if run[0] in _WIDE else _LEAST_OTHER)]
    cuts = [start]
    last = long[0][0] if long else ""
    for script, begins, _letters in long[1:]:
        if script != last:
            cuts.append(begins)
            last = script
    cuts.append(end)
    yield from pairwise(cuts)


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Return the script of a letter by its Unicode name; empty for what is no letter.

    The scripts of Chinese and Japanese count as one: Japanese is written in all of them.
    """
    if not char.isalpha():
        return ""
    script = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    return _SAME.get(script, script)
