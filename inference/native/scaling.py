"""How rotary embeddings are stretched beyond the context of pre-training: the facts, read and kept.

The frequencies that follow from them are computed in ``rotary.py``; this file knows no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from inference.native.config_reader import corrupt, unsupported

if TYPE_CHECKING:
    from inference.native.config_reader import ConfigReader

_MOST_POSITIONS = 1 << 24


@dataclass(frozen=True, slots=True)
class LinearScaling:
    """Every turn is ``factor`` times slower (Chen et al. 2023, position interpolation)."""

    factor: float


@dataclass(frozen=True, slots=True)
class DynamicScaling:
    """Turns slow down as the text outgrows ``original_context`` (bloc97 2023, "NTK-aware")."""

    factor: float
    original_context: int


@dataclass(frozen=True, slots=True)
class Llama3Scaling:
    """How Llama 3.1 and later do it (Llama 3 reference, ``apply_scaling``).

    Attributes:
        factor: Long wavelengths become this many times longer.
        low_freq_factor: Wavelengths over ``original_context / low_freq_factor`` take all of it.
        high_freq_factor: Wavelengths under ``original_context / high_freq_factor`` stay.
        original_context: Context of pre-training, in tokens.
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_context: int


@dataclass(frozen=True, slots=True)
class YarnScaling:
    """Slow turns are slowed further, fast ones stay (Peng et al. 2023, YaRN, section 3.2).

    Attributes:
        factor: Slow turns become this many times slower.
        original_context: Context of pre-training, in tokens.
        attention_factor: Query and key are lengthened by this (section 3.4).
        beta_fast: Pairs with more full turns than this in the original context stay.
        beta_slow: Pairs with fewer full turns than this are slowed by all of ``factor``.
        truncate: The two bounds are rounded outwards to whole pairs.
    """

    factor: float
    original_context: int
    attention_factor: float
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = True


@dataclass(frozen=True, slots=True)
class LongRopeScaling:
    """A divisor for every pair, found by search (Ding et al. 2024, LongRoPE, section 3.2).

    Attributes:
        short_factors: Divisors for texts within the original context, one per pair.
        long_factors: Divisors for longer texts; a text that grows over the border is read anew.
        original_context: Context of pre-training, in tokens.
        attention_factor: Query and key are lengthened by this.
    """

    short_factors: tuple[float, ...]
    long_factors: tuple[float, ...]
    original_context: int
    attention_factor: float


RopeScaling: TypeAlias = (
    LinearScaling | DynamicScaling | Llama3Scaling | YarnScaling | LongRopeScaling
)


def prefix_may_stay(scaling: RopeScaling | None, old_length: int, new_length: int) -> bool:
    """Say whether keys read in a text of ``old_length`` are those of one of ``new_length``."""
    if isinstance(scaling, LongRopeScaling):
        border = scaling.original_context
        return (old_length > border) == (new_length > border)
    if isinstance(scaling, DynamicScaling):
        return max(old_length, new_length) <= scaling.original_context
    return True


def most_ahead(scaling: RopeScaling | None, length: int, wanted: int) -> int:
    """Return how many of ``wanted`` tokens may be read together with the one before them.

    A longer pass must turn every key as single steps would.

    Args:
        scaling: The network's.
        length: Positions of the text with that one token.
        wanted: At most that many.
    """
    if isinstance(scaling, LongRopeScaling) and length > scaling.original_context:
        return wanted
    if isinstance(scaling, LongRopeScaling | DynamicScaling):
        return max(0, min(wanted, scaling.original_context - length))
    return wanted


def must_read_anew(scaling: RopeScaling | None, old_length: int, new_length: int) -> bool:
    """Say whether a text that grows has to be read from its start: LongRoPE over its border.

    Dynamic scaling leaves the keys of old positions as they were turned, as its authors do.
    """
    return isinstance(scaling, LongRopeScaling) and not prefix_may_stay(
        scaling, old_length, new_length
    )


def read_scaling(
    rope: ConfigReader, kind: object, *, context: int, original: int | None
) -> RopeScaling | None:
    """Read one rotary object of a ``config.json``.

    Args:
        rope: The object, ``rope_parameters`` or ``rope_scaling``.
        kind: Its type.
        context: ``max_position_embeddings``.
        original: ``original_max_position_embeddings`` where it stands outside of the object.

    Raises:
        UnsupportedArchitectureError: A kind that is not computed here.
        CorruptCheckpointError: A value is missing or cannot be true.
    """
    if original is None:
        original = rope.count("original_max_position_embeddings", context, most=_MOST_POSITIONS)
    match kind:
        case "default":
            return None
        case "linear":
            return LinearScaling(rope.number("factor"))
        case "dynamic":
            return DynamicScaling(rope.number("factor"), context)
        case "llama3":
            return _llama3(rope, original)
        case "yarn":
            return _yarn(rope, context, original)
        case "longrope" | "su":
            return _longrope(rope, context, original)
    raise unsupported(f"its rotary embedding is scaled in another way ({kind!r:.40})")


def write_scaling(scaling: RopeScaling) -> dict[str, Any]:
    """Return the object of a ``config.json``; the inverse of ``read_scaling``."""
    match scaling:
        case LinearScaling():
            return {"rope_type": "linear", "factor": scaling.factor}
        case DynamicScaling():
            return {"rope_type": "dynamic", "factor": scaling.factor}
        case Llama3Scaling():
            return {
                "rope_type": "llama3",
                "factor": scaling.factor,
                "low_freq_factor": scaling.low_freq_factor,
                "high_freq_factor": scaling.high_freq_factor,
                "original_max_position_embeddings": scaling.original_context,
            }
        case YarnScaling():
            return {
                "rope_type": "yarn",
                "factor": scaling.factor,
                "attention_factor": scaling.attention_factor,
                "beta_fast": scaling.beta_fast,
                "beta_slow": scaling.beta_slow,
                "truncate": scaling.truncate,
                "original_max_position_embeddings": scaling.original_context,
            }
        case LongRopeScaling():
            return {
                "rope_type": "longrope",
                "short_factor": list(scaling.short_factors),
                "long_factor": list(scaling.long_factors),
                "attention_factor": scaling.attention_factor,
                "original_max_position_embeddings": scaling.original_context,
            }


def _llama3(rope: ConfigReader, original: int) -> Llama3Scaling:
    scaling = Llama3Scaling(
        factor=rope.number("factor"),
        low_freq_factor=rope.number("low_freq_factor"),
        high_freq_factor=rope.number("high_freq_factor"),
        original_context=original,
    )
    if scaling.high_freq_factor <= scaling.low_freq_factor:
        raise corrupt("its rotary low and high frequency factors are the wrong way round")
    return scaling


def _yarn(rope: ConfigReader, context: int, original: int) -> YarnScaling:
    factor = rope.number("factor", context / original)
    attention_factor = rope.optional_number("attention_factor")
    if attention_factor is None:
        attention_factor = _lengthening(factor, 1.0)
        if rope.raw("mscale") and rope.raw("mscale_all_dim"):  # DeepSeek's refinement
            attention_factor = _lengthening(factor, rope.number("mscale"))
            attention_factor /= _lengthening(factor, rope.number("mscale_all_dim"))
    scaling = YarnScaling(
        factor=factor,
        original_context=original,
        attention_factor=attention_factor,
        beta_fast=rope.number("beta_fast", 32.0),
        beta_slow=rope.number("beta_slow", 1.0),
        truncate=rope.flag("truncate", default=True),
    )
    if scaling.beta_fast < scaling.beta_slow:
        raise corrupt("its rotary beta_fast and beta_slow are the wrong way round")
    return scaling


def _lengthening(factor: float, weight: float) -> float:
    """``0.1 m ln(s) + 1`` (YaRN, eq. 22)."""
    return 0.1 * weight * math.log(factor) + 1.0 if factor > 1 else 1.0


def _longrope(rope: ConfigReader, context: int, original: int) -> LongRopeScaling:
    factor = rope.number("factor", context / original)
    attention_factor = 1.0
    if factor > 1 and original > 1:  # LongRoPE reference, ``_calc_mscale``
        attention_factor = math.sqrt(1 + math.log(factor) / math.log(original))
    return LongRopeScaling(
        short_factors=rope.numbers("short_factor"),
        long_factors=rope.numbers("long_factor"),
        original_context=original,
        attention_factor=rope.number("attention_factor", attention_factor),
    )
