"""How a token is written in figures: spaces and line ends seen, special tokens in brackets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from inference.types import TokenPiece

_SIGNS: Final = ((" ", "·"), ("\n", "⏎"), ("\t", "⇥"), ("\r", "␍"))


def shown(text: str) -> str:
    """Return a token's text with everything in it visible."""
    for found, sign in _SIGNS:
        text = text.replace(found, sign)
    return text or "∅"


def shown_piece(piece: TokenPiece) -> str:
    """Return a token as ``shown``; a special one in brackets, half a letter as its bytes."""
    if piece.special:
        return "⟨" + piece.text.strip("<>|").replace("|", "") + "⟩"
    return piece.raw.hex(" ").upper() or shown(piece.text)


def spoken(text: str) -> str:
    """Return a token's text for a sentence."""
    return text.strip() or shown(text)
