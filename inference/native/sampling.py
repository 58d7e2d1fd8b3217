"""Choosing the next token from logits; what each setting means is in ``inference.types``.

The steps and their order are those of llama.cpp's default chain, so that both engines mean the
same by the same settings. Candidates are kept as two tensors, likeliest first.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import TYPE_CHECKING

import torch

from inference.errors import CorruptCheckpointError
from inference.sampling_rules import COLDEST, check_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from inference.types import SamplingParams


class Sampler:
    """Draws one answer's tokens.

    Args:
        params: Checked here.
        seed: Starts the random numbers; the same seed gives the same draws.
        history: The prompt's ids, which the penalties look back at.
    """

    def __init__(self, params: SamplingParams, seed: int, history: Iterable[int]) -> None:
        check_params(params)
        self._params = params
        self._generator = torch.Generator().manual_seed(seed % (1 << 63))
        self._recent = deque(history, maxlen=params.penalty_window)

    def pick(self, logits: Tensor) -> int:
        """Return the next token's id and remember it.

        Args:
            logits: Scores of all V tokens, float32 on the CPU, (V,); left as they are.

        Raises:
            CorruptCheckpointError: The scores are not numbers.
        """
        if not math.isfinite(logits.max().item()):
            raise CorruptCheckpointError(
                "The model computed something that is not a number.",
                "Its weights are probably damaged. Download the model again.",
            )
        logits = self._penalised(logits)  # (V,)
        token = int(logits.argmax()) if self._params.temperature < COLDEST else self._draw(logits)
        self._recent.append(token)
        return token

    def _draw(self, logits: Tensor) -> int:
        params = self._params
        n_kept = params.top_k or logits.numel()
        kept, ids = logits.topk(min(n_kept, logits.numel()))  # (K,), likeliest first
        for narrow, setting, off in (
            (_typical, params.typical_p, 1.0),
            (_top_p, params.top_p, 1.0),
            (_min_p, params.min_p, 0.0),
        ):
            if setting != off and kept.numel() > 1:
                chosen = narrow(kept, setting)  # (K',) places, likeliest first
                kept, ids = kept[chosen], ids[chosen]
        probabilities = (kept / params.temperature).softmax(0)  # (K,)
        place = torch.multinomial(probabilities, 1, generator=self._generator)  # (1,)
        return int(ids[place])

    def _penalised(self, logits: Tensor) -> Tensor:
        """Lower tokens of the recent past (Keskar et al. 2019, section 4.1; OpenAI's two)."""
        params = self._params
        neutral = params.repeat_penalty == 1 and not (
            params.frequency_penalty or params.presence_penalty
        )
        if neutral or not self._recent:
            return logits
        counted = Counter(self._recent)
        ids = torch.tensor(list(counted))  # (R,)
        counts = torch.tensor(list(counted.values()), dtype=logits.dtype)  # (R,)
        found = logits[ids]  # (R,)
        found = torch.where(found > 0, found / params.repeat_penalty, found * params.repeat_penalty)
        found -= counts * params.frequency_penalty + params.presence_penalty
        return logits.index_copy(0, ids, found)  # (V,)


def _typical(kept: Tensor, mass: float) -> Tensor:
    """Keep the tokens whose surprise is nearest the expected one (Meister et al. 2022, eq. 5)."""
    surprise = -kept.log_softmax(0)  # (K,)
    probabilities = (-surprise).exp()
    expected = (probabilities * surprise).nansum()
    order = (surprise - expected).abs().argsort(stable=True)
    chosen = order[: _count_reaching(probabilities[order], mass)]
    return chosen.sort().values


def _top_p(kept: Tensor, mass: float) -> Tensor:
    """Keep the fewest likeliest tokens that reach the mass (Holtzman et al. 2019, eq. 3)."""
    return torch.arange(_count_reaching(kept.softmax(0), mass))


def _min_p(kept: Tensor, share: float) -> Tensor:
    """Keep what is at least ``share`` as likely as the likeliest (Nguyen et al. 2024)."""
    count = int((kept >= kept[0] + math.log(share)).sum())
    return torch.arange(max(1, count))


def _count_reaching(probabilities: Tensor, mass: float) -> int:
    """Return how many, from the front, it takes to reach ``mass``; at least one."""
    below = int((probabilities.cumsum(0) < mass).sum())
    return min(below + 1, probabilities.numel())
