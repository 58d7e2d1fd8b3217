"""Drawing the next token with llama.cpp's own samplers, chained in C.

Knows logits only through a context; what a setting means is in ``inference.types.SamplingParams``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inference.errors import InferenceError
from inference.gguf.library import api
from inference.sampling_rules import COLDEST, check_params

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llama_cpp.llama_cpp import llama_context_p, llama_sampler_p

    from inference.types import SamplingParams

_LONGEST_WINDOW: Final = 2**20  # llama.cpp sets the memory for the whole window aside
_PICKS_ITS_OWN: Final = 0xFFFF_FFFF  # LLAMA_DEFAULT_SEED: C would draw a seed and not repeat


class Sampler:
    """A chain in C: penalties, then greedy, or top-k, typical, top-p, min-p, temperature, draw.

    Args:
        params: Checked settings.
        seed: The seed really used.
        n_vocab: Vocabulary size.
        history: The prompt's ids, which the penalties look back at.
    """

    def __init__(
        self, params: SamplingParams, seed: int, n_vocab: int, history: Sequence[int]
    ) -> None:
        check_params(params)
        chain: llama_sampler_p = api.llama_sampler_chain_init(
            api.llama_sampler_chain_default_params()
        )
        self._chain: llama_sampler_p | None = chain
        if _penalises(params):
            window = min(params.penalty_window, _LONGEST_WINDOW)
            self._add(
                api.llama_sampler_init_penalties(
                    n_vocab,
                    window,
                    params.repeat_penalty,
                    params.frequency_penalty,
                    params.presence_penalty,
                )
            )
            for token in history[-window:]:
                api.llama_sampler_accept(chain, token)
        if params.temperature < COLDEST:
            self._add(api.llama_sampler_init_greedy())
        else:
            self._add_draw(params, seed)

    def sample(self, context: llama_context_p) -> int:
        """Draw a token from the last computed position and remember it for the penalties."""
        return int(api.llama_sampler_sample(self._open_chain(), context, -1))

    def close(self) -> None:
        """Free the chain; closing twice is harmless."""
        if self._chain:
            api.llama_sampler_free(self._chain)
            self._chain = None

    def _add_draw(self, params: SamplingParams, seed: int) -> None:
        if params.top_k > 0:
            self._add(api.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            self._add(api.llama_sampler_init_typical(params.typical_p, 1))
        if params.top_p < 1:
            self._add(api.llama_sampler_init_top_p(params.top_p, 1))
        if params.min_p > 0:
            self._add(api.llama_sampler_init_min_p(params.min_p, 1))
        self._add(api.llama_sampler_init_temp(params.temperature))
        seed &= 0xFFFF_FFFF
        self._add(api.llama_sampler_init_dist(seed - 1 if seed == _PICKS_ITS_OWN else seed))

    def _add(self, sampler: llama_sampler_p) -> None:
        api.llama_sampler_chain_add(self._open_chain(), sampler)  # the chain frees it

    def _open_chain(self) -> llama_sampler_p:
        if self._chain is None:
            raise InferenceError("The sampler is closed.")
        return self._chain


def _penalises(params: SamplingParams) -> bool:
    return params.penalty_window > 0 and (
        params.repeat_penalty != 1 or params.frequency_penalty != 0 or params.presence_penalty != 0
    )
