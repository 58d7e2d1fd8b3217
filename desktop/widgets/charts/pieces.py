"""How a token is written in figures: spaces and line ends seen, special tokens in brackets.

And where words begin among tokens. The engine says which tokens are special: text cannot tell.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import TokenPiece

_SIGNS: Final = ((" ", "·"), ("\n", "⏎"), ("\t", "⇥"), ("\r", "␍"))


def shown(token: TokenPiece | str) -> str:
    """Return a token, or a text, with everything in it visible.

    A special token stands in brackets, part of a character as its bytes, and a token that writes
    nothing as its id: there may be many of them.
    """
    if isinstance(token, str):
        return _visible(token)
    if token.special:
        return "⟨" + token.text.strip("<>|").replace("|", "") + "⟩"
    return token.raw.hex(" ").upper() or (_visible(token.text) if token.text else f"id {token.id}")


def spoken(token: TokenPiece | str) -> str:
    """Return a token, or a text, for a sentence: without the spaces around it."""
    if isinstance(token, str):
        return token.strip() or shown(token)
    return shown(token) if token.special or token.raw else token.text.strip() or shown(token)


def written(token: TokenPiece | str) -> str:
    """Return a token for a table that is exported: its own text, part of a letter as its bytes."""
    return token if isinstance(token, str) else token.raw.hex(" ").upper() or token.text


def _visible(text: str) -> str:
    for found, sign in _SIGNS:
        text = text.replace(found, sign)
    if not text.isprintable():
        text = "".join(map(_seen, text)) if _all_hidden(text) else _without_controls(text)
    return text or "∅"


def _all_hidden(text: str) -> bool:
    return not any(char.isprintable() for char in text)


def _without_controls(text: str) -> str:
    """Name control characters; a joiner inside an emoji has to stay what it is."""
    return "".join(_seen(char) if unicodedata.category(char) != "Cf" else char for char in text)


def _seen(char: str) -> str:
    return char if char.isprintable() else f"U+{ord(char):04X}"


def word_from(pieces: Sequence[TokenPiece], at: int, by: int) -> int:
    """Return the place where the word before (``by`` -1) or after (1) ``at`` begins.

    A word begins behind white space or a special token; a special token is a word of its own.
    Past the last one it is the number of tokens, before the first one 0.
    """
    place = at + by
    while 0 < place < len(pieces) and not _begins_word(pieces, place):
        place += by
    return max(0, min(place, len(pieces)))


def _begins_word(pieces: Sequence[TokenPiece], place: int) -> bool:
    piece, before = pieces[place], pieces[place - 1]
    if piece.special:
        return True
    text = piece.text
    apart = before.special or text[:1].isspace() or before.text[-1:].isspace()
    return apart and bool(text.strip())
