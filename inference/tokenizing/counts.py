"""What a text costs in tokens: by word, and by the kind of writing its tokens hold."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Sequence

HALF: Final = "part of a letter"
SPECIAL: Final = "special"
SPACE: Final = "white space"
DIGITS: Final = "digits"
SIGNS: Final = "punctuation and signs"
EMOJI: Final = "emoji and symbols"
OTHER: Final = "other"
_SHORT: Final = {"CJK": "CJK"}
_INCOMPLETE: Final = "\ufffd"


class WordCost(msgspec.Struct, frozen=True):
    """A word as it stands in the text, its tokens, and how often it occurs so."""

    word: str
    tokens: int
    times: int


def kind_of(piece: TokenPiece) -> str:
    """Return the script of a token's first letter, or what it holds in place of letters.

    Scripts by the first word of the character's Unicode name: ``Latin``, ``Cyrillic``, ``CJK`` ...
    Emoji and other pictures are of the Unicode category So.
    """
    if piece.special:
        return SPECIAL
    text = piece.text
    letter = next((char for char in text if char.isalpha()), "")
    if letter:
        script = unicodedata.name(letter, OTHER).split()[0].split("-")[0]
        return _SHORT.get(script, script.capitalize())
    if piece.raw or _INCOMPLETE in text:
        return HALF
    if not text.strip():
        return SPACE
    if any(char.isdecimal() for char in text):
        return DIGITS
    return EMOJI if any(unicodedata.category(char) == "So" for char in text) else SIGNS


def kinds_of(tokens: Sequence[TokenPiece]) -> list[str]:
    """Return the kind of each token; parts of a letter are of the kind of that letter."""
    found: list[str] = []
    run: list[TokenPiece] = []
    for piece in tokens:
        if piece.special or not (run or piece.raw):
            found += [kind_of(one) for one in run]
            run = []
            found.append(kind_of(piece))
            continue
        run.append(piece)
        text = _decoded(run)
        if _INCOMPLETE not in text:
            whole = kind_of(TokenPiece(0, text[-1:]))
            found += [whole if kind_of(one) == HALF else kind_of(one) for one in run]
            run = []
    return found + [kind_of(one) for one in run]


def _decoded(run: Sequence[TokenPiece]) -> str:
    return b"".join(piece.data for piece in run).decode("utf-8", "replace")


def by_kind(tokens: Sequence[TokenPiece]) -> tuple[tuple[str, int], ...]:
    """Return how many tokens hold what, most first."""
    return tuple(Counter(kinds_of(tokens)).most_common())


def words_of(tokens: Sequence[TokenPiece]) -> tuple[tuple[str, int], ...]:
    """Return each word and how many tokens it takes; a new one begins behind white space.

    Signs at its end are left out where they are tokens of their own. A token that spans the border
    of two words counts for the one that it begins.
    """
    found: list[tuple[str, int]] = []
    word: list[TokenPiece] = []
    for piece in tokens:
        if piece.special or piece.text[:1].isspace() or (word and word[-1].text[-1:].isspace()):
            found.append(_told(word))
            word = []
        if not piece.special:
            word.append(piece)
    found.append(_told(word))
    return tuple((text, count) for text, count in found if text)


def _told(word: list[TokenPiece]) -> tuple[str, int]:
    while word and kind_of(word[-1]) in {SIGNS, SPACE}:
        word.pop()
    return _decoded(word).strip(), len(word)


def costliest(tokens: Sequence[TokenPiece], most: int) -> tuple[WordCost, ...]:
    """Return the words that take the most tokens, those of more than one only.

    Words that hold less than a whole letter somewhere are left out: they cannot be written.
    """
    times = Counter(words_of(tokens))
    found = [
        WordCost(word, count, n)
        for (word, count), n in times.items()
        if count > 1 and _INCOMPLETE not in word
    ]
    found.sort(key=lambda cost: (-cost.tokens, -cost.times, cost.word))
    return tuple(found[:most])
