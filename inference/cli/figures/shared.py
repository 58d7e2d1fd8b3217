"""What the kinds of figures share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from inference.cli import console
from inference.errors import UnsupportedRequestError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.types import TokenPiece

    Figure: TypeAlias = dict[str, Any]  # JSON of our own making

DEFAULT_TOP = 20
LENS_TOP = 5


def ids_of(pieces: Sequence[TokenPiece]) -> tuple[int, ...]:
    """Return the ids of tokens."""
    return tuple(piece.id for piece in pieces)


def top_of(arguments: argparse.Namespace, default: int = DEFAULT_TOP) -> int:
    """Return how long a list shall be."""
    return default if arguments.top is None else int(arguments.top)


def place_of(arguments: argparse.Namespace, pieces: Sequence[TokenPiece]) -> int:
    """Return the token that is asked about: --place, or the last one.

    Raises:
        UnsupportedRequestError: The text has no such token.
    """
    last = len(pieces) - 1
    place = last if arguments.place is None else int(arguments.place)
    if place > last:
        raise UnsupportedRequestError(
            f"The text has no token {place}: its {len(pieces)} tokens count from 0.",
            f"Give `--place` a number from 0 to {max(last, 0)}.",
        )
    return place


def token_text(one: Figure) -> str:
    """Return a token for a person."""
    return console.token_text(one["id"], one["text"])


def share_text(logprob: float) -> str:
    """Return a chance in per cent."""
    return f"{100 * math.exp(logprob):.2f} %"
