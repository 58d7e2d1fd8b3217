"""Answers every question from the raw numbers of an engine; the same for both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np
from msgspec.structs import astuple

from inference.errors import UnsupportedRequestError
from inference.inside.attention import Overview, Reduced, Rollout, habits, part
from inference.inside.changing import changed
from inference.inside.products import AskProducts, Products
from inference.inside.pushes import AskPushes, AskVotes
from inference.inside.pushing import about_pushes
from inference.inside.questions import (
    MOST_ATTENTION_TOKENS,
    Array,
    AskAttention,
    AskAttentionOverview,
    AskChanged,
    AskContext,
    AskHabits,
    AskHidden,
    AskLens,
    AskLensAlong,
    AskMap,
    AskNeighbours,
    AskNext,
    AskPieces,
    AskRollout,
    AskSum,
    AskSurprise,
    AskUpdates,
    AskVectors,
    Finding,
    Lens,
    NextTokens,
    Pieces,
    Question,
    Surprise,
)
from inference.inside.reading import (
    StoppedLookError,
    array,
    check_place,
    check_positions,
    check_text,
    check_window,
    log_softmax,
    next_tokens,
    top_places,
)
from inference.inside.stages import likeliest_first
from inference.inside.vectors import about_vectors
from inference.types import Candidate

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.inside.pushes import Pushes, Votes
    from inference.inside.pushing import AboutPushes
    from inference.inside.source import Numbers, Source


_LENS_NUMBERS = 2**25  # logits at a time: reading the output head costs more than a few rows do
_LENS_ROWS = 64  # whose chances are taken at a time


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
        case AskAttention() | AskHabits() | AskProducts():
            finding = _layer(question, source, cancel)
        case AskAttentionOverview():
            finding = _overview(question, source, cancel)
        case AskRollout():
            finding = _rollout(question, source, cancel)
        case AskHidden() | AskUpdates():
            finding = _streams(question, source, cancel)
        case AskLens() | AskLensAlong() | AskPushes() | AskVotes():
            finding = _through_head(question, source, cancel)
        case AskChanged():
            finding = changed(question, source, cancel)
        case AskNeighbours() | AskSum() | AskMap() | AskContext() | AskVectors():
            finding = about_vectors(question, source, cancel)
        case AskSurprise() | AskPieces():
            finding = _along(question, source, cancel)
        case _:
            assert_never(question)
    return finding


# --- one kind of question each -------------------------------------------------------------------


def _next(question: AskNext, source: Source, cancel: CancelToken) -> NextTokens:
    check_text(question.token_ids, source)
    logits = source.next_logits(question.token_ids, cancel)  # (V,)
    found = next_tokens(logits, question.top_n, source.piece)
    if not question.all_logits:
        return found
    every, order = logits.astype(np.float32), likeliest_first(logits)
    return NextTokens(found.top, found.entropy_bits, every.tobytes(), order.tobytes())


def _layer(
    question: AskAttention | AskHabits | AskProducts, source: Source, cancel: CancelToken
) -> Array | Products:
    check_text(question.token_ids, source, MOST_ATTENTION_TOKENS)
    check_place("layer", question.layer, source.n_layers)
    if isinstance(question, AskProducts):
        return _products(question, source, cancel)
    return _attention(question, source, cancel)


def _attention(question: AskAttention | AskHabits, source: Source, cancel: CancelToken) -> Array:
    ids = question.token_ids
    if isinstance(question.heads, int):
        check_place("head", question.heads, source.n_heads)

    def looked() -> Numbers:
        taken = Reduced(question.heads, source.n_heads, len(ids))
        source.attention(ids, (question.layer,), taken.take, cancel)
        return taken.weights

    if isinstance(question, AskAttention) and question.heads == "all":
        if question.window is not None or question.size:
            raise UnsupportedRequestError(
                "A part of the attention is shown for one head at a time."
            )
        return array(looked())
    if isinstance(question, AskAttention):
        check_window(question.window, len(ids))
    weights = source.last_look.get((ids, question.layer, question.heads), looked)
    if isinstance(question, AskHabits):
        return array(habits(weights))
    return array(part(weights, question.window, question.size))


def _products(question: AskProducts, source: Source, cancel: CancelToken) -> Products:
    ids, place = question.token_ids, question.place
    check_place("head", question.head, source.n_heads)
    place = len(ids) - 1 if place == -1 else place
    check_positions((place,), len(ids))
    return source.products(ids, question.layer, question.head, place, cancel)


def _overview(question: AskAttentionOverview, source: Source, cancel: CancelToken) -> Array:
    check_text(question.token_ids, source, MOST_ATTENTION_TOKENS)
    if question.size < 1:
        raise UnsupportedRequestError("A picture needs at least one cell.")
    n_layers = source.n_layers
    overview = Overview(n_layers, source.n_heads, len(question.token_ids), question.size)
    source.attention(question.token_ids, range(n_layers), overview.take, cancel)
    return array(overview.cells)


def _rollout(question: AskRollout, source: Source, cancel: CancelToken) -> Array:
    ids = question.token_ids
    check_text(ids, source, MOST_ATTENTION_TOKENS)
    check_window(question.window, len(ids))

    def make() -> Numbers:
        rollout = Rollout(source.n_layers, len(ids))
        source.attention(ids, range(source.n_layers), rollout.take, cancel)
        return rollout.result()

    flow = source.last_look.get((ids, "rollout"), make)
    figure = array(part(flow, question.window, question.size))
    return Array(figure.shape, figure.data, "derived")


def _streams(question: AskHidden | AskUpdates, source: Source, cancel: CancelToken) -> Array:
    check_text(question.token_ids, source)
    if isinstance(question, AskUpdates):
        return array(source.updates(question.token_ids, cancel))
    check_positions(question.positions, len(question.token_ids))
    return array(source.hidden(question.token_ids, question.positions, cancel))


def _through_head(
    question: AskLens | AskLensAlong | AboutPushes, source: Source, cancel: CancelToken
) -> Lens | Pushes | Votes:
    if isinstance(question, AskLens | AskLensAlong):
        return _lens(question, source, cancel)
    return about_pushes(question, source, cancel)


def _lens(question: AskLens | AskLensAlong, source: Source, cancel: CancelToken) -> Lens:
    check_text(question.token_ids, source)
    n_tokens = len(question.token_ids)
    top_n = question.top_n if isinstance(question, AskLens) else 1
    positions = _positions(question, n_tokens)
    check_positions(positions, n_tokens)
    stream = source.hidden(question.token_ids, positions, cancel)[1:]  # (L, P, C)
    rows = stream.reshape(-1, stream.shape[-1])  # (L * P, C)
    found: list[Candidate] = []
    at_once = max(1, _LENS_NUMBERS // source.n_vocab)
    for start in range(0, len(rows), at_once):
        logits = source.unembed(rows[start : start + at_once], cancel)  # (n, V)
        found += _likeliest(logits, top_n, source, cancel)
    each = len(found) // len(stream)
    return Lens(tuple(tuple(found[n * each : (n + 1) * each]) for n in range(len(stream))))


def _likeliest(logits: Numbers, top_n: int, source: Source, cancel: CancelToken) -> list[Candidate]:
    """Return the likeliest tokens of each row of scores, (N, V), one row after the other."""
    found: list[Candidate] = []
    for start in range(0, len(logits), _LENS_ROWS):
        if cancel.cancelled:
            raise StoppedLookError
        part = logits[start : start + _LENS_ROWS]
        for scores, chances in zip(part, log_softmax(part), strict=True):
            found += [
                Candidate(*astuple(source.piece(token)), logprob=float(chances[token]))
                for token in top_places(scores, top_n)
            ]
    return found


def _positions(question: AskLens | AskLensAlong, n_tokens: int) -> tuple[int, ...]:
    if isinstance(question, AskLensAlong):
        return question.positions
    return (n_tokens - 1 if question.position == -1 else question.position,)


def _along(
    question: AskSurprise | AskPieces, source: Source, cancel: CancelToken
) -> Surprise | Pieces:
    ids = question.token_ids
    if isinstance(question, AskSurprise):
        check_text(ids, source)
        check_positions((question.first,), len(ids))
        return source.last_surprise.of(question, source, cancel)
    source.check_ids(ids)
    return Pieces(tuple(map(source.piece, ids)))
