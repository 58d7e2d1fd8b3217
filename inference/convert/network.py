"""What a GGUF file says about a network, and what it cannot say.

The keys are those of the GGUF specification (ggml's docs/gguf.md). llama.cpp computes some things
in one way only; a network that needs another way there is refused by name, never written wrongly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gguf

from inference.convert.tensors import ARCHITECTURES
from inference.errors import UnsupportedArchitectureError
from inference.native.registry import family_of
from inference.native.rotary import rotary_frequencies
from inference.native.scaling import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    LongRopeScaling,
    YarnScaling,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.native.config import NetworkConfig

_TAKES_FACTORS: Final = frozenset({"llama", "phi3"})  # a divisor for every turning pair
_DERIVES_HEADS: Final = frozenset({"gpt2", "gptneox", "olmo2", "phi3", "qwen2"})
_HAS_WINDOWS: Final = frozenset({"gemma2", "gemma3"})
_WINDOW_EVERY: Final = {"gemma2": 2, "gemma3": 6}  # the last of so many layers sees everything
_BIASES: Final[Mapping[str, frozenset[str]]] = {
    "llama": frozenset({"attention", "output", "mlp"}),
    "granite": frozenset({"attention", "output", "mlp"}),
    "gpt2": frozenset({"attention", "output", "mlp"}),
    "gptneox": frozenset({"attention", "output", "mlp"}),
    "qwen2": frozenset({"attention"}),
}
_UNROTATED_EVERY: Final = 4


@dataclass(frozen=True, slots=True)
class Facts:
    """What the new file will say about the network.

    Attributes:
        architecture: llama.cpp's name of the family.
        context: Positions: fewer than the checkpoint's where llama.cpp computes later ones
            in another way.
        notes: Sentences for the person: what differs from the checkpoint.
        factors: Tensors of rotary divisors, by name.
    """

    architecture: str
    context: int
    notes: tuple[str, ...]
    factors: Mapping[str, tuple[float, ...]]


def facts_of(config: NetworkConfig) -> Facts:
    """Return what a file can say of a network.

    Raises:
        UnsupportedArchitectureError: llama.cpp would compute it otherwise; the sentence says what.
    """
    architecture = ARCHITECTURES.get(config.family, "")
    for objection in (_unknown, _biases, _heads, _gemma, _windows, _positions, _scaling):
        found = objection(config, architecture)
        if found:
            raise UnsupportedArchitectureError(
                f"This model cannot become a GGUF file: {found}.",
                "It runs from its folder as it is.",
            )
    context, notes = _context(config, architecture)
    return Facts(architecture, context, notes, _factors(config, architecture))


def write_facts(writer: Any, config: NetworkConfig, facts: Facts) -> None:  # noqa: ANN401 - gguf's writer has no stable type
    """Add the network's keys to a ``gguf.GGUFWriter``."""
    writer.add_context_length(facts.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.n_layers)
    writer.add_feed_forward_length(config.mlp_width)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    if config.head_width * config.n_heads != config.width:
        writer.add_key_length(config.head_width)
        writer.add_value_length(config.head_width)
    design = family_of(config).design
    if design.norm == "layer":
        writer.add_layer_norm_eps(config.norm_eps)
    else:
        writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab_size)
    if not design.learned_positions:
        _write_rope(writer, config)
    _write_own(writer, config, facts.architecture)


def _write_rope(writer: Any, config: NetworkConfig) -> None:  # noqa: ANN401 - as above
    writer.add_rope_dimension_count(config.turning_width)
    writer.add_rope_freq_base(config.rope_theta)
    if config.local_theta is not None:
        writer.add_rope_freq_base_swa(config.local_theta)
    match config.rope_scaling:
        case LinearScaling(factor=factor):
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(factor)
        case YarnScaling() as yarn:
            writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            writer.add_rope_scaling_factor(yarn.factor)
            writer.add_rope_scaling_orig_ctx_len(yarn.original_context)
            writer.add_rope_scaling_yarn_beta_fast(yarn.beta_fast)
            writer.add_rope_scaling_yarn_beta_slow(yarn.beta_slow)
        case LongRopeScaling() as longrope:
            writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
            writer.add_rope_scaling_orig_ctx_len(longrope.original_context)
            writer.add_rope_scaling_attn_factors(longrope.attention_factor)


def _write_own(writer: Any, config: NetworkConfig, architecture: str) -> None:  # noqa: ANN401 - as above
    """Add what only some families have."""
    if architecture in _HAS_WINDOWS and config.windows:
        writer.add_sliding_window(min(filter(None, config.windows)))
    if architecture == "gptneox":
        writer.add_parallel_residual(config.parallel)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attention_cap)
        writer.add_final_logit_softcapping(config.logit_cap)
    if architecture == "granite":
        writer.add_embedding_scale(config.embedding_scale)
        writer.add_residual_scale(config.residual_scale)
        writer.add_attention_scale(config.attention_scale)
        writer.add_logit_scale(config.logit_divisor)


def _context(config: NetworkConfig, architecture: str) -> tuple[int, tuple[str, ...]]:
    """Return how many positions are computed alike, and why that may be fewer than before."""
    limit, why = config.context, ""
    window = min((size for size in config.windows if size is not None), default=limit)
    if architecture not in _HAS_WINDOWS and window < limit:
        limit, why = window, "beyond that the model looks through a window"
    scaling = config.rope_scaling
    if isinstance(scaling, DynamicScaling) and scaling.original_context < limit:
        limit, why = scaling.original_context, "beyond that its positions are stretched as it grows"
    notes: list[str] = []
    if why:
        shorter = f"The file has a context of {limit:,} tokens instead of {config.context:,}"
        notes.append(f"{shorter}: {why}, which llama.cpp does not do for this architecture.")
    if isinstance(scaling, LongRopeScaling) and scaling.original_context < limit:
        longer = f"Opened with more than {scaling.original_context:,} tokens of context"
        notes.append(f"{longer}, llama.cpp stretches the positions of short texts, too.")
    return limit, tuple(notes)


def _factors(config: NetworkConfig, architecture: str) -> dict[str, tuple[float, ...]]:
    """Return rotary divisors, one for every turning pair."""
    scaling = config.rope_scaling
    if isinstance(scaling, LongRopeScaling):
        return {
            "rope_factors_long.weight": scaling.long_factors,
            "rope_factors_short.weight": scaling.short_factors,
        }
    if isinstance(scaling, Llama3Scaling):
        width, theta = config.turning_width, config.rope_theta
        plain = rotary_frequencies(width, theta, None, 1)
        slowed = rotary_frequencies(width, theta, scaling, 1)
        return {"rope_freqs.weight": tuple((plain / slowed).tolist())}
    return {}


def _unknown(config: NetworkConfig, architecture: str) -> str:
    return "" if architecture else f"{config.family} has no counterpart in llama.cpp here"


def _biases(config: NetworkConfig, architecture: str) -> str:
    taken = _BIASES.get(architecture, frozenset())
    wanted = {
        "attention": config.attention_bias,
        "output": config.attention_output_bias,
        "mlp": config.mlp_bias,
    }
    if any(there and name not in taken for name, there in wanted.items()):
        return f"llama.cpp knows {config.family} without such biases only"
    return ""


def _heads(config: NetworkConfig, architecture: str) -> str:
    own = config.head_width * config.n_heads != config.width
    if own and architecture in _DERIVES_HEADS:
        return f"llama.cpp derives the width of {config.family}'s heads, and these have their own"
    return ""


def _gemma(config: NetworkConfig, architecture: str) -> str:
    if architecture not in {"gemma2", "gemma3"}:
        return ""
    if architecture == "gemma2" and (config.attention_cap is None or config.logit_cap is None):
        return "llama.cpp always caps the scores of gemma2, and this one has none"
    if architecture == "gemma2" and not config.tied_output:
        return "llama.cpp expects gemma2's output to be its token embedding"
    if architecture == "gemma3" and config.logit_cap is not None:
        return "its logits are capped, which llama.cpp does not do in gemma3"
    usual = config.head_width**-0.5
    if config.attention_scale is not None and abs(config.attention_scale / usual - 1) > 1e-6:
        return "its attention is scaled in a way that llama.cpp does not read from the file"
    return ""


def _windows(config: NetworkConfig, architecture: str) -> str:
    every = _WINDOW_EVERY.get(architecture)
    if every is None:
        return ""
    usual = tuple((layer + 1) % every != 0 for layer in range(config.n_layers))
    if tuple(config.window(layer) is not None for layer in range(config.n_layers)) != usual:
        return f"llama.cpp expects every {every}th layer of {architecture} to have no window"
    return ""


def _positions(config: NetworkConfig, architecture: str) -> str:
    usual = tuple(range(_UNROTATED_EVERY - 1, config.n_layers, _UNROTATED_EVERY))
    if architecture == "smollm3" and config.unrotated != usual:
        return "llama.cpp expects every fourth layer of smollm3 to be the one without positions"
    return ""


def _scaling(config: NetworkConfig, architecture: str) -> str:
    scaling = config.rope_scaling
    if isinstance(scaling, Llama3Scaling | LongRopeScaling) and architecture not in _TAKES_FACTORS:
        return f"llama.cpp does not stretch the positions of {config.family} pair by pair"
    if isinstance(scaling, YarnScaling) and not scaling.truncate:
        return "its YaRN scaling leaves its bounds between two pairs, and llama.cpp rounds them"
    if isinstance(scaling, YarnScaling) and not _usual_length(scaling):
        return "its YaRN scaling lengthens queries otherwise than llama.cpp does"
    return ""


def _usual_length(scaling: YarnScaling) -> bool:
    """Whether queries and keys are lengthened as its authors do (YaRN, eq. 22)."""
    return math.isclose(scaling.attention_factor, 1 + 0.1 * math.log(max(1, scaling.factor)))
