"""Answers what a change does: two runs, the unchanged one beside it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import astuple, replace

from inference.errors import UnsupportedRequestError
from inference.inside.questions import (
    BlockOff,
    ChangedRun,
    EdgeOff,
    HeadOff,
    WrittenStep,
)
from inference.inside.reading import (
    check_place,
    check_text,
    entropy_bits,
    log_softmax,
    next_tokens,
    scored_tokens,
)
from inference.sampling_rules import COLDEST
from inference.text.detokenizer import Utf8Stream
from inference.text.stops import StopMatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.inside.questions import AskChanged, Change
    from inference.inside.source import Numbers, Source

_TOP_N = 20
_TOP_STEP = 8
_HOTTEST = 5.0
_LONGEST = 64


def changed(question: AskChanged, source: Source, cancel: CancelToken) -> ChangedRun:
    """Run the text as it is and as it is changed; both write some tokens after it.

    Raises:
        UnsupportedRequestError: A part does not exist, or this engine cannot switch it off.
    """
    ids = question.token_ids
    other = question.changed_ids or ids
    for text in (ids, other):
        check_text(text, source)
    for change in question.changes:
        _check(change, source, len(other))
    _check_temperatures((*question.temperatures, question.temperature))
    length = max(0, min(question.length, _LONGEST, source.n_ctx - max(len(ids), len(other))))
    plain = replace(question, temperatures=(question.temperature,), changes=(), length=length)
    steered = replace(question, length=length)
    before, before_steps, before_ended = _run(ids, plain, source, cancel)
    after, after_steps, after_ended = _run(other, steered, source, cancel)
    return ChangedRun(
        next_tokens(before, _TOP_N, source.piece),
        next_tokens(after, _TOP_N, source.piece),
        before_steps,
        after_steps,
        _divergence_bits(before, after),
        before_ended,
        after_ended,
        question.stops,
    )


def _check_temperatures(temperatures: Sequence[float]) -> None:
    """Refuse what no token can be drawn at."""
    if any(not 0 <= one <= _HOTTEST for one in temperatures):
        raise UnsupportedRequestError(
            "A token cannot be drawn at this temperature.",
            f"Temperatures go from 0 to {_HOTTEST}.",
        )


def _run(
    ids: Sequence[int], question: AskChanged, source: Source, cancel: CancelToken
) -> tuple[Numbers, tuple[WrittenStep, ...], bool]:
    """Return the scores after the text, what is written from there, and whether that ended."""
    written = list(ids)
    first = logits = source.changed_logits(written, question.changes, cancel)
    chance = Random(question.seed)  # noqa: S311  not for secrets
    steps: list[WrittenStep] = []
    is_ended = False
    stops, letters = StopMatcher(question.stops), Utf8Stream()
    for number in range(question.length):
        if number:
            logits = source.changed_logits(written, question.changes, cancel)
        heat = question.temperatures
        step = _write(logits, heat[min(number, len(heat) - 1)] if heat else 0.0, chance, source)
        steps.append(step)
        written.append(step.id)
        said = "" if step.special else letters.push(step.data)
        is_ended = step.id in source.ends or stops.feed(said)
        if is_ended:
            break
    return first, tuple(steps), is_ended


def _write(logits: Numbers, temperature: float, chance: Random, source: Source) -> WrittenStep:
    """Draw one token; a number is drawn at temperature 0 too, so that both runs stay in step."""
    spot = chance.random()
    if temperature < COLDEST:
        temperature = 0.0
    heated = logits / temperature if temperature else logits
    logprobs = log_softmax(heated[None])[0]  # (V,)
    token = int(logits.argmax())
    if temperature:
        sums = np.cumsum(np.exp(logprobs, dtype=np.float64))
        place = int(np.searchsorted(sums, spot * sums[-1], side="right"))
        token = min(place, len(sums) - 1)
    return WrittenStep(
        *astuple(source.piece(token)),
        temperature=temperature,
        entropy_bits=float(entropy_bits(logprobs[None])[0]),
        top=scored_tokens(logits, logprobs, _TOP_STEP, source.piece),
    )


def _check(change: Change, source: Source, n_tokens: int) -> None:
    if isinstance(change, HeadOff):
        check_place("layer", change.layer, source.n_layers)
        check_place("head", change.head, source.n_heads)
    elif isinstance(change, BlockOff):
        check_place("layer", change.layer, source.n_layers)
    elif isinstance(change, EdgeOff) and not 0 <= change.target <= change.place < n_tokens:
        raise UnsupportedRequestError(
            f"The token at {change.place} does not look at one at {change.target}.",
            "A token looks at itself and at those before it.",
        )


def _divergence_bits(before: Numbers, after: Numbers) -> float:
    """Return ``sum p log2(p / q)`` (Kullback & Leibler 1951), p before and q after."""
    p, q = log_softmax(before[None])[0], log_softmax(after[None])[0]
    return max(0.0, float((np.exp(p) * (p - q)).sum() / np.log(2)))
