"""Granite 3 (IBM 2024): Llama with four multipliers that keep sums of any depth at one size.

They stand where maximal update parametrisation wants them (Yang et al. 2022, muP).
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
        read_decoder(reader, "granite"),
        attention_bias=biases,
        attention_output_bias=biases,
        mlp_bias=reader.flag("mlp_bias", default=False),
        embedding_scale=reader.number("embedding_multiplier", 1.0),
        attention_scale=reader.number("attention_multiplier", 1.0),
        residual_scale=reader.number("residual_multiplier", 1.0),
        logit_divisor=reader.number("logits_scaling", 1.0),
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {
        "attention_bias": config.attention_bias,
        "mlp_bias": config.mlp_bias,
        "embedding_multiplier": config.embedding_scale,
        "attention_multiplier": config.attention_scale,
        "residual_multiplier": config.residual_scale,
        "logits_scaling": config.logit_divisor,
    }


FAMILY = Family("granite", "GraniteForCausalLM", _read, _write)
