"""Qwen3 (Yang et al. 2025): Llama whose queries and keys are normed, head by head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    LLAMA_NAMES,
    QUERY_KEY_NORM_NAMES,
    Design,
    Family,
    read_decoder,
    write_decoder,
)
from inference.native.families.qwen2 import read_qwen_windows, write_qwen_windows

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    config = read_decoder(reader, "qwen3", head_width=128, context=1 << 15)
    biases = reader.flag("attention_bias", default=False)
    return replace(
        config,
        attention_bias=biases,
        attention_output_bias=biases,
        windows=read_qwen_windows(reader, config.n_layers),
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    biases = {"attention_bias": config.attention_bias}
    return write_decoder(config) | write_qwen_windows(config) | biases


FAMILY = Family(
    "qwen3",
    "Qwen3ForCausalLM",
    _read,
    _write,
    design=Design(query_key_norm="head"),
    names={**LLAMA_NAMES, **QUERY_KEY_NORM_NAMES},
)
