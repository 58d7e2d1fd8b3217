"""Phi-3, 3.5 and 4 (Abdin et al. 2024): Llama with fused products, a window and LongRoPE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.config_reader import ConfigReader, unsupported
from inference.native.families.base import (
    LLAMA_NAMES,
    Design,
    Family,
    read_decoder,
    read_windows,
    window_size,
    write_decoder,
)
from inference.native.scaling import LongRopeScaling, YarnScaling

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig

_ORIGINAL_CONTEXT = 4096


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("hidden_act", ("silu", "swish"), "its activation is not SiLU")
    config = read_decoder(
        reader, "phi3", norm_eps=1e-5, context=4096, original_context=_ORIGINAL_CONTEXT
    )
    if isinstance(config.rope_scaling, YarnScaling):
        raise unsupported("it calls its rotary scaling yarn, which meant another one in Phi-3")
    if reader.raw("sliding_window") is None:
        return config
    return replace(config, windows=read_windows(reader, config.n_layers, lambda _: True))


def _write(config: NetworkConfig) -> dict[str, Any]:
    scaling, original = config.rope_scaling, _ORIGINAL_CONTEXT
    if isinstance(scaling, LongRopeScaling):
        original = scaling.original_context
    return write_decoder(config) | {
        "original_max_position_embeddings": original,
        "sliding_window": window_size(config),
    }


FAMILY = Family(
    "phi3",
    "Phi3ForCausalLM",
    _read,
    _write,
    design=Design(fused_attention="parts", mlp="fused_gate"),
    names={
        **LLAMA_NAMES,
        "blocks.{}.attention.query_key_value": "model.layers.{}.self_attn.qkv_proj",
        "blocks.{}.mlp.gate_up": "model.layers.{}.mlp.gate_up_proj",
    },
)
