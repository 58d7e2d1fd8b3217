"""Answers every question from the raw numbers of an engine; the same for both engines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

import numpy as np

from inference.errors import ContextOverflowError, InferenceError, UnsupportedRequestError
from inference.inside.attention import Overview, Reduced, Rollout, part
from inference.inside.questions import (
    MOST_ATTENTION_TOKENS,
    Array,
    AskAttention,
    AskAttentionOverview,
    AskHidden,
    AskLens,
    AskNeighbours,
    AskNext,
    AskRollout,
    AskSurprise,
    AskUpdates,
    AskVectors,
    Finding,
    Lens,
    Neighbour,
    Neighbours,
    NextTokens,
    Question,
    ScoredToken,
    Surprise,
    Window,
)
from inference.types import Candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.inside.source import Numbers, Source

_MOST_TOP = 1000


class StoppedLookError(InferenceError):
    """The person asked to stop."""

    def __init__(self) -> None:
        super().__init__("Looking inside was stopped.")


def answer(question: Question, source: Source, cancel: CancelToken) -> Finding:
    """Return what ``question`` asks for.

    Raises:
        UnsupportedRequestError: A layer, head or token does not exist, or the model cannot show it.
        ContextOverflowError: There are more tokens than a pass can take.
        InferenceError: It was stopped, or another of its children.
    """
    finding: Finding
    match question:
        case AskNext():
            finding = _next(question, source, cancel)
        case AskAttention():
            finding = _attention(question, source, cancel)
        case AskAttentionOverview():
            finding = _overview(question, source, cancel)
        case AskRollout():
            finding = _rollout(question, source, cancel)
        case AskHidden() | AskUpdates():
            finding = _streams(question, source, cancel)
        case AskLens():
            finding = _lens(question, source, cancel)
        case AskNeighbours():
            finding = _neighbours(question, source)
        case AskVectors():
            source.check_ids(question.token_ids)
            finding = _array(source.vectors(question.token_ids))
        case AskSurprise():
            finding = _surprise(question, source, cancel)
        case _:
            assert_never(question)
    return finding


# --- one kind of question each -------------------------------------------------------------------


def _next(question: AskNext, source: Source, cancel: CancelToken) -> NextTokens:
    _check_text(question.token_ids, source)
    logits = source.next_logits(question.token_ids, cancel)  # (V,)
    logprobs = _log_softmax(logits[None])[0]  # (V,)
    top = tuple(
        ScoredToken(token, source.text_of(token), float(logits[token]), float(logprobs[token]))
        for token in _top(logits, question.top_n)
    )
    every = logits.astype(np.float32).tobytes() if question.all_logits else b""
    return NextTokens(top, float(_entropy_bits(logprobs[None])[0]), every)


def _attention(question: AskAttention, source: Source, cancel: CancelToken) -> Array:
    ids = question.token_ids
    _check_text(ids, source, MOST_ATTENTION_TOKENS)
    _check_place("layer", question.layer, source.n_layers)
    if isinstance(question.heads, int):
        _check_place("head", question.heads, source.n_heads)
    if question.heads == "all":
        if question.window is not None or question.size:
            raise UnsupportedRequestError(
                "A part of the attention is shown for one head at a time."
            )
        return _array(_looked(question, source, cancel))
    _check_window(question.window, len(ids))
    key = (ids, question.layer, question.heads)
    weights = source.last_look.get(key, lambda: _looked(question, source, cancel))
    return _array(part(weights, question.window, question.size))


def _looked(question: AskAttention, source: Source, cancel: CancelToken) -> Numbers:
    taken = Reduced(question.heads, source.n_heads, len(question.token_ids))
    source.attention(question.token_ids, (question.layer,), taken.take, cancel)
    return taken.weights


def _overview(question: AskAttentionOverview, source: Source, cancel: CancelToken) -> Array:
    _check_text(question.token_ids, source, MOST_ATTENTION_TOKENS)
    if question.size < 1:
        raise UnsupportedRequestError("A picture needs at least one cell.")
    n_layers = source.n_layers
    overview = Overview(n_layers, source.n_heads, len(question.token_ids), question.size)
    source.attention(question.token_ids, range(n_layers), overview.take, cancel)
    return _array(overview.cells)


def _rollout(question: AskRollout, source: Source, cancel: CancelToken) -> Array:
    ids = question.token_ids
    _check_text(ids, source, MOST_ATTENTION_TOKENS)
    _check_window(question.window, len(ids))

    def make() -> Numbers:
        rollout = Rollout(source.n_layers, len(ids))
        source.attention(ids, range(source.n_layers), rollout.take, cancel)
        return rollout.result()

    flow = source.last_look.get((ids, "rollout"), make)
    figure = _array(part(flow, question.window, question.size))
    return Array(figure.shape, figure.data, "derived")


def _streams(question: AskHidden | AskUpdates, source: Source, cancel: CancelToken) -> Array:
    _check_text(question.token_ids, source)
    if isinstance(question, AskUpdates):
        return _array(source.updates(question.token_ids, cancel))
    _check_positions(question.positions, len(question.token_ids))
    return _array(source.hidden(question.token_ids, question.positions, cancel))


def _lens(question: AskLens, source: Source, cancel: CancelToken) -> Lens:
    _check_text(question.token_ids, source)
    n_tokens = len(question.token_ids)
    position = n_tokens - 1 if question.position == -1 else question.position
    _check_positions((position,), n_tokens)
    stream = source.hidden(question.token_ids, (position,), cancel)[1:, 0]  # (L, C)
    logits = source.unembed(stream)  # (L, V)
    logprobs = _log_softmax(logits)  # (L, V)
    return Lens(
        tuple(
            tuple(
                Candidate(token, source.text_of(token), float(chances[token]))
                for token in _top(scores, question.top_n)
            )
            for scores, chances in zip(logits, logprobs, strict=True)
        )
    )


def _neighbours(question: AskNeighbours, source: Source) -> Neighbours:
    asked = (*question.plus, *question.minus)
    if not question.plus:
        raise UnsupportedRequestError("A search for neighbours needs at least one token.")
    source.check_ids(asked)
    vectors = _unit(source.vectors(asked))  # (N, C)
    signs = np.array([1.0] * len(question.plus) + [-1.0] * len(question.minus), np.float32)
    direction = _unit((signs[:, None] * vectors).sum(0, keepdims=True))[0]  # (C,)
    cosines = np.concatenate([_unit(rows) @ direction for rows in source.all_vectors()])  # (V,)
    cosines[list(asked)] = -np.inf
    found = _top(cosines, min(question.top_n, len(cosines) - len(set(asked))))
    return Neighbours(
        tuple(Neighbour(token, source.text_of(token), float(cosines[token])) for token in found)
    )


def _surprise(question: AskSurprise, source: Source, cancel: CancelToken) -> Surprise:
    ids = question.token_ids
    _check_text(ids, source)
    logprobs: list[float | None] = [None]
    entropies: list[float | None] = [None]
    for logits in source.logits_after_each(ids, cancel):  # (T', V)
        following = ids[len(logprobs) : len(logprobs) + len(logits)]
        chances = _log_softmax(logits[: len(following)])  # (T', V)
        logprobs += chances[np.arange(len(following)), list(following)].tolist()
        entropies += _entropy_bits(chances).tolist()
    return Surprise(tuple(logprobs), tuple(entropies))


# --- checks --------------------------------------------------------------------------------------


def _check_text(ids: Sequence[int], source: Source, most: int | None = None) -> None:
    if not ids:
        raise UnsupportedRequestError("There is no token to look at.", "Write some text first.")
    source.check_ids(ids)
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


def _check_place(what: str, place: int, count: int) -> None:
    if not 0 <= place < count:
        raise UnsupportedRequestError(
            f"There is no {what} {place} in this model.",
            f"Its {what}s go from 0 to {count - 1}.",
        )


def _check_window(window: Window | None, n_tokens: int) -> None:
    if window is None:
        return
    top, left, rows, columns = window
    inside = top >= 0 and left >= 0 and top + rows <= n_tokens and left + columns <= n_tokens
    if not inside or rows < 1 or columns < 1:
        raise UnsupportedRequestError(
            "This part of the attention does not exist.",
            f"Rows and columns go from 0 to {n_tokens - 1:,}.",
        )


def _check_positions(positions: Sequence[int], n_tokens: int) -> None:
    for position in positions:
        if not 0 <= position < n_tokens:
            raise UnsupportedRequestError(
                f"There is no position {position} in this text.",
                f"Positions go from 0 to {n_tokens - 1:,}.",
            )


# --- numbers -------------------------------------------------------------------------------------


def _array(numbers: Numbers) -> Array:
    return Array(numbers.shape, np.ascontiguousarray(numbers, np.float32).tobytes())


def _top(scores: Numbers, count: int) -> list[int]:
    """Return the places of the largest scores, largest first, equal ones by place."""
    count = max(0, min(count, _MOST_TOP, scores.size))
    if not count:
        return []
    limit = np.partition(scores, scores.size - count)[scores.size - count]
    places = np.flatnonzero(scores >= limit)
    order = np.lexsort((places, -scores[places]))
    return [int(place) for place in places[order[:count]]]


def _log_softmax(logits: Numbers) -> Numbers:
    """Return natural logs of the chances, row by row, (N, V)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    sums = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)
    chances: Numbers = (shifted - np.log(sums)).astype(np.float32)
    return chances


def _entropy_bits(logprobs: Numbers) -> Numbers:
    """Return ``-sum p log2 p`` of each row, (N,)."""
    chances = np.exp(logprobs)
    terms = np.where(chances > 0, chances * np.where(chances > 0, logprobs, 0), 0)
    bits: Numbers = (-terms.sum(axis=-1) / math.log(2)).astype(np.float32)
    return bits


def _unit(vectors: Numbers) -> Numbers:
    """Scale each row to length 1; a row of zeros stays, (N, C)."""
    lengths = np.sqrt(np.square(vectors, dtype=np.float32).sum(axis=-1, keepdims=True))
    scaled: Numbers = vectors / np.maximum(lengths, np.float32(1e-30))
    return scaled
