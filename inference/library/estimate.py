"""How much memory a model will need, derived from its files before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inference.library import checkpoint_folder, split_files
from inference.library.describe import is_gguf
from inference.library.gguf_header import read_header
from inference.library.memory_shape import MemoryShape, kv_bytes, shape_of_config, shape_of_header
from inference.native.config import NetworkConfig

if TYPE_CHECKING:
    from inference.types import EngineKind

DEFAULT_N_CTX = 4_096
"""The context a model gets when nothing else is asked for, as far as it was trained for that."""

_BATCH = 512  # tokens that are read at once
_OUTPUTS = 64  # of those, tokens whose logits the GGUF engine makes room for
_SMALL_PARAMETERS = 200_000_000  # below, the native engine computes in float32 on the processor


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


def estimate(
    path: Path,
    n_ctx: int | None = None,
    kv_cache_type: str = "f16",
    compute_dtype: str = "auto",
) -> MemoryEstimate:
    """Estimate what an installed model takes once loaded.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: ``f16``, ``f32``, ``bf16``, ``q8_0`` or ``q4_0``; the native engine's cache
            has the type of the weights.
        compute_dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``, for the native engine.

    Raises:
        InferenceError: The files are missing or damaged, or the cache type is unknown.
    """
    path = Path(path)
    kv_bytes(kv_cache_type)
    if is_gguf(path):
        headers = [read_header(part) for part in split_files.parts(split_files.first_part(path))]
        weights_bytes = sum(tensor.size_bytes for header in headers for tensor in header.tensors)
        return estimate_gguf(shape_of_header(headers[0]), weights_bytes, n_ctx, kv_cache_type)
    weights = checkpoint_folder.read_weights(path)
    config = checkpoint_folder.read_config(path)
    NetworkConfig.from_dict(config)  # raises for what the native engine cannot run
    shape = shape_of_config(config)
    return estimate_native(shape, weights.parameters, weights.dtype, n_ctx, compute_dtype)


def estimate_gguf(
    shape: MemoryShape,
    weights_bytes: int,
    n_ctx: int | None = None,
    kv_cache_type: str = "f16",
    *,
    flash_attention: bool = True,
) -> MemoryEstimate:
    """Estimate what the GGUF engine takes.

    The cache is exact for attention with a key and a value per token and layer: tokens x layers x
    (key width + value width) x bytes per number; sliding windows get the whole context, too, since
    the engine keeps it. The buffers are what llama.cpp reserves for a batch of 512 tokens: the
    larger of the logits of 64 tokens, and of the widest place in a block (three MLP widths and four
    model widths in float32) with the attention mask; without flash attention the weights of all
    heads over the whole context instead. The factors were measured on llama.cpp's reports for
    Llama and Qwen3 shapes from 0.1 to 1 billion weights and contexts from 512 to 32,768.

    Raises:
        UnsupportedRequestError: There is no such cache type.
    """
    context = context_of(shape, n_ctx)
    batch = min(_BATCH, context)
    logits = 4 * (min(_OUTPUTS, batch) * (shape.n_vocab + shape.width) + batch * shape.width)
    block = 4 * batch * (3 * shape.mlp_width + 4 * shape.width)
    attention = 2 * batch * context  # the mask, in float16
    if not flash_attention:
        heads = batch * (context * (shape.n_heads + 1) + 5.5 * shape.width)
        block, attention = max(block, round(4 * heads)), 0
    return MemoryEstimate(
        weights_bytes=weights_bytes,
        kv_cache_bytes=round(context * shape.kv_width * kv_bytes(kv_cache_type))
        + shape.state_bytes,
        buffers_bytes=max(logits, block + attention) + 4 * shape.n_vocab,
    )


def estimate_native(
    shape: MemoryShape,
    parameters: int,
    dtype: str,
    n_ctx: int | None = None,
    compute_dtype: str = "auto",
) -> MemoryEstimate:
    """Estimate what the native engine takes on the processor.

    It computes small checkpoints and all but bfloat16 ones in float32; the cache has the same type.

    Args:
        shape: From config.json.
        parameters: Number of weights.
        dtype: What the files store, in torch's words: ``bfloat16``, ``float32`` ...
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        compute_dtype: What it computes in; ``auto`` is as said above.
    """
    context = context_of(shape, n_ctx)
    width = 2 if dtype == "bfloat16" and parameters > _SMALL_PARAMETERS else 4
    if compute_dtype != "auto":
        width = 4 if compute_dtype == "float32" else 2
    batch = min(_BATCH, context)
    return MemoryEstimate(
        weights_bytes=width * parameters,
        kv_cache_bytes=width * context * shape.kv_width,
        buffers_bytes=width * batch * (3 * shape.mlp_width + 4 * shape.width) + 4 * shape.n_vocab,
    )


def context_of(shape: MemoryShape, n_ctx: int | None) -> int:
    """Return the context that is meant: as asked for, at most what the model was trained for."""
    trained = shape.n_ctx_train
    if n_ctx is None:
        return min(trained or DEFAULT_N_CTX, DEFAULT_N_CTX)
    return max(1, min(n_ctx, trained or n_ctx))


def bytes_per_token(shape: MemoryShape, weights_bytes: int) -> int:
    """Return how many bytes of weights one decoded token passes through.

    Of a mixture of experts only those count that work on a token; they are nearly all of its
    weights. Every other weight is read once per token.
    """
    if shape.experts and 0 < shape.experts_used < shape.experts:
        share = 0.1 + 0.9 * shape.experts_used / shape.experts
        return round(weights_bytes * share)
    return weights_bytes


def engine_estimate(
    engine: EngineKind,
    shape: MemoryShape,
    weights_bytes: int,
    *,
    parameters: int = 0,
    n_ctx: int | None = None,
    kv_cache_type: str = "f16",
) -> MemoryEstimate:
    """Estimate for either engine from what is known before a download.

    Args:
        engine: Which engine would run it.
        shape: From the header or config.
        weights_bytes: Bytes of the weight files.
        parameters: Number of weights; 0 takes the files for 16-bit ones.
        n_ctx: Context in tokens; ``None`` takes the model's own, at most 4,096.
        kv_cache_type: For the GGUF engine.
    """
    if engine == "gguf":
        return estimate_gguf(shape, weights_bytes, n_ctx, kv_cache_type)
    kv_bytes(kv_cache_type)
    count = parameters or weights_bytes // 2
    dtype = "float32" if weights_bytes > 3 * count else "bfloat16"
    return estimate_native(shape, count, dtype, n_ctx)
