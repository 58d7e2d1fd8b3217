"""What a request may ask of a draw, and which seed it starts from: the same on both engines."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

from inference.errors import CorruptCheckpointError, UnsupportedRequestError

if TYPE_CHECKING:
    from inference.types import SamplingParams

MOST_ALTERNATIVES = 20
"""Alternatives that can be reported per token."""
MOST_BEAMS = 64
"""Answers that beam search can follow at once."""
MOST_SAMPLES = 64
"""Answers that can be drawn side by side."""
MOST_DRAFTED = 32
"""Tokens that can be guessed per pass."""
COLDEST = 1e-5
"""Below this temperature a division would overflow float32, so the draw is greedy."""

_FRESH_SEEDS = 1 << 31
_INT32_MAX = (1 << 31) - 1  # llama.cpp's samplers count in C's int
_RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 100),
    "top_k": (0, _INT32_MAX),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "typical_p": (0, 1),
    "repeat_penalty": (0.01, 100),
    "frequency_penalty": (-100, 100),
    "presence_penalty": (-100, 100),
    "penalty_window": (0, _INT32_MAX),
    "max_tokens": (0, math.inf),
    "no_repeat_ngram": (0, _INT32_MAX),
    "dry_multiplier": (0, 100),
    "dry_base": (1, 100),
    "dry_allowed_length": (1, _INT32_MAX),
    "dry_window": (0, 1 << 20),  # llama.cpp sets the memory for the whole window aside
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 1),
    "mirostat_tau": (0, 100),
    "mirostat_eta": (0, 100),
    "beams": (1, MOST_BEAMS),
    "length_penalty": (-100, 100),
    "penalty_alpha": (0, 1),
    "samples": (1, MOST_SAMPLES),
    "draft_tokens": (1, MOST_DRAFTED),
}
_LARGEST_BIAS = 100
_DRAWING_ONLY = {"mirostat": "mirostat", "xtc_probability": "XTC"}


def no_numbers() -> CorruptCheckpointError:
    """Return what is wrong where the largest of a model's scores is not a number or infinite."""
    return CorruptCheckpointError(
        "The model computed something that is not a number.",
        "Its weights are probably damaged. Download the model again.",
    )


def pick_seed(params: SamplingParams) -> int:
    """Return the seed asked for, or a fresh one, to be reported in ``Started``."""
    return params.seed if params.seed is not None else secrets.randbelow(_FRESH_SEEDS)


def sample_seed(seed: int, sample: int) -> int:
    """Return the seed of one of several samples; the first one's is the request's own."""
    return seed + sample


def is_greedy(params: SamplingParams) -> bool:
    """Return whether the likeliest token is taken without a draw."""
    return params.strategy == "greedy" or params.temperature < COLDEST


def check_params(params: SamplingParams, n_vocab: int | None = None) -> None:
    """Make sure that every setting has a meaning, and that they go together.

    Args:
        params: The settings.
        n_vocab: Vocabulary size, where it is known: biased tokens have to exist.

    Raises:
        UnsupportedRequestError: One is outside its range, or no number, or acts on nothing; it is
            named.
    """
    for name, (low, high) in _RANGES.items():
        value = getattr(params, name)
        if value is not None and not low <= value <= high:  # NaN is in no range
            limits = f"from {low:g}" + ("" if high == math.inf else f" to {high:g}")
            raise UnsupportedRequestError(
                f"The setting {name.replace('_', ' ')} cannot be {value:g}.",
                f"Choose a value {limits}.",
            )
    if params.mirostat not in {0, 2}:
        raise UnsupportedRequestError(
            f"The setting mirostat cannot be {params.mirostat}.", "Choose 2, or 0 for none."
        )
    _check_together(params)
    _check_bias(params, n_vocab)


def _check_together(params: SamplingParams) -> None:
    if params.mirostat and (params.xtc_probability or params.typical_p != 1):
        raise UnsupportedRequestError(
            "Mirostat draws in its own way, so XTC and typical p cannot act beside it.",
            "Use one of them.",
        )
    _check_samples(params)
    _check_speculation(params)
    if params.strategy in {"beam", "contrastive"}:
        for name, words in _DRAWING_ONLY.items():
            if getattr(params, name):
                raise UnsupportedRequestError(
                    f"The strategy {params.strategy} does not draw, so {words} cannot act.",
                    "Use one of the two.",
                )
    if params.strategy == "contrastive" and params.top_k < 1:
        raise UnsupportedRequestError(
            "The strategy contrastive chooses among the top k tokens, and top k is 0.",
            "Choose a top k of 1 or more; 4 to 8 is usual.",
        )


def _check_samples(params: SamplingParams) -> None:
    if params.samples == 1:
        return
    if params.strategy in {"beam", "contrastive"}:
        raise UnsupportedRequestError(
            f"The strategy {params.strategy} does not draw, so there cannot be several samples.",
            "Use the strategy sample.",
        )
    if is_greedy(params):
        raise UnsupportedRequestError(
            "Without a draw all samples would be alike: the likeliest token is always taken.",
            "Choose the strategy sample and a temperature above 0, or one sample.",
        )


def _check_speculation(params: SamplingParams) -> None:
    if params.speculate == "off":
        return
    others = {
        f"the strategy {params.strategy}": params.strategy in {"beam", "contrastive"},
        "mirostat": params.mirostat != 0,
        "several samples": params.samples > 1,
    }
    for words, asked in others.items():
        if asked:
            raise UnsupportedRequestError(
                f"Guessing tokens ahead does not go together with {words}.",
                "Switch guessing ahead off, or leave the other out.",
            )


def check_draft(params: SamplingParams, draft: str) -> None:
    """Make sure that there is a draft model where one is asked for.

    Args:
        params: The settings.
        draft: The name of the one that is loaded; empty for none.

    Raises:
        UnsupportedRequestError: There is none.
    """
    if params.speculate == "draft" and not draft:
        raise UnsupportedRequestError(
            "No draft model is loaded beside this one.",
            "Load the model together with a smaller one that has the same tokens, or let guesses "
            "be looked up in the text.",
        )


def _check_bias(params: SamplingParams, n_vocab: int | None) -> None:
    for token, bias in params.logit_bias:
        if not abs(bias) <= _LARGEST_BIAS:  # NaN is in no range
            raise UnsupportedRequestError(
                f"The logit bias of token {token} cannot be {bias:g}.",
                f"Choose a value from -{_LARGEST_BIAS} to {_LARGEST_BIAS}.",
            )
        if token < 0 or (n_vocab is not None and token >= n_vocab):
            raise UnsupportedRequestError(
                f"The logit bias names token {token}, which does not exist in this model.",
                "`glasshouse tokens` shows the ids of a text.",
            )


def check_alternatives(top_n: int) -> None:
    """Refuse a number of alternatives outside 0 to 20.

    Raises:
        UnsupportedRequestError: With the number.
    """
    if not 0 <= top_n <= MOST_ALTERNATIVES:
        raise UnsupportedRequestError(
            f"{top_n:,} alternatives per token cannot be shown.",
            f"Choose 0 to {MOST_ALTERNATIVES}.",
        )
