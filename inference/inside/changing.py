"""Answers what a change does: two runs, the unchanged one beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.errors import UnsupportedRequestError
from inference.inside.questions import BlockOff, ChangedRun, EdgeOff, HeadOff
from inference.inside.reading import check_place, check_text, log_softmax, next_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.inside.questions import AskChanged, Change
    from inference.inside.source import Numbers, Source

_TOP_N = 20
_LONGEST = 64


def changed(question: AskChanged, source: Source, cancel: CancelToken) -> ChangedRun:
    """Run the text as it is and as it is changed; both write the likeliest tokens after it.

    Raises:
        UnsupportedRequestError: A part does not exist, or this engine cannot switch it off.
    """
    ids = question.token_ids
    other = question.changed_ids or ids
    for text in (ids, other):
        check_text(text, source)
    for change in question.changes:
        _check(change, source, len(other))
    length = max(0, min(question.length, _LONGEST, source.n_ctx - max(len(ids), len(other))))
    before, before_text = _run(ids, (), length, source, cancel)
    after, after_text = _run(other, question.changes, length, source, cancel)
    return ChangedRun(
        next_tokens(before, _TOP_N, source.text_of),
        next_tokens(after, _TOP_N, source.text_of),
        before_text,
        after_text,
        _divergence_bits(before, after),
    )


def _run(
    ids: Sequence[int],
    changes: Sequence[Change],
    length: int,
    source: Source,
    cancel: CancelToken,
) -> tuple[Numbers, str]:
    """Return the scores after the text, and what is written from there."""
    written = list(ids)
    first = source.changed_logits(written, changes, cancel)
    logits = first
    for _ in range(length):
        written.append(int(logits.argmax()))
        logits = source.changed_logits(written, changes, cancel)
    return first, "".join(source.text_of(token) for token in written[len(ids) :])


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
