"""What a family is, and how the many that descend from Llama are read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from inference.native.config import NetworkConfig
from inference.native.config_reader import ConfigReader, corrupt
from inference.native.scaling import (
    DynamicScaling,
    RopeScaling,
    YarnScaling,
    read_scaling,
    write_scaling,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FULL, _WINDOWED = "full_attention", "sliding_attention"
_MOST_POSITIONS = 1 << 24


@dataclass(frozen=True, slots=True)
class Design:
    """What all networks of a family have in common, whatever their size.

    Attributes:
        norm: ``rms``; ``rms_from_one``, whose weights are kept less 1; or ``layer``.
        norm_place: Norms stand ``before`` attention and MLP, ``after`` them, or ``around``.
        query_key_norm: Queries and keys are normed: ``no``, each ``head``, or ``all`` heads as one.
        fused_attention: Query, key and value come from one product whose rows are ordered so:
            ``no``; all queries, all keys, all values (``parts``); or head by head (``heads``).
        mlp: ``gated``; ``fused_gate``, gate and up from one product; or ``plain``.
        activation: Between the MLP's products.
        learned_positions: Positions are learned vectors, not turns.
        transposed: Weights of products lie (in, out) in the files.
    """

    norm: Literal["rms", "rms_from_one", "layer"] = "rms"
    norm_place: Literal["before", "after", "around"] = "before"
    query_key_norm: Literal["no", "head", "all"] = "no"
    fused_attention: Literal["no", "parts", "heads"] = "no"
    mlp: Literal["gated", "fused_gate", "plain"] = "gated"
    activation: Literal["silu", "gelu", "gelu_tanh"] = "silu"
    learned_positions: bool = False
    transposed: bool = False


# Ours on the left, without ".weight" or ".bias"; "{}" is the layer.
LLAMA_NAMES: Mapping[str, str] = {
    "token_embedding": "model.embed_tokens",
    "blocks.{}.attention_norm": "model.layers.{}.input_layernorm",
    "blocks.{}.attention.query": "model.layers.{}.self_attn.q_proj",
    "blocks.{}.attention.key": "model.layers.{}.self_attn.k_proj",
    "blocks.{}.attention.value": "model.layers.{}.self_attn.v_proj",
    "blocks.{}.attention.output": "model.layers.{}.self_attn.o_proj",
    "blocks.{}.mlp_norm": "model.layers.{}.post_attention_layernorm",
    "blocks.{}.mlp.gate": "model.layers.{}.mlp.gate_proj",
    "blocks.{}.mlp.up": "model.layers.{}.mlp.up_proj",
    "blocks.{}.mlp.down": "model.layers.{}.mlp.down_proj",
    "final_norm": "model.norm",
    "output": "lm_head",
}
QUERY_KEY_NORM_NAMES: Mapping[str, str] = {
    "blocks.{}.attention.query_norm": "model.layers.{}.self_attn.q_norm",
    "blocks.{}.attention.key_norm": "model.layers.{}.self_attn.k_norm",
}
# Gemma's names: what Llama calls post_attention_layernorm stands before the MLP there.
NORMS_AROUND_NAMES: Mapping[str, str] = {
    "blocks.{}.attention_norm_after": "model.layers.{}.post_attention_layernorm",
    "blocks.{}.mlp_norm": "model.layers.{}.pre_feedforward_layernorm",
    "blocks.{}.mlp_norm_after": "model.layers.{}.post_feedforward_layernorm",
}


def _unchanged(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class Family:
    """One family of networks.

    Attributes:
        name: ``model_type`` in its config.json.
        architecture: The name under ``architectures``.
        read: Makes the config of the JSON object.
        write: Makes the JSON object's own part of a config; the inverse of ``read``.
        design: What its networks have in common.
        names: Our parameter names and Hugging Face's, "{}" for the layer.
        constants: Tensors that older files hold beside the weights; computed here.
        full_name: Completes or renews a name that older files use.
    """

    name: str
    architecture: str
    read: Callable[[ConfigReader], NetworkConfig]
    write: Callable[[NetworkConfig], dict[str, Any]]
    design: Design = Design()
    names: Mapping[str, str] = field(default_factory=lambda: LLAMA_NAMES)
    constants: re.Pattern[str] = re.compile(r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq")
    full_name: Callable[[str], str] = _unchanged


def read_decoder(
    reader: ConfigReader,
    family: str,
    *,
    theta: float = 10_000.0,
    norm_eps: float = 1e-6,
    tied_output: bool = False,
    head_width: int | None = None,
    context: int = 2048,
    original_context: int | None = None,
    share: float = 1.0,
    rope: Rope | None = None,
) -> NetworkConfig:
    """Read the keys that Llama and its descendants share; the arguments are a family's defaults.

    Args:
        reader: The config.
        family: Its family's name.
        theta: Base of the rotary wavelengths.
        norm_eps: Keeps the norm from dividing by zero.
        tied_output: The output projection is the token embedding.
        head_width: Numbers per head; None is the width shared out among the heads.
        context: Positions.
        original_context: Positions before stretching, for scaling that does not say so itself.
        share: Share of each head that turns.
        rope: The rotary embedding, for families that describe it in a way of their own.

    Raises:
        CorruptCheckpointError: A value is missing or cannot be true.
        UnsupportedArchitectureError: The rotary embedding is scaled in another way.
    """
    width = reader.count("hidden_size", most=1 << 16)
    n_heads = reader.count("num_attention_heads", most=1 << 10)
    if reader.raw("head_dim") is None and head_width is None and width % n_heads:
        raise corrupt(f"{n_heads} heads cannot divide a width of {width}")
    head_width = reader.count("head_dim", head_width or width // n_heads, most=1 << 12)
    context = reader.count("max_position_embeddings", context, most=_MOST_POSITIONS)
    key = "rope_scaling" if reader.raw("rope_parameters") is None else "rope_parameters"
    if rope is None:
        rope = read_rope(
            reader,
            reader.inner(key),
            theta=theta,
            context=context,
            original_context=original_context,
            share=share,
        )
    return NetworkConfig(
        family=family,
        vocab_size=reader.count("vocab_size", most=1 << 21),
        width=width,
        n_layers=reader.count("num_hidden_layers", most=1 << 10),
        n_heads=n_heads,
        n_kv_heads=reader.count("num_key_value_heads", n_heads, most=1 << 10),
        head_width=head_width,
        mlp_width=reader.count("intermediate_size", most=1 << 18),
        context=stretched(context, rope.scaling),
        norm_eps=reader.number("rms_norm_eps", norm_eps),
        rope_theta=rope.theta,
        rope_scaling=rope.scaling,
        rotary_width=None if rope.share == 1 else int(head_width * rope.share),
        tied_output=reader.flag("tie_word_embeddings", default=tied_output),
    )


@dataclass(frozen=True, slots=True)
class Rope:
    """Rotary settings as found: base, stretching, and the share of each head that turns."""

    theta: float
    scaling: RopeScaling | None
    share: float


def read_rope(
    reader: ConfigReader,
    found: ConfigReader | None,
    *,
    theta: float,
    context: int,
    original_context: int | None = None,
    share: float = 1.0,
) -> Rope:
    """Read the rotary embedding; transformers 5 keeps all of it in one object, ``found``."""
    theta = reader.number("rope_theta", theta)
    share = reader.number("partial_rotary_factor", share)
    if found is None:
        return Rope(theta, None, share)
    kind = found.raw("rope_type") or found.raw("type") or "default"
    outside = "original_max_position_embeddings"
    if reader.raw(outside) is not None:
        original_context = reader.count(outside, most=_MOST_POSITIONS)
    elif found.raw(outside) is not None:
        original_context = None
    scaling = read_scaling(found, kind, context=context, original=original_context)
    share = found.number("partial_rotary_factor", share)
    return Rope(found.number("rope_theta", theta), scaling, share)


def stretched(context: int, scaling: RopeScaling | None) -> int:
    """Return how many positions the scaling reaches; some configs keep the original number."""
    if isinstance(scaling, DynamicScaling | YarnScaling):
        return max(context, min(int(scaling.original_context * scaling.factor), _MOST_POSITIONS))
    return context


def read_windows(
    reader: ConfigReader, n_layers: int, windowed: Callable[[int], bool], size: int | None = None
) -> tuple[int | None, ...]:
    """Read what each layer sees: from ``layer_types``, or where that is absent by the rule.

    Args:
        reader: The config.
        n_layers: Number of layers.
        windowed: The family's rule: whether a layer has a window.
        size: The family's window, for configs that do not say ``sliding_window``.
    """
    window = reader.count("sliding_window", size, most=_MOST_POSITIONS)
    kinds = reader.raw("layer_types")
    if kinds is None:
        kinds = [_WINDOWED if windowed(layer) else _FULL for layer in range(n_layers)]
    if not isinstance(kinds, list) or len(kinds) != n_layers:
        raise corrupt(f"layer_types does not name the kinds of {n_layers} layers")
    if any(kind not in (_FULL, _WINDOWED) for kind in kinds):
        raise corrupt(f"layer_types names others than {_FULL} and {_WINDOWED}")
    windows = tuple(window if kind == _WINDOWED else None for kind in kinds)
    return windows if any(windows) else ()


def layer_types(config: NetworkConfig) -> list[str]:
    """Return what ``layer_types`` says of a config; the inverse of ``read_windows``."""
    return [_FULL if config.window(i) is None else _WINDOWED for i in range(config.n_layers)]


def window_size(config: NetworkConfig) -> int | None:
    """Return ``sliding_window``: the window of the layers that have one."""
    return max((window for window in config.windows if window is not None), default=None)


def write_decoder(config: NetworkConfig) -> dict[str, Any]:
    """Return the keys that Llama and its descendants share; the inverse of ``read_decoder``."""
    scaling, context = config.rope_scaling, config.context
    if isinstance(scaling, DynamicScaling):
        context = scaling.original_context
    return {
        "hidden_size": config.width,
        "intermediate_size": config.mlp_width,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads,
        "head_dim": config.head_width,
        "max_position_embeddings": context,
        "rms_norm_eps": config.norm_eps,
        "rope_theta": config.rope_theta,
        "rope_scaling": None if scaling is None else write_scaling(scaling),
        "partial_rotary_factor": config.turning_width / config.head_width,
        "hidden_act": "silu",
    }
