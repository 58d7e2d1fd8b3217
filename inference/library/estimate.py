"""How much memory a model will need, derived from its files before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inference.errors import UnsupportedRequestError
from inference.library import checkpoint_folder, split_files
from inference.library.describe import is_gguf
from inference.library.gguf_header import GgufHeader, read_header
from inference.native.config import NetworkConfig

DEFAULT_N_CTX = 4_096
"""The context a model gets when nothing else is asked for, as far as it was trained for that."""

_KV_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
_BATCH = 512  # tokens that are read at once


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes; ``buffers_bytes`` are what computing needs beside weights and cache."""

    weights_bytes: int
    kv_cache_bytes: int
    buffers_bytes: int

    @property
    def total_bytes(self) -> int:
        """Everything together."""
        return self.weights_bytes + self.kv_cache_bytes + self.buffers_bytes


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the sizes depend on; ``kv_width`` is keys and values of one token, all layers."""

    n_ctx_train: int
    n_vocab: int
    width: int
    mlp_width: int
    kv_width: int


def estimate(path: Path, n_ctx: int | None = None, kv_cache_type: str = "f16") -> MemoryEstimate:
    """Estimate what a model takes once loaded.

    The cache is exact for attention with a key and a value per token and layer: layers x tokens x
    (key width + value width) x bytes per number. Sliding windows and recurrent layers need less.
    The buffers are derived from what llama.cpp reserves for a batch of 512 tokens: its logits, and
    the activations of one block.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: ``f16``, ``f32``, ``bf16``, ``q8_0`` or ``q4_0``; the native engine's cache
            has the type of the weights.

    Raises:
        InferenceError: The files are missing or damaged, or the cache type is unknown.
    """
    path = Path(path)
    if kv_cache_type not in _KV_BYTES:
        raise UnsupportedRequestError(
            f"There is no cache type {kv_cache_type!r}.", f"Choose one of {', '.join(_KV_BYTES)}."
        )
    if is_gguf(path):
        headers = [read_header(part) for part in split_files.parts(split_files.first_part(path))]
        weights_bytes = sum(tensor.size_bytes for header in headers for tensor in header.tensors)
        shape, kv_bytes = _gguf_shape(headers[0]), _KV_BYTES[kv_cache_type]
    else:
        weights = checkpoint_folder.read_weights(path)
        weights_bytes = weights.size_bytes
        shape = _folder_shape(path)
        kv_bytes = 4.0 if weights.dtype == "float32" else 2.0
    context = n_ctx or min(shape.n_ctx_train or DEFAULT_N_CTX, DEFAULT_N_CTX)
    batch = min(_BATCH, context)
    return MemoryEstimate(
        weights_bytes=weights_bytes,
        kv_cache_bytes=round(context * shape.kv_width * kv_bytes),
        buffers_bytes=4 * batch * (shape.n_vocab + 4 * shape.width + 2 * shape.mlp_width),
    )


def _gguf_shape(header: GgufHeader) -> _Shape:
    n_layers, width = header.own("block_count"), header.own("embedding_length")
    n_heads = max(header.own("attention.head_count"), 1)
    key_width = header.own("attention.key_length") or width // n_heads
    value_width = header.own("attention.value_length") or width // n_heads
    kv_heads = header.metadata.get(f"{header.architecture}.attention.head_count_kv")
    if isinstance(kv_heads, tuple):  # one number per layer; 0 for layers without attention
        all_heads = sum(count for count in kv_heads if isinstance(count, int))
    else:
        all_heads = n_layers * (kv_heads if isinstance(kv_heads, int) else n_heads)
    return _Shape(
        n_ctx_train=header.own("context_length"),
        n_vocab=header.n_vocab,
        width=width,
        mlp_width=header.own("feed_forward_length"),
        kv_width=all_heads * (key_width + value_width),
    )


def _folder_shape(folder: Path) -> _Shape:
    config = NetworkConfig.from_dict(checkpoint_folder.read_config(folder))
    return _Shape(
        n_ctx_train=config.context,
        n_vocab=config.vocab_size,
        width=config.width,
        mlp_width=config.mlp_width,
        kv_width=2 * config.n_layers * config.n_kv_heads * config.head_width,
    )
