"""Beam search on numbers alone: which continuations go on, which are complete, when it ends.

Knows neither networks nor logits, so that both engines search alike. The rules are those of
transformers' ``generate(num_beams=...)`` for one prompt, which its users compare with: twice as
many continuations as beams are looked at, complete answers are ranked by
``score / length ** length_penalty``, and ``early_stop`` means what ``early_stopping`` means there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import astuple

from inference.errors import UnsupportedRequestError
from inference.types import BeamEnd, BeamNode, BeamTree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from inference.types import BeamState, SamplingParams, TokenPiece

PROMPT = -1
"""Stands for the prompt where a node's parent is asked for."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """One more token after one of the running beams.

    Attributes:
        row: The running beam's place.
        token: Its id.
        logprob: Natural log of its chance in the unmodified distribution.
        score: Sum of the log-probabilities searched on, from the prompt to this token.
    """

    row: int
    token: int
    logprob: float
    score: float


@dataclass(slots=True)
class _Node:
    token: int
    parent: int
    logprob: float
    score: float
    state: BeamState = "pruned"


class BeamSearch:
    """The beams of one answer, and all that was looked at on the way.

    Call ``advance`` with the best ``wanted`` continuations until ``done``.

    Args:
        params: ``beams``, ``length_penalty`` and ``early_stop`` are read.
        limit: Longest answer in tokens; at least 1.
        ends: Ids that complete an answer.
    """

    def __init__(self, params: SamplingParams, limit: int, ends: Collection[int]) -> None:
        self._params = params
        self._limit = limit
        self._ends = frozenset(ends)
        self._nodes: list[_Node] = []
        self._complete: list[BeamEnd] = []  # best first
        self._running: list[int] = [PROMPT]
        self._length = 0
        self.done = False
        self.rows: list[int] = [0]

    @property
    def wanted(self) -> int:
        """How many continuations ``advance`` needs: enough to go on, whichever of them end."""
        return max(2, 1 + len(self._ends)) * self._params.beams

    @property
    def length(self) -> int:
        """Tokens that the running beams are long."""
        return self._length

    @property
    def running(self) -> tuple[int, ...]:
        """Nodes of the running beams, best first; ``rows`` says which beam each came from."""
        return tuple(self._running)

    @property
    def scores(self) -> list[float]:
        """Scores of the running beams."""
        return [0.0 if node == PROMPT else self._nodes[node].score for node in self._running]

    def advance(self, found: Iterable[Continuation]) -> None:
        """Go one token further.

        Args:
            found: The best ``wanted`` continuations of all running beams, best first; fewer only
                if there are no more.
        """
        ranked = [one for one in found if one.score > -math.inf]
        first = len(self._nodes)
        self._nodes += [
            _Node(one.token, self._running[one.row], one.logprob, one.score) for one in ranked
        ]
        self._length += 1
        beams = self._params.beams
        going_on: list[int] = []
        for rank, one in enumerate(ranked):
            node = first + rank
            if one.token in self._ends or self._length >= self._limit:
                if rank < beams:
                    self._finish(node)
            elif len(going_on) < beams:
                self._nodes[node].state = "kept"
                going_on.append(node)
        del self._complete[beams:]
        self._running = going_on
        self.rows = [ranked[node - first].row for node in going_on]
        self.done = not going_on or self._is_settled()

    def tokens(self, node: int) -> list[int]:
        """Return the ids from the prompt to a node."""
        return [self._nodes[place].token for place in self.path(node)]

    def path(self, node: int) -> list[int]:
        """Return the nodes from the prompt's first successor to a node."""
        places: list[int] = []
        while node != PROMPT:
            places.append(node)
            node = self._nodes[node].parent
        return places[::-1]

    def logprob(self, node: int) -> float:
        """Return the natural log of a node's chance in the unmodified distribution."""
        return self._nodes[node].logprob

    @property
    def winner(self) -> int:
        """The last node of the best complete answer, or of the best running one before that."""
        if self._complete:
            return self._complete[0].node
        return self._running[0] if self._running else PROMPT

    def tree(self, request_id: str, shown: Callable[[int], TokenPiece]) -> BeamTree:
        """Return all that was looked at, with each token for people."""
        nodes = tuple(
            BeamNode(
                *astuple(shown(node.token)),
                parent=node.parent,
                logprob=node.logprob,
                score=node.score,
                state=node.state,
            )
            for node in self._nodes
        )
        return BeamTree(request_id, nodes, self.winner, tuple(self._complete))

    def _finish(self, node: int) -> None:
        self._nodes[node].state = "finished"
        score = self._nodes[node].score / self._length**self._params.length_penalty
        place = sum(end.score >= score for end in self._complete)
        self._complete.insert(place, BeamEnd(node, score))

    def _is_settled(self) -> bool:
        """Say whether nothing that is still running can, or is likely to, do better."""
        params = self._params
        if len(self._complete) < params.beams:
            return False
        if params.early_stop is True:
            return True
        at_best = self._length
        if params.early_stop == "never" and params.length_penalty > 0:
            at_best = self._limit
        hoped: float = self._nodes[self._running[0]].score / at_best**params.length_penalty
        return hoped <= self._complete[-1].score


def no_beam_tree() -> UnsupportedRequestError:
    """Return what to raise where the tree of an answer is asked for that is not kept."""
    return UnsupportedRequestError(
        "There is no tree of beams for this answer.",
        "The tree of the latest answer by beam search is kept: ask before the next one begins.",
    )
