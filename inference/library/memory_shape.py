"""What a model's memory depends on: a few widths, read from a GGUF header or a config.json.

Works on headers that were read only in part, so that it can be told before a download. Formulas
are in ``estimate``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import UnsupportedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.library.gguf_header import GgufHeader

KV_BYTES: Mapping[str, float] = {
    "f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32,
}  # fmt: skip
"""Bytes per number of each cache type (q8_0 and q4_0: blocks of 32 with a 2-byte scale)."""

_LARGEST_COUNT = 1 << 31
_TEXT_CONFIGS = ("text_config", "llm_config", "language_config")


@dataclass(frozen=True, slots=True)
class MemoryShape:
    """The widths of one network; 0 where the files do not say.

    Attributes:
        n_layers: Blocks.
        n_ctx_train: Context it was trained for, in tokens.
        n_vocab: Vocabulary size.
        width: Numbers per position between the blocks.
        mlp_width: Numbers inside the MLP (of all experts that work on one token).
        n_heads: Query heads.
        kv_width: Keys and values that one token leaves behind, all layers together.
        state_bytes: Memory of recurrent layers, whatever the context.
        experts: Experts per layer; 0 for a dense network.
        experts_used: Of those, how many work on one token.
    """

    n_layers: int
    n_ctx_train: int
    n_vocab: int
    width: int
    mlp_width: int
    n_heads: int
    kv_width: int
    state_bytes: int = 0
    experts: int = 0
    experts_used: int = 0

    @property
    def known(self) -> bool:
        """Whether there is enough to estimate from."""
        return min(self.n_layers, self.width, self.n_vocab) > 0

    def kv_bytes_per_token(self, kv_cache_type: str = "f16") -> float:
        """Return what each token of context costs; raises ``UnsupportedRequestError``."""
        return self.kv_width * kv_bytes(kv_cache_type)


def kv_bytes(kv_cache_type: str) -> float:
    """Return the bytes per cached number; raises ``UnsupportedRequestError`` for other types."""
    if kv_cache_type not in KV_BYTES:
        raise UnsupportedRequestError(
            f"There is no cache type {kv_cache_type!r}.", f"Choose one of {', '.join(KV_BYTES)}."
        )
    return KV_BYTES[kv_cache_type]


def shape_of_header(header: GgufHeader) -> MemoryShape:
    """Read the widths from a GGUF header, whole or in part."""
    n_layers, width = header.own("block_count"), header.own("embedding_length")
    n_heads = max(header.own("attention.head_count"), 1)
    key_width = header.own("attention.key_length") or width // n_heads
    value_width = header.own("attention.value_length") or width // n_heads
    attending = _attending_layers(header, n_layers)
    kv_heads = header.metadata.get(f"{header.architecture}.attention.head_count_kv")
    if isinstance(kv_heads, tuple):  # one number per layer; 0 for layers without attention
        all_heads = sum(count for count in kv_heads if isinstance(count, int) and count > 0)
    else:
        all_heads = attending * (kv_heads if isinstance(kv_heads, int) else n_heads)
    used = header.own("expert_used_count")
    expert_width = header.own("expert_feed_forward_length")
    return MemoryShape(
        n_layers=n_layers,
        n_ctx_train=header.own("context_length"),
        n_vocab=header.n_vocab,
        width=width,
        mlp_width=max(header.own("feed_forward_length"), used * expert_width),
        n_heads=n_heads,
        kv_width=all_heads * (key_width + value_width),
        state_bytes=(n_layers - attending)
        * 4 * header.own("ssm.inner_size") * header.own("ssm.state_size"),
        experts=header.own("expert_count"),
        experts_used=used,
    )  # fmt: skip


def _attending_layers(header: GgufHeader, n_layers: int) -> int:
    """Return how many blocks keep keys and values: hybrids have one in every few."""
    interval = header.own("full_attention_interval")
    if interval:
        return n_layers // interval
    return n_layers


def shape_of_config(config: Mapping[str, object]) -> MemoryShape:
    """Read the widths from a ``config.json`` of any architecture, as far as it names them."""
    for key in _TEXT_CONFIGS:  # models that see pictures keep the language part in its own object
        inner = config.get(key)
        if isinstance(inner, dict):
            config = {**config, **inner}
            break
    n_layers = _count(config, "num_hidden_layers", "n_layer", "num_layers")
    width = _count(config, "hidden_size", "n_embd", "d_model")
    n_heads = max(_count(config, "num_attention_heads", "n_head"), 1)
    kv_heads = _count(config, "num_key_value_heads") or n_heads
    head_width = _count(config, "head_dim") or width // n_heads
    used = _count(config, "num_experts_per_tok", "experts_per_token")
    expert_width = _count(config, "moe_intermediate_size")
    return MemoryShape(
        n_layers=n_layers,
        n_ctx_train=_count(config, "max_position_embeddings", "n_positions"),
        n_vocab=_count(config, "vocab_size"),
        width=width,
        mlp_width=_count(config, "intermediate_size", "n_inner")
        or used * expert_width
        or 4 * width,
        n_heads=n_heads,
        kv_width=2 * _attending(config, n_layers) * kv_heads * head_width,
        experts=_count(config, "num_local_experts", "num_experts"),
        experts_used=used,
    )


def _attending(config: Mapping[str, object], n_layers: int) -> int:
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == n_layers:
        return sum(1 for kind in kinds if "linear" not in str(kind))
    return n_layers


def _count(config: Mapping[str, object], *keys: str) -> int:
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_COUNT:
            return value
    return 0
