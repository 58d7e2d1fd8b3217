"""GPT-NeoX and Pythia (Black et al. 2022): attention and MLP read the same stream, side by side.

LayerNorm and biases as in GPT-2; only a quarter of each head turns with position.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import Design, Family, read_decoder, write_decoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader

_NAMES: Mapping[str, str] = {
    "token_embedding": "gpt_neox.embed_in",
    "blocks.{}.attention_norm": "gpt_neox.layers.{}.input_layernorm",
    "blocks.{}.attention.query_key_value": "gpt_neox.layers.{}.attention.query_key_value",
    "blocks.{}.attention.output": "gpt_neox.layers.{}.attention.dense",
    "blocks.{}.mlp_norm": "gpt_neox.layers.{}.post_attention_layernorm",
    "blocks.{}.mlp.up": "gpt_neox.layers.{}.mlp.dense_h_to_4h",
    "blocks.{}.mlp.down": "gpt_neox.layers.{}.mlp.dense_4h_to_h",
    "final_norm": "gpt_neox.final_layer_norm",
    "output": "embed_out",
}


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("gelu",), "its activation is not the exact GELU")
    config = read_decoder(
        reader,
        "gpt_neox",
        theta=reader.number("rotary_emb_base", 10_000.0),
        share=reader.number("rotary_pct", 0.25),
        norm_eps=reader.number("layer_norm_eps", 1e-5),
    )
    biases = reader.flag("attention_bias", default=True)
    return replace(
        config,
        attention_bias=biases,
        attention_output_bias=biases,
        mlp_bias=True,
        n_kv_heads=config.n_heads,
        parallel=reader.flag("use_parallel_residual", default=True),
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {
        "layer_norm_eps": config.norm_eps,
        "rotary_emb_base": config.rope_theta,
        "rotary_pct": config.turning_width / config.head_width,
        "use_parallel_residual": config.parallel,
        "attention_bias": config.attention_bias,
        "hidden_act": "gelu",
    }


def _full_name(name: str) -> str:
    """Return the name in the published files of what newer ones call ``lm_head``."""
    return f"embed_out.{name.removeprefix('lm_head.')}" if name.startswith("lm_head.") else name


FAMILY = Family(
    "gpt_neox",
    "GPTNeoXForCausalLM",
    _read,
    _write,
    design=Design(norm="layer", fused_attention="heads", mlp="plain", activation="gelu"),
    names=_NAMES,
    constants=re.compile(
        r"gpt_neox\.layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)"
    ),
    full_name=_full_name,
)
