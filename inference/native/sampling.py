"""Choosing the next token from logits; what each setting means is in ``inference.types``.

The steps and their order are those of llama.cpp's default chain, so that both engines mean the
same by the same settings. Candidates are kept as two tensors, likeliest first.
"""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Self

import torch

from inference.native.penalties import Penalties
from inference.sampling_rules import check_params, is_greedy, no_numbers
from inference.speculation import Chances

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from inference.repetition import Breakers
    from inference.types import SamplingParams

_NO_XTC = 0.5  # from here on at most one token can reach the threshold


class Sampler:
    """Draws one answer's tokens.

    Args:
        params: Checked here.
        seed: Starts the random numbers; the same seed gives the same draws.
        history: The prompt's ids, which the penalties look back at.
        breakers: DRY's, as token ids; see ``inference.repetition.find_breakers``.
    """

    def __init__(
        self,
        params: SamplingParams,
        seed: int,
        history: Iterable[int],
        breakers: Breakers | None = None,
    ) -> None:
        check_params(params)
        self._params = params
        self._generator = torch.Generator().manual_seed(seed % (1 << 63))
        self._history = list(history)
        self._penalties = Penalties(params, breakers or {})
        self.greedy = is_greedy(params)
        """Whether the likeliest token is taken, after penalties and bias."""
        self._most_surprise = 2 * params.mirostat_tau  # bits; mirostat's mu

    def pick(self, logits: Tensor) -> int:
        """Return the next token's id and remember it.

        Args:
            logits: Scores of all V tokens, float32 on the CPU, (V,); left as they are.

        Raises:
            CorruptCheckpointError: The scores are not numbers.
        """
        logits = self._penalised(logits)  # (V,)
        # NumPy's search takes a tenth of PyTorch's time.
        token = int(logits.numpy().argmax()) if self.greedy else self._draw(logits)
        self._history.append(token)
        return token

    def distribution(self, logits: Tensor) -> Chances:
        """Return what ``pick`` would draw from; arguments and errors as there."""
        ids, chances = self.chances(self._penalised(logits))
        return Chances(ids.numpy(), chances.double().numpy())

    def remember(self, token: int) -> None:
        """Take a token that was chosen elsewhere as the newest."""
        self._history.append(token)

    def fork(self) -> Self:
        """Return a sampler with a history of its own from here on; chance is shared."""
        other = copy(self)
        vars(other)["_history"] = list(self._history)
        return other

    def close(self) -> None:
        """Nothing is to be freed."""

    def _penalised(self, logits: Tensor) -> Tensor:
        check_finite(logits)
        return self._penalties.apply(logits, self._history)  # (V,)

    def _draw(self, logits: Tensor) -> int:
        ids, chances = self.chances(logits)
        place = _place(chances, torch.rand((), dtype=torch.float64, generator=self._generator))
        if self._params.mirostat:
            surprise = -math.log2(float(chances[place]))
            error = surprise - self._params.mirostat_tau
            self._most_surprise -= self._params.mirostat_eta * error
        return int(ids[place])

    def chances(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return what may be drawn now, and how likely: ids (K,), chances (K,).

        The likeliest come first, but where all of them may be drawn: sorting a large vocabulary
        takes longer than reading a token.

        Args:
            logits: After the penalties, (V,).
        """
        params = self._params
        if params.mirostat:
            return self._mirostat(logits)
        if not narrows(params):
            return torch.arange(logits.numel()), (logits / params.temperature).softmax(0)
        n_kept = params.top_k or logits.numel()
        kept, ids = logits.topk(min(n_kept, logits.numel()))  # (K,), likeliest first
        for narrow, setting, off in (
            (_typical, params.typical_p, 1.0),
            (_top_p, params.top_p, 1.0),
            (_min_p, params.min_p, 0.0),
            (self._without_top_choices, params.xtc_probability, 0.0),
        ):
            if setting != off and kept.numel() > 1:
                chosen = narrow(kept, setting)  # (K',) places, likeliest first
                kept, ids = kept[chosen], ids[chosen]
        return ids, (kept / params.temperature).softmax(0)

    def _without_top_choices(self, kept: Tensor, probability: float) -> Tensor:
        """Now and then exclude the likeliest tokens, but for the last that reaches the threshold.

        "Exclude Top Choices", oobabooga/text-generation-webui pull request 6335.
        """
        threshold = self._params.xtc_threshold
        first = 0
        if threshold <= _NO_XTC and torch.rand((), generator=self._generator) <= probability:
            first = max(0, int((kept.softmax(0) >= threshold).sum()) - 1)
        return torch.arange(first, kept.numel())

    def _mirostat(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Keep what is at most so surprising (mirostat 2, Basu et al. 2020, algorithm 2)."""
        scaled, ids = (logits / self._params.temperature).sort(descending=True)  # (V,) each
        surprise = -scaled.log_softmax(0) / math.log(2)  # (V,), bits
        count = max(1, int((surprise <= self._most_surprise).sum()))
        return ids[:count], scaled[:count].softmax(0)


def narrows(params: SamplingParams) -> bool:
    """Whether any setting keeps some of the tokens from being drawn."""
    return bool(
        params.top_k
        or params.min_p
        or params.xtc_probability
        or params.top_p != 1.0
        or params.typical_p != 1.0
    )


def _place(chances: Tensor, share: Tensor) -> int:
    """Return where the chances (K,), summed up from the front, pass a share of their sum.

    ``torch.multinomial`` draws as well, but takes 3 ms for 128,000 tokens.
    """
    reached = chances.cumsum(0, dtype=torch.float64)  # (K,)
    place = int(torch.searchsorted(reached, share * reached[-1], right=True))
    return min(place, chances.numel() - 1)  # a share next to 1 may be rounded up to it


def check_finite(logits: Tensor) -> None:
    """Make sure that something can be chosen at all.

    Raises:
        CorruptCheckpointError: The largest of the scores is not a number or infinite.
    """
    if not math.isfinite(logits.max().item()):
        raise no_numbers()


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
