"""Whether one model may guess tokens for another: only where ids mean the same to both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inference.errors import UnsupportedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

_PADDING: Final = 1024
"""Vocabularies of one family may differ by unused rows at their ends."""


def check_same_tokens(
    name: str,
    draft: str,
    sizes: tuple[int, int],
    tokens: tuple[Callable[[int], object], Callable[[int], object]],
) -> None:
    """Compare two vocabularies token by token.

    Args:
        name: The model that answers.
        draft: The one that guesses.
        sizes: Tokens of both.
        tokens: What an id means to each: equal only where it means the same.

    Raises:
        UnsupportedRequestError: They are not the same.
    """
    ours, theirs = tokens
    alike = abs(sizes[0] - sizes[1]) <= _PADDING and all(
        ours(token) == theirs(token) for token in range(min(sizes))
    )
    if not alike:
        raise UnsupportedRequestError(
            f"{draft} cuts text into other tokens than {name}, so it cannot guess for it.",
            "Choose a smaller model of the same family, or let guesses be looked up in the text.",
        )
