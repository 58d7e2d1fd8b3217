"""Drawing the next token with llama.cpp's own samplers, chained in C.

Knows logits only through a context; what a setting means is in ``inference.types.SamplingParams``.
"""

from __future__ import annotations

import ctypes
import math
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import numpy as np

from inference.errors import InferenceError
from inference.gguf.library import api
from inference.repetition import banned_by_ngrams
from inference.sampling_rules import check_params, is_greedy
from inference.speculation import Chances

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from llama_cpp.llama_cpp import llama_context_p, llama_sampler_p

    from inference.gguf.probabilities import Logits
    from inference.gguf.vocabulary import Vocabulary
    from inference.types import SamplingParams

_Candidates: TypeAlias = "npt.NDArray[Any]"
_CANDIDATE: Final = np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")])  # llama_token_data
_LONGEST_WINDOW: Final = 2**20  # llama.cpp sets the memory for the whole window aside
_PICKS_ITS_OWN: Final = 0xFFFF_FFFF  # LLAMA_DEFAULT_SEED: C would draw a seed and not repeat
_KNUTH: Final = 0x9E37_79B1  # 2**32 over the golden ratio: spreads neighbouring seeds


class Sampler:
    """A chain in C, in the order that ``SamplingParams`` gives.

    llama.cpp has no sampler for ``no_repeat_ngram``; those tokens are ruled out before the chain.

    Args:
        params: Checked settings.
        seed: The seed really used.
        vocabulary: The model's.
        history: The prompt's ids, which the penalties look back at.
    """

    def __init__(
        self, params: SamplingParams, seed: int, vocabulary: Vocabulary, history: Sequence[int]
    ) -> None:
        check_params(params, vocabulary.size)
        chain: llama_sampler_p = api.llama_sampler_chain_init(
            api.llama_sampler_chain_default_params()
        )
        self._chain: llama_sampler_p | None = chain
        self._ngram = params.no_repeat_ngram
        self._history = list(history) if self._ngram else []
        self._add_penalties(params, vocabulary, history)
        if is_greedy(params):
            self._add(api.llama_sampler_init_greedy())
        elif params.mirostat:
            self._add(api.llama_sampler_init_temp(params.temperature))
            tau, eta = params.mirostat_tau, params.mirostat_eta
            self._add(api.llama_sampler_init_mirostat_v2(_c_seed(seed), tau, eta))
        else:
            self._add_draw(params, seed)

    def sample(self, context: llama_context_p, logits: Logits) -> int:
        """Draw a token from the last computed position and remember it for the penalties.

        Args:
            context: Where llama.cpp keeps the logits.
            logits: The view of them, (V,); it is as before when this returns.
        """
        if not self._ngram:
            return int(api.llama_sampler_sample(self._open_chain(), context, -1))
        banned = list(banned_by_ngrams(self._history, self._ngram))
        kept = logits[banned]  # a copy
        logits[banned] = -math.inf
        if banned and logits.max() == -math.inf:  # something has to be said
            logits[banned] = kept
        token = int(api.llama_sampler_sample(self._open_chain(), context, -1))
        logits[banned] = kept
        self._history.append(token)
        return token

    def pick(self, logits: Logits) -> int:
        """Draw a token from logits that lie anywhere, (V,), and remember it."""
        left, chosen = self._apply(logits)
        token = int(left["id"][chosen])
        self.remember(token)
        return token

    def distribution(self, logits: Logits) -> Chances:
        """Return what ``pick`` would draw from."""
        left, _chosen = self._apply(logits)
        values = left["p"].astype(np.float64)
        return Chances(left["id"].astype(np.int64), values / values.sum())

    def fork(self) -> Self:
        """Return a sampler that goes its own way from here; to be closed."""
        other = copy(self)
        chain = api.llama_sampler_clone(self._open_chain())
        vars(other).update(_chain=chain, _history=list(self._history))
        return other

    def remember(self, token: int) -> None:
        """Take a token that was chosen into the history of the penalties."""
        api.llama_sampler_accept(self._open_chain(), token)
        if self._ngram:
            self._history.append(token)

    def _apply(self, logits: Logits) -> tuple[_Candidates, int]:
        """Let the chain act on logits (V,): what is left, and the place of the one it drew.

        It is what ``llama_sampler_sample`` does with the logits of a context.
        """
        candidates = np.zeros(logits.size, dtype=_CANDIDATE)
        candidates["id"], candidates["logit"] = np.arange(logits.size), logits
        scores = candidates["logit"]
        banned = list(banned_by_ngrams(self._history, self._ngram))
        scores[banned] = -math.inf
        if banned and scores.max() == -math.inf:  # something has to be said
            scores[banned] = logits[banned]
        data = candidates.ctypes.data_as(ctypes.POINTER(api.llama_token_data))
        array = api.llama_token_data_array(data=data, size=logits.size, selected=-1, sorted=False)
        api.llama_sampler_apply(self._open_chain(), ctypes.byref(array))
        # XTC moves the front, so the pointer is not always that of ``candidates``.
        first = ctypes.cast(array.data, ctypes.c_void_p).value or 0
        start = (first - candidates.ctypes.data) // candidates.itemsize
        return candidates[start : start + int(array.size)], int(array.selected)

    def close(self) -> None:
        """Free the chain; closing twice is harmless."""
        if self._chain:
            api.llama_sampler_free(self._chain)
            self._chain = None

    def _add_penalties(
        self, params: SamplingParams, vocabulary: Vocabulary, history: Sequence[int]
    ) -> None:
        window = 0
        if params.logit_bias:
            count = len(params.logit_bias)
            pairs = (api.llama_logit_bias(token, bias) for token, bias in params.logit_bias)
            biases = (api.llama_logit_bias * count)(*pairs)
            self._add(api.llama_sampler_init_logit_bias(vocabulary.size, count, biases))
        if _penalises(params):
            window = min(params.penalty_window, _LONGEST_WINDOW)
            self._add(
                api.llama_sampler_init_penalties(
                    vocabulary.size,
                    window,
                    params.repeat_penalty,
                    params.frequency_penalty,
                    params.presence_penalty,
                )
            )
        if params.dry_multiplier and params.dry_window:
            window = max(window, params.dry_window)
            texts = [text.encode() for text in params.dry_breakers if text]
            self._add(
                api.llama_sampler_init_dry(
                    vocabulary.handle,
                    params.dry_multiplier,
                    params.dry_base,
                    params.dry_allowed_length,
                    params.dry_window,
                    (ctypes.c_char_p * len(texts))(*texts),
                    len(texts),
                )
            )
        for token in history[-window:] if window else ():
            api.llama_sampler_accept(self._open_chain(), token)

    def _add_draw(self, params: SamplingParams, seed: int) -> None:
        if params.top_k > 0:
            self._add(api.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            self._add(api.llama_sampler_init_typical(params.typical_p, 1))
        if params.top_p < 1:
            self._add(api.llama_sampler_init_top_p(params.top_p, 1))
        if params.min_p > 0:
            self._add(api.llama_sampler_init_min_p(params.min_p, 1))
        if params.xtc_probability > 0:
            # Another start than the draw's, so that the two chances have nothing to do with
            # each other.
            own = _c_seed(seed * _KNUTH + 1)
            self._add(
                api.llama_sampler_init_xtc(params.xtc_probability, params.xtc_threshold, 1, own)
            )
        self._add(api.llama_sampler_init_temp(params.temperature))
        self._add(api.llama_sampler_init_dist(_c_seed(seed)))

    def _add(self, sampler: llama_sampler_p) -> None:
        api.llama_sampler_chain_add(self._open_chain(), sampler)  # the chain frees it

    def _open_chain(self) -> llama_sampler_p:
        if self._chain is None:
            raise InferenceError("The sampler is closed.")
        return self._chain


def _c_seed(seed: int) -> int:
    seed &= 0xFFFF_FFFF
    return seed - 1 if seed == _PICKS_ITS_OWN else seed


def _penalises(params: SamplingParams) -> bool:
    return params.penalty_window > 0 and (
        params.repeat_penalty != 1 or params.frequency_penalty != 0 or params.presence_penalty != 0
    )
