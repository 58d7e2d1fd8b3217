"""What acts on the logits before anything is chosen: bias, penalties, DRY, forbidden n-grams.

The order is that of ``inference.types.SamplingParams``. Nothing is remembered here: the history
comes with each call, so that beam search can ask for several at once.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import torch

from inference.repetition import banned_by_ngrams, dry_penalties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from inference.repetition import Breakers
    from inference.types import SamplingParams


class Penalties:
    """The settings that move logits.

    Args:
        params: Checked settings.
        breakers: DRY's, as token ids.
    """

    def __init__(self, params: SamplingParams, breakers: Breakers) -> None:
        self._params = params
        self._breakers = breakers
        self._penalises = params.penalty_window > 0 and (
            params.repeat_penalty != 1
            or params.frequency_penalty != 0
            or params.presence_penalty != 0
        )

    def apply(self, logits: Tensor, history: Sequence[int]) -> Tensor:
        """Return the logits to choose from, (V,); those given are left as they are.

        Args:
            logits: Scores of all V tokens, float32 on the CPU, (V,).
            history: All ids so far, prompt included.
        """
        params = self._params
        if params.logit_bias:
            ids, biases = zip(*params.logit_bias, strict=True)
            logits = logits.index_add(0, torch.tensor(ids), logits.new_tensor(biases))  # (V,)
        if self._penalises and history:
            logits = self._penalised(logits, history[-params.penalty_window :])
        if taken := dry_penalties(history, params, self._breakers):
            amounts = -logits.new_tensor(list(taken.values()))
            logits = logits.index_add(0, torch.tensor(list(taken)), amounts)  # (V,)
        if banned := banned_by_ngrams(history, params.no_repeat_ngram):
            allowed = logits.index_fill(0, torch.tensor(list(banned)), -math.inf)  # (V,)
            if allowed.max() > -math.inf:  # something has to be said
                logits = allowed
        return logits

    def _penalised(self, logits: Tensor, recent: Sequence[int]) -> Tensor:
        """Lower tokens of the recent past (Keskar et al. 2019, section 4.1; OpenAI's two)."""
        params = self._params
        counted = Counter(recent)
        ids = torch.tensor(list(counted))  # (R,)
        counts = torch.tensor(list(counted.values()), dtype=logits.dtype)  # (R,)
        found = logits[ids]  # (R,)
        found = torch.where(found > 0, found / params.repeat_penalty, found * params.repeat_penalty)
        found -= counts * params.frequency_penalty + params.presence_penalty
        return logits.index_copy(0, ids, found)  # (V,)
