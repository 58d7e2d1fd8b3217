"""Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on query, key and value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    Family,
    layer_types,
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
    config = read_decoder(reader, "qwen2", context=1 << 15)
    return replace(config, attention_bias=True, windows=read_qwen_windows(reader, config.n_layers))


def read_qwen_windows(reader: ConfigReader, n_layers: int) -> tuple[int | None, ...]:
    """Read the window of each layer: only with ``use_sliding_window``, and in the upper layers."""
    if not reader.flag("use_sliding_window", default=False):
        return ()
    if "sliding_window" in reader and reader.raw("sliding_window") is None:
        return ()
    first = reader.raw("max_window_layers")
    first = (
        28
        if first is None
        else first
        if first == 0
        else reader.count("max_window_layers", most=1 << 10)
    )
    return read_windows(reader, n_layers, lambda layer: layer >= first, 4096)


def write_qwen_windows(config: NetworkConfig) -> dict[str, Any]:
    """Return the keys that ``read_qwen_windows`` reads."""
    return {
        "use_sliding_window": bool(config.windows),
        "sliding_window": window_size(config),
        "layer_types": layer_types(config),
    }


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | write_qwen_windows(config)


FAMILY = Family("qwen2", "Qwen2ForCausalLM", _read, _write)
