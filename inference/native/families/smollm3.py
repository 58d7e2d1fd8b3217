"""SmolLM3 (Hugging Face 2025): Llama with no positions in every fourth layer (Yang et al. 2025)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.config_reader import ConfigReader, corrupt
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


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    config = read_decoder(reader, "smollm3", theta=2e6, tied_output=True, context=1 << 15)
    unrotated = _unrotated(reader, config.n_layers)
    windows: tuple[int | None, ...] = ()
    has_windows = reader.flag("use_sliding_window", default=False)
    if has_windows and reader.raw("sliding_window") is not None:
        windows = read_windows(reader, config.n_layers, lambda layer: layer in unrotated)
    biases = reader.flag("attention_bias", default=False)
    return replace(
        config,
        attention_bias=biases,
        attention_output_bias=biases,
        mlp_bias=reader.flag("mlp_bias", default=False),
        unrotated=unrotated,
        windows=windows,
    )


def _unrotated(reader: ConfigReader, n_layers: int) -> tuple[int, ...]:
    """Read which layers have no positions: those marked 0, else every fourth."""
    marks = reader.raw("no_rope_layers")
    if marks is None:
        interval = reader.count("no_rope_layer_interval", 4, most=1 << 10)
        return tuple(range(interval - 1, n_layers, interval))
    if not isinstance(marks, list) or len(marks) < n_layers:
        raise corrupt(f"no_rope_layers does not mark {n_layers} layers")
    if any(mark not in (0, 1) for mark in marks):
        raise corrupt("no_rope_layers holds other marks than 0 and 1")
    return tuple(layer for layer in range(n_layers) if not marks[layer])


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_decoder(config) | {
        "attention_bias": config.attention_bias,
        "mlp_bias": config.mlp_bias,
        "no_rope_layers": [int(i not in config.unrotated) for i in range(config.n_layers)],
        "use_sliding_window": bool(config.windows),
        "sliding_window": window_size(config),
        "layer_types": layer_types(config),
    }


FAMILY = Family("smollm3", "SmolLM3ForCausalLM", _read, _write)
