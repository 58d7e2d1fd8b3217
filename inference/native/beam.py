"""Beam search through a network: the scores of all beams in one pass per token.

The rules of the search are in ``inference.beam_search``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from inference.beam_search import BeamSearch, Continuation
from inference.native.sampling import check_finite
from inference.native.session import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.native.penalties import Penalties
    from inference.native.session import Session
    from inference.types import SamplingParams


class BeamDecoder:
    """The search for one answer.

    Args:
        session: It has read the prompt.
        params: ``beams``, ``length_penalty`` and ``early_stop`` are read.
        penalties: They act on the log-probabilities, as in transformers.
        prompt: Its ids, for the penalties.
        limit: Longest answer in tokens; at least 1.
        ends: Ids that complete an answer.
        look: Called with the log-probabilities after each running beam, (V,), and the beam's node.
    """

    def __init__(
        self,
        session: Session,
        params: SamplingParams,
        penalties: Penalties,
        *,
        prompt: Sequence[int],
        limit: int,
        ends: Collection[int],
        look: Callable[[Tensor, int], None],
    ) -> None:
        self._session = session
        self._count = params.beams
        self._limit = limit
        self._penalties = penalties
        self._prompt = list(prompt)
        self._look = look
        self.search = BeamSearch(params, limit, ends)

    def run(self, cancel: CancelToken) -> bool:
        """Search to the end; return whether it was reached, and not stopped before.

        Raises:
            CorruptCheckpointError: The scores are not numbers.
        """
        search = self.search
        branches = self._session.branch(self._count, self._limit)
        logits = self._session.next_logits()[None]  # (1, V)
        try:
            while True:
                if cancel.cancelled:
                    return False
                search.advance(self._continuations(logits))
                if search.done:
                    return True
                branches.keep(search.rows, search.length - 1)
                newest = [search.tokens(node)[-1] for node in search.running]
                logits = branches.score(branches.read(newest, cancel))  # (R, V)
        except StoppedError:
            return False

    def _continuations(self, logits: Tensor) -> list[Continuation]:
        """Return the best ways to go on after the running beams, whose logits are (R, V)."""
        check_finite(logits)
        search = self.search
        logprobs = logits.log_softmax(-1)  # (R, V)
        for row, node in zip(logprobs, search.running, strict=True):
            self._look(row, node)
        moved = torch.stack(
            [
                self._penalties.apply(row, self._prompt + search.tokens(node))
                for row, node in zip(logprobs, search.running, strict=True)
            ]
        )  # (R, V)
        totals = moved + moved.new_tensor(search.scores)[:, None]  # (R, V)
        best, places = totals.flatten().topk(min(search.wanted, totals.numel()))
        found: list[Continuation] = []
        for score, place in zip(best.tolist(), places.tolist(), strict=True):
            row, token = divmod(place, logits.shape[1])
            found.append(Continuation(row, token, float(logprobs[row, token]), score))
        return found
