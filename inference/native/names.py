"""Our parameter names and Hugging Face's, in both directions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.native.config import Family, NetworkConfig

# Ours on the left, without ".weight" or ".bias"; "{}" is the layer.
_NAMES: dict[Family, dict[str, str]] = {
    "llama": {
        "token_embedding": "model.embed_tokens",
        "blocks.{}.attention_norm": "model.layers.{}.input_layernorm",
        "blocks.{}.attention.query": "model.layers.{}.self_attn.q_proj",
        "blocks.{}.attention.key": "model.layers.{}.self_attn.k_proj",
        "blocks.{}.attention.value": "model.layers.{}.self_attn.v_proj",
        "blocks.{}.attention.output": "model.layers.{}.self_attn.o_proj",
        "blocks.{}.mlp_norm": "model.layers.{}.post_attention_layernorm",
        "blocks.{}.mlp.gate": "model.layers.{}.mlp.gate_proj",
        "blocks.{}.mlp.up": "model.layers.{}.mlp.up_proj",
        "blocks.{}.mlp.down": "model.layers.{}.mlp.down_proj",
        "final_norm": "model.norm",
        "output": "lm_head",
    },
    "gpt2": {
        "token_embedding": "transformer.wte",
        "position_embedding": "transformer.wpe",
        "blocks.{}.attention_norm": "transformer.h.{}.ln_1",
        "blocks.{}.attention.query_key_value": "transformer.h.{}.attn.c_attn",
        "blocks.{}.attention.output": "transformer.h.{}.attn.c_proj",
        "blocks.{}.mlp_norm": "transformer.h.{}.ln_2",
        "blocks.{}.mlp.up": "transformer.h.{}.mlp.c_fc",
        "blocks.{}.mlp.down": "transformer.h.{}.mlp.c_proj",
        "final_norm": "transformer.ln_f",
        "output": "lm_head",
    },
}

# Constants that older versions of transformers saved beside the weights; computed here.
_CONSTANTS: dict[Family, re.Pattern[str]] = {
    "llama": re.compile(r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq"),
    "gpt2": re.compile(r"transformer\.h\.\d+\.attn\.(bias|masked_bias)"),
}


def hugging_face_name(ours: str, config: NetworkConfig) -> str:
    """Return Hugging Face's name of one of our parameters."""
    stem, _, kind = ours.rpartition(".")
    layer = re.search(r"\d+", stem)
    pattern = re.sub(r"\d+", "{}", stem)
    theirs = _NAMES[config.family][pattern]
    return f"{theirs.format(layer.group() if layer else '')}.{kind}"


def full_name(theirs: str, config: NetworkConfig) -> str:
    """Complete a name from a file: GPT-2's first checkpoints leave the ``transformer.`` out."""
    if config.family == "gpt2" and not theirs.startswith(("transformer.", "lm_head.")):
        return f"transformer.{theirs}"
    return theirs


def is_constant(theirs: str, config: NetworkConfig) -> bool:
    """Say whether a tensor of that name may be left aside: its values follow from the config."""
    return _CONSTANTS[config.family].fullmatch(theirs) is not None
