"""What a request may ask of a draw, and which seed it starts from: the same on both engines."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

from inference.errors import UnsupportedRequestError

if TYPE_CHECKING:
    from inference.types import SamplingParams

MOST_ALTERNATIVES = 20
"""Alternatives that can be reported per token."""
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
}


def pick_seed(params: SamplingParams) -> int:
    """Return the seed asked for, or a fresh one, to be reported in ``Started``."""
    return params.seed if params.seed is not None else secrets.randbelow(_FRESH_SEEDS)


def check_params(params: SamplingParams) -> None:
    """Make sure that every setting has a meaning.

    Raises:
        UnsupportedRequestError: One is outside its range, or no number; it is named.
    """
    for name, (low, high) in _RANGES.items():
        value = getattr(params, name)
        if value is not None and not low <= value <= high:  # NaN is in no range
            limits = f"from {low:g}" + ("" if high == math.inf else f" to {high:g}")
            raise UnsupportedRequestError(
                f"The setting {name.replace('_', ' ')} cannot be {value:g}.",
                f"Choose a value {limits}.",
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
