"""Rotary positions: every pair of numbers in a query or key turns as its position advances.

Shapes at line ends: T new positions, B sequences, H heads, D head width, R of it that turns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from inference.native.scaling import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    LongRopeScaling,
    RopeScaling,
    YarnScaling,
)

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig

Turn: TypeAlias = tuple[Tensor, Tensor]
"""Cosine and sine of every new position's turn, (T, R) each; see ``attention.rotate``."""


class Rotary:
    """The turns of one network's heads.

    Not a module and no buffer: frequencies stay float32 when the weights are cast, and in no file.

    Args:
        config: Shape of the network.
        theta: Base of the wavelengths.
        scaling: Their stretching, if any.
    """

    def __init__(self, config: NetworkConfig, theta: float, scaling: RopeScaling | None) -> None:
        self._width = config.turning_width
        self._theta = theta
        self._scaling = scaling
        self._lengthening = getattr(scaling, "attention_factor", 1.0)
        self._made_for: tuple[int, torch.device] | None = None
        self.frequencies = rotary_frequencies(self._width, theta, scaling, 1)  # (R/2,)

    def turn(self, positions: Tensor, text_length: int, dtype: torch.dtype) -> Turn:
        """Return the turn of each position, computed in float32.

        Args:
            positions: Where the new tokens stand, (T,), on the device to compute on.
            text_length: Positions of the whole text: some scalings depend on it.
            dtype: Type of the result.
        """
        asked = (_stage(self._scaling, text_length), positions.device)
        if asked != self._made_for:
            made = rotary_frequencies(self._width, self._theta, self._scaling, text_length)
            self.frequencies, self._made_for = made.to(positions.device), asked  # (R/2,)
        angles = positions.float()[:, None] * self.frequencies  # (T, R/2)
        cos, sin = angles.cos(), angles.sin()  # (T, R/2) each
        if self._lengthening != 1.0:
            cos, sin = cos * self._lengthening, sin * self._lengthening
        return torch.cat((cos, cos), -1).to(dtype), torch.cat((-sin, sin), -1).to(dtype)


def rotary_frequencies(
    width: int, theta: float, scaling: RopeScaling | None, text_length: int
) -> Tensor:
    """Return how fast each pair of numbers turns, in radians per position, (R/2,).

    ``theta ** (-2i / R)`` (Su et al. 2021, RoFormer, section 3.4.2), then stretched.
    """
    if isinstance(scaling, DynamicScaling):
        theta = _dynamic_theta(width, theta, scaling, text_length)
    # The device is named so that a network built on "meta" still has real frequencies.
    pairs = torch.arange(0, width, 2, dtype=torch.float32, device="cpu")  # (R/2,)
    frequencies = 1.0 / theta ** (pairs / width)  # (R/2,)
    match scaling:
        case None | DynamicScaling():
            return frequencies
        case LinearScaling():
            return frequencies / scaling.factor
        case Llama3Scaling():
            return _llama3(frequencies, scaling)
        case YarnScaling():
            return _yarn(frequencies, theta, scaling)
        case LongRopeScaling():
            is_long = text_length > scaling.original_context
            factors = scaling.long_factors if is_long else scaling.short_factors
            return frequencies / torch.tensor(factors, dtype=torch.float32, device="cpu")


def _stage(scaling: RopeScaling | None, text_length: int) -> int:
    """Return what the frequencies depend on: equal numbers, equal frequencies."""
    if isinstance(scaling, DynamicScaling):
        return max(text_length, scaling.original_context)
    if isinstance(scaling, LongRopeScaling):
        return int(text_length > scaling.original_context)
    return 0


def _dynamic_theta(width: int, theta: float, scaling: DynamicScaling, text_length: int) -> float:
    """A larger base slows the slow turns most, the fast ones least (bloc97 2023)."""
    share = max(text_length, scaling.original_context) / scaling.original_context
    grown: float = (scaling.factor * share - (scaling.factor - 1)) ** (width / (width - 2))
    return theta * grown


def _llama3(frequencies: Tensor, scaling: Llama3Scaling) -> Tensor:
    """Turns too slow for the original context are slowed, fast ones stay, others are blended."""
    wavelengths = 2 * math.pi / frequencies  # (R/2,) positions per full turn
    turns = scaling.original_context / wavelengths  # (R/2,)
    span = scaling.high_freq_factor - scaling.low_freq_factor
    keep = ((turns - scaling.low_freq_factor) / span).clamp(0.0, 1.0)  # (R/2,) 1 = unchanged
    return (1 - keep) * frequencies / scaling.factor + keep * frequencies  # (R/2,)


def _yarn(frequencies: Tensor, theta: float, scaling: YarnScaling) -> Tensor:
    """As ``_llama3``, but the blend is even over the pairs (YaRN, reference implementation)."""
    width = 2 * len(frequencies)

    def pair_with(turns: float) -> float:  # in the original context
        return width * math.log(scaling.original_context / (turns * 2 * math.pi)) / 2 / log_theta

    log_theta = math.log(theta)
    low, high = pair_with(scaling.beta_fast), pair_with(scaling.beta_slow)
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, width - 1)
    span = high - low if high != low else 0.001
    slowed = ((torch.arange(len(frequencies), device="cpu") - low) / span).clamp(0, 1)  # (R/2,)
    return slowed * frequencies / scaling.factor + (1 - slowed) * frequencies  # (R/2,)
