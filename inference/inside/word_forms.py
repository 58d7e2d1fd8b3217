"""Words as a person writes them, and as a vocabulary has them: with a space in front or without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import TokenPiece

    Pieces = tuple[TokenPiece, ...]

_OPERATOR: Final = re.compile(r"(?:^|\s)([+\N{MINUS SIGN}-])\s*")


def terms(text: str) -> tuple[tuple[int, str], ...]:
    """Cut "king - man + woman" into words with +1 or -1; a hyphen inside a word stays in it."""
    text = text.strip()
    parts = _OPERATOR.split(text if _OPERATOR.match(text) else f"+ {text}")
    found = []
    for sign, word in zip(parts[1::2], parts[2::2], strict=True):
        if word.strip(" +-\N{MINUS SIGN}"):
            found.append((1 if sign == "+" else -1, " ".join(word.split())))
    return tuple(found)


def words(text: str) -> tuple[str, ...]:
    """Cut a list of words at commas and spaces, each once."""
    return tuple(dict.fromkeys(re.findall(r"[^\s,;]+", text)))


def both_forms(wanted: Sequence[str]) -> tuple[str, ...]:
    """Return each word with a space in front and without: vocabularies differ in that."""
    return tuple(form for word in wanted for form in (f" {word}", word))


def better(found: Sequence[Pieces]) -> tuple[Pieces, ...]:
    """Return of each word the form with fewer tokens; the one with a space if both are equal."""
    pairs = zip(found[::2], found[1::2], strict=True)
    return tuple(min(pair, key=len) for pair in pairs)
