"""Gemma 3, text only (Gemma Team 2025, section 2): Gemma 2 with normed queries and keys, no caps.

Five layers of six have a window, and turns of their own that are never stretched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    LLAMA_NAMES,
    NORMS_AROUND_NAMES,
    QUERY_KEY_NORM_NAMES,
    Design,
    Family,
    read_rope,
)
from inference.native.families.gemma2 import read_gemma, read_gemma_windows, write_gemma

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig
    from inference.native.config_reader import ConfigReader

_CONTEXT = 1 << 17


def _read(reader: ConfigReader) -> NetworkConfig:
    reader.only("attn_logit_softcapping", (), "its attention scores are capped")
    both = reader.inner("rope_parameters")
    full = reader.inner("rope_scaling") if both is None else both.inner("full_attention")
    local = None if both is None else both.inner("sliding_attention")
    local_theta = reader.number("rope_local_base_freq", 10_000.0)
    if local is not None:
        local.only("rope_type", ("default",), "the turns of its windowed layers are scaled")
        local_theta = local.number("rope_theta", local_theta)
    context = reader.count("max_position_embeddings", _CONTEXT, most=1 << 24)
    rope = read_rope(reader, full, theta=1e6, context=context)
    config = read_gemma(reader, "gemma3_text", context=_CONTEXT, rope=rope)
    every = reader.count("sliding_window_pattern", 6, most=1 << 10)
    return replace(
        config,
        local_theta=local_theta,
        logit_cap=reader.optional_number("final_logit_softcapping"),
        windows=read_gemma_windows(reader, config.n_layers, every=every),
    )


def _write(config: NetworkConfig) -> dict[str, Any]:
    return write_gemma(config) | {"rope_local_base_freq": config.local_theta}


FAMILY = Family(
    "gemma3_text",
    "Gemma3ForCausalLM",
    _read,
    _write,
    design=Design(
        norm="rms_from_one", norm_place="around", query_key_norm="head", activation="gelu_tanh"
    ),
    names={**LLAMA_NAMES, **NORMS_AROUND_NAMES, **QUERY_KEY_NORM_NAMES},
)
