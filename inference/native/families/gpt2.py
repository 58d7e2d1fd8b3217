"""GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each part, GELU, biases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from inference.native.config import NetworkConfig
from inference.native.config_reader import ConfigReader, corrupt
from inference.native.families.base import Design, Family

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "token_embedding": "transformer.wte",
    "position_embedding": "transformer.wpe",
    "blocks.{}.attention_norm": "transformer.h.{}.ln_1",
    "blocks.{}.attention.query_key_value": "transformer.h.{}.attn.c_attn",
    "blocks.{}.attention.output": "transformer.h.{}.attn.c_proj",
    "blocks.{}.mlp_norm": "transformer.h.{}.ln_2",
    "blocks.{}.mlp.up": "transformer.h.{}.mlp.c_fc",
    "blocks.{}.mlp.down": "transformer.h.{}.mlp.c_proj",
    "final_norm": "transformer.ln_f",
    "output": "lm_head",
}


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only(
        "activation_function", ("gelu_new", "gelu_pytorch_tanh"), "its activation is not GELU-new"
    )
    reader.only("scale_attn_weights", (True,), "its attention is not scaled")
    reader.only("scale_attn_by_inverse_layer_idx", (False,), "its attention is scaled by layer")
    reader.only("add_cross_attention", (False,), "it has cross-attention")
    width = reader.count("n_embd", most=1 << 16)
    n_heads = reader.count("n_head", most=1 << 10)
    if width % n_heads:
        raise corrupt(f"{n_heads} heads cannot divide a width of {width}")
    return NetworkConfig(
        family="gpt2",
        vocab_size=reader.count("vocab_size", most=1 << 21),
        width=width,
        n_layers=reader.count("n_layer", most=1 << 10),
        n_heads=n_heads,
        n_kv_heads=n_heads,
        head_width=width // n_heads,
        mlp_width=reader.count("n_inner", 4 * width, most=1 << 18),
        context=reader.count("n_positions", 1024, most=1 << 24),
        norm_eps=reader.number("layer_norm_epsilon", 1e-5),
        rotary_width=0,
        tied_output=reader.flag("tie_word_embeddings", default=True),
        attention_bias=True,
        attention_output_bias=True,
        mlp_bias=True,
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    return {
        "n_embd": config.width,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        "n_inner": config.mlp_width,
        "n_positions": config.context,
        "layer_norm_epsilon": config.norm_eps,
        "activation_function": "gelu_new",
    }


def _full_name(name: str) -> str:
    """GPT-2's first checkpoints leave the ``transformer.`` out."""
    return name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}"


FAMILY = Family(
    "gpt2",
    "GPT2LMHeadModel",
    _read,
    _write,
    design=Design(
        norm="layer",
        fused_attention="parts",
        mlp="plain",
        activation="gelu_tanh",
        learned_positions=True,
        transposed=True,
    ),
    names=_NAMES,
    constants=re.compile(r"transformer\.h\.\d+\.attn\.(bias|masked_bias)"),
    full_name=_full_name,
)
