"""Gemma 2 (Gemma Team 2024, section 2): norms around each part, soft caps, alternating windows.

The embedding is scaled up by the root of the width; the MLP's gate is a GELU.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.native.families.base import (
    LLAMA_NAMES,
    NORMS_AROUND_NAMES,
    Design,
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
    from inference.native.families.base import Rope

_WINDOW = 4096


def _read(reader: ConfigReader) -> NetworkConfig:
    config = read_gemma(reader, "gemma2", context=8192)
    return replace(
        config,
        attention_cap=_cap(reader, "attn_logit_softcapping", 50.0),
        logit_cap=_cap(reader, "final_logit_softcapping", 30.0),
        windows=read_gemma_windows(reader, config.n_layers, every=2),
    )


def read_gemma(
    reader: ConfigReader, family: str, *, context: int, rope: Rope | None = None
) -> NetworkConfig:
    """Read what Gemma 2 and 3 share; ``context`` is the family's default."""
    activation = ("gelu_pytorch_tanh",)
    reader.only("hidden_activation", activation, "its activation is not the tanh form of GELU")
    reader.only("use_bidirectional_attention", (False,), "its positions see those after them")
    config = read_decoder(
        reader, family, tied_output=True, head_width=256, context=context, rope=rope
    )
    biases = reader.flag("attention_bias", default=False)
    return replace(
        config,
        attention_bias=biases,
        attention_output_bias=biases,
        attention_scale=reader.number("query_pre_attn_scalar", 256.0) ** -0.5,
        embedding_scale=config.width**0.5,
    )


def read_gemma_windows(
    reader: ConfigReader, n_layers: int, *, every: int
) -> tuple[int | None, ...]:
    """Read the windows: unless the config says otherwise, ``every``-th layer has none."""
    if "sliding_window" in reader and reader.raw("sliding_window") is None:
        return ()
    return read_windows(reader, n_layers, lambda layer: (layer + 1) % every != 0, _WINDOW)


def _cap(reader: ConfigReader, key: str, default: float) -> float | None:
    return reader.optional_number(key) if key in reader else default


def write_gemma(config: NetworkConfig) -> dict[str, Any]:
    """Return the keys that Gemma 2 and 3 share."""
    scale = config.attention_scale or 256**-0.5
    return write_decoder(config) | {
        "hidden_activation": "gelu_pytorch_tanh",
        "attention_bias": config.attention_bias,
        "query_pre_attn_scalar": round(scale**-2),
        "final_logit_softcapping": config.logit_cap,
        "attn_logit_softcapping": config.attention_cap,
        "sliding_window": window_size(config),
        "layer_types": layer_types(config),
    }


FAMILY = Family(
    "gemma2",
    "Gemma2ForCausalLM",
    _read,
    write_gemma,
    design=Design(norm="rms_from_one", norm_place="around", activation="gelu_tanh"),
    names={**LLAMA_NAMES, **NORMS_AROUND_NAMES},
)
