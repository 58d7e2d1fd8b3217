"""OLMo 2 (OLMo Team 2024, section 3): Llama with norms after each part, and of queries and keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    LLAMA_NAMES,
    NORMS_AROUND_NAMES,
    QUERY_KEY_NORM_NAMES,
    Design,
    Family,
    read_decoder,
    write_decoder,
)

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    config = read_decoder(reader, "olmo2", norm_eps=1e-5)
    biases = reader.flag("attention_bias", default=False)
    return replace(config, attention_bias=biases, attention_output_bias=biases)


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {"attention_bias": config.attention_bias}


FAMILY = Family(
    "olmo2",
    "Olmo2ForCausalLM",
    _read,
    _write,
    design=Design(norm_place="after", query_key_norm="all"),
    names={**LLAMA_NAMES, **QUERY_KEY_NORM_NAMES, **NORMS_AROUND_NAMES},
)
