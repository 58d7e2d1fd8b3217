"""Llama and all that ships under its name (Dubey et al. 2024, section 3.2): SmolLM2, TinyLlama ...

Norms before attention and MLP, rotary positions, shared key-value heads, a gated MLP: the design
that the other families vary.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import Family, read_decoder, write_decoder

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    biases = reader.flag("attention_bias", default=False)
    return replace(
        read_decoder(reader, "llama"),
        attention_bias=biases,
        attention_output_bias=biases,
        mlp_bias=reader.flag("mlp_bias", default=False),
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {
        "attention_bias": config.attention_bias,
        "mlp_bias": config.mlp_bias,
    }


FAMILY = Family("llama", "LlamaForCausalLM", _read, _write)
