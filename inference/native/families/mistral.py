"""Mistral 7B and its kin (Jiang et al. 2023): Llama, where each layer may see a window only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    Family,
    read_decoder,
    read_windows,
    window_size,
    write_decoder,
)

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    config = read_decoder(reader, "mistral", context=1 << 17)
    if "sliding_window" in reader and reader.raw("sliding_window") is None:
        return config  # from version 0.2 on
    return replace(config, windows=read_windows(reader, config.n_layers, lambda _: True, 4096))


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {"sliding_window": window_size(config)}


FAMILY = Family("mistral", "MistralForCausalLM", _read, _write)
