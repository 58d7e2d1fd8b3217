"""Natural-log probabilities of the unmodified distribution, read where llama.cpp left the logits.

Works on views of llama.cpp's memory; nothing of vocabulary size is copied to float64 or to Python
objects, so that alternatives cost little beside the decode itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from msgspec.structs import astuple

from inference.sampling_rules import no_numbers
from inference.types import Candidate

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

    import numpy.typing as npt

    from inference.types import TokenPiece

    Logits: TypeAlias = npt.NDArray[np.float32]

_BLOCK: Final = 256
_BLOCKED_FROM: Final = 8192


def logits_view(pointer: ctypes._Pointer[ctypes.c_float], n_vocab: int) -> Logits:
    """View ``n_vocab`` logits at a C pointer; valid until the next decode."""  # (V,)
    view: Logits = np.ctypeslib.as_array(pointer, shape=(n_vocab,))
    return view


def check_finite(logits: Logits) -> None:
    """Make sure that a token can be drawn at all.

    Raises:
        CorruptCheckpointError: The largest logit is not a number or infinite.
    """
    # max carries NaN along; llama.cpp's samplers would abort the process on such values.
    if not math.isfinite(logits.max()):
        raise no_numbers()


@dataclass(frozen=True, slots=True)
class Distribution:
    """One position's distribution; the log-probability of token i is ``logits[i] - log_sum``."""

    logits: Logits
    log_sum: float

    @classmethod
    def of(cls, logits: Logits) -> Distribution:
        """Normalise logits: log-sum-exp with the maximum taken out."""
        peak = logits.max()
        spread = np.exp(logits - peak)
        # numpy adds pairwise, which keeps a float32 sum over 10^5 terms within 1e-6.
        return cls(logits, float(peak) + math.log(float(spread.sum())))

    def logprob(self, token: int) -> float:
        """Return the natural log of a token's probability."""
        return float(self.logits[token]) - self.log_sum

    def top(self, n: int, shown: Callable[[int], TokenPiece]) -> tuple[Candidate, ...]:
        """Return the ``n`` likeliest tokens, likeliest first; equal ones by id."""
        if n <= 0:
            return ()
        ids = top_ids(self.logits, n)
        return tuple(
            Candidate(
                *astuple(shown(token)),
                logprob=float(self.logits[token]) - self.log_sum,
            )
            for token in ids.tolist()
        )


def top_ids(logits: Logits, n: int) -> npt.NDArray[np.intp]:
    """Return the ids of the ``n`` largest logits, largest first, equal ones by id."""
    n = min(n, logits.size)
    if logits.size < _BLOCKED_FROM:
        return _ranked(logits, np.arange(logits.size), n)
    # The n largest lie in the n blocks with the largest maxima: one pass, then few numbers.
    whole = logits.size - logits.size % _BLOCK
    blocks = logits[:whole].reshape(-1, _BLOCK)  # (V / 256, 256), a view
    maxima = blocks.max(axis=1)
    place = max(0, maxima.size - n)
    kept = np.flatnonzero(maxima >= np.partition(maxima, place)[place])
    inside = (kept[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    return _ranked(logits, np.concatenate((inside, np.arange(whole, logits.size))), n)


def _ranked(logits: Logits, candidates: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.intp]:
    values = logits[candidates]
    if n < values.size:
        # Everything from the n-th largest value up, so that ties are settled by id, not by luck.
        limit = np.partition(values, values.size - n)[values.size - n]
        candidates = candidates[values >= limit]
        values = logits[candidates]
    order = np.lexsort((candidates, -values))
    return candidates[order[:n]]
