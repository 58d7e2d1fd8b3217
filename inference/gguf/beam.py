"""Beam search through llama.cpp; the rules of the search are in ``inference.beam_search``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.beam_search import BeamSearch, Continuation
from inference.gguf.branches import Branches
from inference.gguf.probabilities import Distribution, check_finite, top_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from inference.cancel import CancelToken
    from inference.gguf.probabilities import Logits
    from inference.gguf.session import Session
    from inference.types import SamplingParams


class BeamDecoder:
    """The search for one answer.

    Args:
        session: It has read the prompt.
        params: ``beams``, ``length_penalty`` and ``early_stop`` are read.
        limit: Longest answer in tokens; at least 1.
        ends: Ids that complete an answer.
        look: Called with the distribution after each running beam, and the beam's node.
    """

    def __init__(
        self,
        session: Session,
        params: SamplingParams,
        *,
        limit: int,
        ends: Collection[int],
        look: Callable[[Distribution, int], None],
    ) -> None:
        self._session = session
        self._count = params.beams
        self._limit = limit
        self._look = look
        self.search = BeamSearch(params, limit, ends)

    def run(self, cancel: CancelToken) -> bool:
        """Search to the end; return whether it was reached, and not stopped before.

        Raises:
            InferenceError: One of its children: no memory, or scores that are no numbers.
        """
        branches = Branches(self._session, self._count, self._limit, cancel)
        try:
            return self._run(branches, cancel)
        finally:
            branches.close()

    def _run(self, branches: Branches, cancel: CancelToken) -> bool:
        search = self.search
        logits: Logits | None = self._session.logits()[None]  # (1, V)
        while not cancel.cancelled and logits is not None:
            search.advance(self._continuations(logits))
            if search.done:
                return True
            branches.keep(search.rows)
            logits = branches.read([search.tokens(node)[-1] for node in search.running])
        return False

    def _continuations(self, logits: Logits) -> list[Continuation]:
        """Return the best ways to go on after the running beams, whose logits are (R, V)."""
        check_finite(logits)
        search = self.search
        totals = np.empty_like(logits)
        distributions = [Distribution.of(row) for row in logits]
        for row, (distribution, node, score) in enumerate(
            zip(distributions, search.running, search.scores, strict=True)
        ):
            self._look(distribution, node)
            totals[row] = logits[row] + np.float32(score - distribution.log_sum)
        flat = totals.ravel()
        found: list[Continuation] = []
        for place in top_ids(flat, search.wanted).tolist():
            row, token = divmod(place, logits.shape[1])
            logprob = distributions[row].logprob(token)
            found.append(Continuation(row, token, logprob, float(flat[place])))
        return found
