"""Answers which words each part pushes; what is computed, and from where, says ``pushes.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from msgspec.structs import astuple

from inference.errors import UnsupportedRequestError
from inference.inside.pushes import AskPushes, AskVotes, PartPushes, Push, Pushes, Vote, Votes
from inference.inside.reading import check_place, check_positions, check_text, top_places
from inference.sampling_rules import no_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.inside.pushes import PartKind
    from inference.inside.source import Numbers, Source

AboutPushes: TypeAlias = AskPushes | AskVotes

_NUMBERS: Final = 2**25  # rises at a time: reading the output head costs more than a few rows do


def about_pushes(question: AboutPushes, source: Source, cancel: CancelToken) -> Pushes | Votes:
    """Return what ``question`` asks for; errors as in ``answering.answer``."""
    check_text(question.token_ids, source)
    count = len(question.token_ids)
    place = count - 1 if question.position == -1 else question.position
    check_positions((place,), count)
    if isinstance(question, AskPushes):
        for layer in question.layers:
            check_place("layer", layer, source.n_layers)
    else:
        source.check_ids([question.token, *([] if question.rival is None else [question.rival])])
    read = question.token_ids[: place + 1]
    parts = source.last_parts.get((read, "parts"), lambda: source.parts(read, cancel))
    if isinstance(question, AskPushes):
        return _pushes(question, _Parts(parts, source), cancel)
    return _votes(question, _Parts(parts, source))


class _Parts:
    """The parts at one place, (2 L + 1, C), the rest behind them, and how they enter the head."""

    def __init__(self, rows: Numbers, source: Source) -> None:
        *parts, stream = rows  # (C,) each
        self.source, self.head = source, source.head
        added = np.stack(parts)  # (2 L + 1, C)
        # In half precision the stream is rounded after each sum.
        rest = stream.astype(np.float64) - added.sum(axis=0, dtype=np.float64)  # (C,)
        self.added = np.concatenate([added, rest[None].astype(np.float32)])  # (2 L + 2, C)
        self.entering, bias = self.head.entering(self.added, stream)  # (2 L + 2, C), (C,)
        self.entering[-1] += bias
        if not np.isfinite(self.entering).all():
            raise no_numbers()

    def name(self, row: int) -> tuple[PartKind, int]:
        """Return which part a row is, and of which block."""
        if row in {0, len(self.added) - 1}:
            return ("rest" if row else "embedding"), -1
        return ("forward" if row % 2 == 0 else "attention"), (row - 1) // 2

    def rows_of(self, layers: Sequence[int]) -> list[int]:
        """Return the rows of some blocks, or of all there is."""
        if not layers:
            return list(range(len(self.added)))
        return [row for layer in layers for row in (2 * layer + 1, 2 * layer + 2)]


def _pushes(question: AskPushes, parts: _Parts, cancel: CancelToken) -> Pushes:
    if question.top_n < 1:
        raise UnsupportedRequestError("A list of words needs at least one.")
    rows = parts.rows_of(question.layers)
    at_once = max(1, _NUMBERS // parts.source.n_vocab)
    found: list[PartPushes] = []
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        rises = parts.head.scores(parts.entering[some], cancel)  # (n, V)
        found += [
            _listed(parts, row, each, question.top_n) for row, each in zip(some, rises, strict=True)
        ]
    return Pushes(tuple(found))


def _listed(parts: _Parts, row: int, rises: Numbers, top_n: int) -> PartPushes:
    """Return the ends of what one part does to all tokens, (V,)."""
    kind, layer = parts.name(row)
    if kind == "rest" and (bias := parts.head.bias()) is not None:
        rises = rises + bias

    def told(tokens: list[int]) -> tuple[Push, ...]:
        piece = parts.source.piece
        return tuple(Push(*astuple(piece(one)), rise=float(rises[one])) for one in tokens)

    return PartPushes(
        kind,
        layer,
        length=float(np.linalg.norm(parts.added[row])),
        mean=float(rises.mean(dtype=np.float64)),
        promoted=told(top_places(rises, top_n)),
        suppressed=told(top_places(-rises, top_n)),
    )


def _votes(question: AskVotes, parts: _Parts) -> Votes:
    token, rival = question.token, question.rival
    asked = [token, token if rival is None else rival]
    rows = np.concatenate([parts.head.rows(asked), parts.head.mean()[None]])  # (3, C)
    rises = parts.entering @ rows.T  # (2 L + 2, 3)
    bias = parts.head.bias()
    if bias is not None:
        rises[-1] += [*bias[asked], bias.mean()]
    votes = tuple(
        Vote(*parts.name(row), float(own), None if rival is None else float(other), float(mean))
        for row, (own, other, mean) in enumerate(rises)
    )
    piece = parts.source.piece
    return Votes(piece(token), None if rival is None else piece(rival), votes, parts.head.cap)
