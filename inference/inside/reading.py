"""What the answers to all questions share: checks, and numbers made readable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import astuple

from inference.errors import ContextOverflowError, InferenceError, UnsupportedRequestError
from inference.inside.questions import Array, NextTokens, ScoredToken
from inference.sampling_rules import no_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inference.inside.questions import Window
    from inference.inside.source import Numbers, Source
    from inference.types import TokenPiece

_MOST_TOP = 1000


class StoppedLookError(InferenceError):
    """The person asked to stop."""

    def __init__(
        self, message: str = "Looking inside was stopped.", hint: str = "", detail: str = ""
    ) -> None:
        super().__init__(message, hint, detail)


def next_tokens(logits: Numbers, top_n: int, piece: Callable[[int], TokenPiece]) -> NextTokens:
    """Return the likeliest of all tokens, (V,), and the entropy of their chances."""
    logprobs = log_softmax(logits[None])[0]  # (V,)
    top = scored_tokens(logits, logprobs, top_n, piece)
    return NextTokens(top, float(entropy_bits(logprobs[None])[0]))


def scored_tokens(
    logits: Numbers, logprobs: Numbers, top_n: int, piece: Callable[[int], TokenPiece]
) -> tuple[ScoredToken, ...]:
    """Return the tokens of the highest scores, (V,), best first."""
    return tuple(
        ScoredToken(
            *astuple(piece(token)), logit=float(logits[token]), logprob=float(logprobs[token])
        )
        for token in top_places(logits, top_n)
    )


# --- checks --------------------------------------------------------------------------------------


def check_text(ids: Sequence[int], source: Source, most: int | None = None) -> None:
    """Refuse an empty text, unknown tokens, and more than a pass can take."""
    check_tokens(ids, source)
    if len(ids) > source.n_ctx:
        raise ContextOverflowError(
            f"The text has {len(ids):,} tokens, and the context holds {source.n_ctx:,}.",
            "Load the model with a larger context, or shorten the text.",
        )
    if most is not None and len(ids) > most:
        raise ContextOverflowError(
            f"Attention is shown for up to {most:,} tokens; the text has {len(ids):,}.",
            "Shorten the text.",
        )


def check_tokens(ids: Sequence[int], source: Source) -> None:
    """Refuse no tokens at all, and unknown ones."""
    if not ids:
        raise UnsupportedRequestError("There is no token to look at.", "Write some text first.")
    source.check_ids(ids)


def check_place(what: str, place: int, count: int) -> None:
    """Refuse a layer or head that does not exist."""
    if not 0 <= place < count:
        raise UnsupportedRequestError(
            f"There is no {what} {place} in this model.",
            f"Its {what}s go from 0 to {count - 1}.",
        )


def check_window(window: Window | None, n_tokens: int) -> None:
    """Refuse a part that lies outside the matrix."""
    if window is None:
        return
    top, left, rows, columns = window
    inside = top >= 0 and left >= 0 and top + rows <= n_tokens and left + columns <= n_tokens
    if not inside or rows < 1 or columns < 1:
        raise UnsupportedRequestError(
            "This part of the attention does not exist.",
            f"Rows and columns go from 0 to {n_tokens - 1:,}.",
        )


def check_positions(positions: Sequence[int], n_tokens: int) -> None:
    """Refuse positions outside the text, and none at all."""
    if not positions:
        raise UnsupportedRequestError("There is no position to look at.", "Choose one.")
    for position in positions:
        if not 0 <= position < n_tokens:
            raise UnsupportedRequestError(
                f"There is no position {position} in this text.",
                f"Positions go from 0 to {n_tokens - 1:,}.",
            )


# --- numbers -------------------------------------------------------------------------------------


def array(numbers: Numbers) -> Array:
    """Return numbers as a finding."""
    return Array(numbers.shape, np.ascontiguousarray(numbers, np.float32).tobytes())


def top_places(scores: Numbers, count: int) -> list[int]:
    """Return the places of the largest scores, largest first, equal ones by place."""
    count = max(0, min(count, _MOST_TOP, scores.size))
    if not count:
        return []
    limit = np.partition(scores, scores.size - count)[scores.size - count]
    places = np.flatnonzero(scores >= limit)
    order = np.lexsort((places, -scores[places]))
    return [int(place) for place in places[order[:count]]]


def log_softmax(logits: Numbers) -> Numbers:
    """Return natural logs of the chances, row by row, (N, V).

    Raises:
        CorruptCheckpointError: The largest of a row is not a number or infinite.
    """
    largest = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        raise no_numbers()
    shifted = logits - largest
    sums = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)
    chances: Numbers = (shifted - np.log(sums)).astype(np.float32)
    return chances


def entropy_bits(logprobs: Numbers) -> Numbers:
    """Return ``-sum p log2 p`` of each row, (N,)."""
    chances = np.exp(logprobs)
    terms = np.where(chances > 0, chances * np.where(chances > 0, logprobs, 0), 0)
    bits: Numbers = (-terms.sum(axis=-1) / math.log(2)).astype(np.float32)
    return bits


def unit(vectors: Numbers) -> Numbers:
    """Scale each row to length 1; a row of zeros stays, (N, C)."""
    lengths = np.sqrt(np.square(vectors, dtype=np.float32).sum(axis=-1, keepdims=True))
    scaled: Numbers = vectors / np.maximum(lengths, np.float32(1e-30))
    return scaled
