"""The words of a scored text: which tokens make each of them up, and how unexpected it was.

A word begins where white space ends; in writing without spaces (Chinese, Japanese, Thai ...) each
token is a word of its own. The surprise of a word is the sum of that of its tokens.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import TokenPiece

Span: TypeAlias = tuple[int, int]
"""Where the characters of a token begin in a text, and where they end."""

_BROKEN: Final = "\ufffd"
_UNSPACED: Final = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Thai and Lao, Myanmar, Khmer."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word with the white space before it, and after it at the end of the text.

    Attributes:
        text: As it stands in the text.
        first: Index of its first token.
        stop: Index after its last token.
        bits: Surprise of its scored tokens; ``None`` where none of them was scored.
    """

    text: str
    first: int
    stop: int
    bits: float | None


def spans_of(text: str, pieces: Sequence[TokenPiece]) -> tuple[Span, ...] | None:
    """Return which characters each token stands for; ``None`` where the tokens say another text.

    Tokenizers may change a text (case, accents, spaces). Tokens that are parts of characters share
    them: the first one is given all, the others none.
    """
    spans: list[Span] = []
    at = 0
    open_, room = 0, 0  # tokens that wait for the end of their characters, and how many these are
    for piece in pieces:
        said = _said(text, piece, at)
        if not open_ and text.startswith(said, at):
            spans.append((at, at + len(said)))
            at += len(said)
        elif _BROKEN in said or not said:
            spans.append((at, at))
            open_, room = open_ + bool(said), room + len(said)
        else:
            place = text.find(said, at + 1, at + room + len(said)) if open_ else -1
            if place < 0:
                return None
            _close(spans, at, place)
            at, open_, room = place + len(said), 0, 0
            spans.append((place, at))
    if open_ and len(text) - at <= room:
        _close(spans, at, len(text))
        at = len(text)
    return tuple(spans) if at == len(text) else None


def words_of(
    text: str, pieces: Sequence[TokenPiece], logprobs: Sequence[float | None]
) -> tuple[Word, ...]:
    """Return the words of a text.

    Args:
        text: As it was given to the tokenizer.
        pieces: Its tokens.
        logprobs: Natural logs of their chances, as far as they were scored.
    """
    spans = spans_of(text, pieces)
    if spans is None:
        said = ["" if piece.special else piece.text for piece in pieces]
        text, spans = "".join(said), _end_to_end(said)
    words: list[Word] = []
    first, begun = 0, False
    for index, (start, end) in enumerate(spans):
        if begun and start < end and _parts(text[start - 1], text[start]):
            words.append(_word(text, spans, logprobs, first, index))
            first, begun = index, False
        begun = begun or bool(text[start:end].strip())
    if words and not begun:  # white space at the end belongs to the last word
        first = words.pop().first
    if spans:
        words.append(_word(text, spans, logprobs, first, len(spans)))
    return tuple(words)


def scored_bytes(
    text: str, pieces: Sequence[TokenPiece], logprobs: Sequence[float | None]
) -> int | None:
    """Return how many bytes of UTF-8 the scored tokens stand for; ``None`` where unknown."""
    if all(one.special or told is not None for one, told in zip(pieces, logprobs, strict=True)):
        return len(text.encode())
    spans = spans_of(text, pieces)
    if spans is None:
        return None
    return sum(
        len(text[start:end].encode())
        for (start, end), told in zip(spans, logprobs, strict=True)
        if told is not None
    )


def _said(text: str, piece: TokenPiece, at: int) -> str:
    """Return what a token says of the text; SentencePiece puts a space before the first word."""
    if piece.special:
        return ""
    if not at and piece.text.startswith(" ") and not text.startswith(" "):
        return piece.text[1:]
    return piece.text


def _close(spans: list[Span], at: int, end: int) -> None:
    """Give the characters up to ``end`` to the first token that waits at ``at``."""
    first = len(spans)
    while first and spans[first - 1] == (at, at):
        first -= 1
    spans[first:] = [(at, end), *[(end, end)] * (len(spans) - first - 1)]


def _end_to_end(said: Sequence[str]) -> tuple[Span, ...]:
    spans, at = [], 0
    for part in said:
        spans.append((at, at + len(part)))
        at += len(part)
    return tuple(spans)


def _parts(before: str, after: str) -> bool:
    """Whether a new word begins between two characters."""
    return before.isspace() or after.isspace() or _is_unspaced(before) or _is_unspaced(after)


def _is_unspaced(character: str) -> bool:
    """Whether a character is of a writing that has no spaces between words."""
    if character.isascii():
        return False
    code = ord(character)
    if any(low <= code <= high for low, high in _UNSPACED):
        return True
    wide = unicodedata.east_asian_width(character) in "WF"
    return wide and not unicodedata.name(character, "").startswith("HANGUL")


def _word(
    text: str,
    spans: Sequence[Span],
    logprobs: Sequence[float | None],
    first: int,
    stop: int,
) -> Word:
    told = [value for value in logprobs[first:stop] if value is not None]
    bits = -math.fsum(told) / math.log(2) if told else None
    return Word(text[spans[first][0] : spans[stop - 1][1]], first, stop, bits)
