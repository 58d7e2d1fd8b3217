"""Against repetition, on token ids alone: n-grams that may not come again, and DRY.

Knows neither logits nor an engine; both engines mean the same because they ask here, or because
llama.cpp follows the same definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from inference.types import SamplingParams

Breakers: TypeAlias = Mapping[int, Sequence[tuple[int, ...]]]
"""Where DRY's runs end: a token, and what may have to follow it to complete a breaker's text."""

_LONGEST_TEXT: Final = 40
_LONGEST_TAIL: Final = 20
_LARGEST_LOG: Final = 88.7228391  # of a float32; llama.cpp holds the exponent below it


def banned_by_ngrams(history: Sequence[int], size: int) -> set[int]:
    """Return the tokens that would complete a run of ``size`` tokens that is there already.

    Args:
        history: All ids so far, prompt included.
        size: Length of the runs (``no_repeat_ngram_size`` of Paulus et al. 2017); 0 bans nothing.
    """
    if not 0 < size <= len(history):
        return set()
    before = size - 1
    begun = history[len(history) - before :]
    return {
        history[place]
        for place in range(before, len(history))
        if history[place - before : place] == begun
    }


def dry_penalties(
    history: Sequence[int], params: SamplingParams, breakers: Breakers
) -> dict[int, float]:
    """Return what DRY takes from the logits of tokens that would go on with a repeated run.

    The penalty of a token is ``multiplier * base ** (length - allowed_length)``, where ``length``
    is that of the longest earlier run which equals the end of the history and was followed by the
    token ("Don't Repeat Yourself", oobabooga/text-generation-webui pull request 5677; the details
    are llama.cpp's).

    Args:
        history: All ids so far, prompt included.
        params: ``dry_*`` are read.
        breakers: A run does not reach across them, and they are not penalised themselves.
    """
    if not params.dry_multiplier or not params.dry_window:
        return {}
    backwards = history[: -params.dry_window - 1 : -1]  # the last token first
    allowed = params.dry_allowed_length
    limit = _distance_to_breaker(backwards, breakers)
    if len(backwards) <= allowed or limit < allowed:
        return {}
    longest: dict[int, int] = {}
    for start, common in enumerate(_common_starts(backwards)):
        length = min(common, limit)
        if start and length >= allowed:
            follower = backwards[start - 1]
            longest[follower] = max(length, longest.get(follower, 0))
    highest = int(_LARGEST_LOG / math.log(params.dry_base)) if params.dry_base > 1.000001 else 0
    return {
        token: params.dry_multiplier
        * params.dry_base ** (min(length - allowed, highest) if highest else length - allowed)
        for token, length in longest.items()
        if () not in breakers.get(token, ())
    }


def _distance_to_breaker(backwards: Sequence[int], breakers: Breakers) -> int:
    """Return how many tokens follow the last breaker; all of them where there is none."""
    if not breakers:
        return len(backwards)
    for place, token in enumerate(backwards):
        complete = [
            len(tail)
            for tail in breakers.get(token, ())
            if len(tail) <= place
            and all(backwards[place - 1 - i] == wanted for i, wanted in enumerate(tail))
        ]
        if complete:
            return place - max(complete)
    return len(backwards)


def _common_starts(ids: Sequence[int]) -> list[int]:
    """Return for each place how many ids from there on equal those from the start (Z-algorithm).

    Main and Lorentz 1984; linear in the number of ids. Place 0 gets 0.
    """
    lengths = [0] * len(ids)
    left = right = 0  # ids[left:right] is the match that reaches furthest
    for place in range(1, len(ids)):
        length = min(right - place, lengths[place - left]) if place < right else 0
        while place + length < len(ids) and ids[length] == ids[place + length]:
            length += 1
        lengths[place] = length
        if place + length > right:
            left, right = place, place + length
    return lengths


def find_breakers(
    texts: Sequence[str], pieces: Sequence[bytes], encode: Callable[[str], Sequence[int]]
) -> Breakers:
    """Return which tokens hold one of the texts, or begin one that others have to complete.

    Args:
        texts: The breakers; of each the first 40 bytes count.
        pieces: The bytes of every token of the vocabulary, by id.
        encode: Tokenizes the rest of a text.
    """
    found: dict[int, list[tuple[int, ...]]] = {}
    for wanted in [text.encode()[:_LONGEST_TEXT] for text in texts if text]:
        for token, piece in enumerate(pieces):
            if wanted in piece:
                found.setdefault(token, []).append(())
                continue
            for overlap in range(min(len(piece), len(wanted) - 1), 0, -1):
                if piece.endswith(wanted[:overlap]):
                    rest = encode(wanted[overlap:].decode(errors="replace"))
                    found.setdefault(token, []).append(tuple(rest[:_LONGEST_TAIL]))
    return found
