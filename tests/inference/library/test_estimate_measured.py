"""Forecasts beside what llama.cpp reports after loading: files of real shapes without content."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.library.estimate import MemoryEstimate, estimate, estimate_gguf
from inference.library.gguf_header import read_header
from inference.library.memory_shape import shape_of_header
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import byte_alphabet

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("llama_cpp", reason="llama.cpp is not installed")

_Q8 = gguf.GGMLQuantizationType.Q8_0
_SMOL = {"layers": 30, "width": 576, "heads": 9, "kv_heads": 3, "ffn": 1536, "vocab": 49_152}
_WIDE = {"layers": 4, "width": 2048, "heads": 32, "kv_heads": 8, "ffn": 8192, "vocab": 32_768}
_QWEN = {
    "architecture": "qwen3",
    "layers": 4,
    "width": 1024,
    "heads": 16,
    "kv_heads": 8,
    "head_width": 128,
    "ffn": 3072,
    "vocab": 151_936,
}


def hollow_gguf(
    path: Path,
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    ffn: int,
    vocab: int,
    architecture: str = "llama",
    head_width: int = 0,
) -> Path:
    """Write a Q8_0 file of a real shape whose weights are a hole: no disk, no time."""
    head = head_width or width // heads
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(131_072)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocab)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    alphabet = byte_alphabet()
    writer.add_token_list(alphabet + [f"t{index}" for index in range(vocab - len(alphabet))])
    writer.add_token_types([1] * vocab)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    tensors = _tensors(
        layers=layers,
        width=width,
        q=heads * head,
        kv=kv_heads * head,
        ffn=ffn,
        vocab=vocab,
        normed_head=head if architecture == "qwen3" else 0,
    )
    sizes = [_tensor(writer, name, shape) for name, shape in tensors]
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    data_bytes = sum(-(-size // 32) * 32 for size in sizes)
    os.truncate(path, -(-path.stat().st_size // 32) * 32 + data_bytes)
    return path


def _tensors(
    *, layers: int, width: int, q: int, kv: int, ffn: int, vocab: int, normed_head: int
) -> list[tuple[str, tuple[int, ...]]]:
    found: list[tuple[str, tuple[int, ...]]] = [("token_embd", (vocab, width))]
    for layer in range(layers):
        block = f"blk.{layer}."
        found += [(block + "attn_norm", (width,)), (block + "ffn_norm", (width,))]
        found += [(block + "attn_q", (q, width)), (block + "attn_output", (width, q))]
        found += [(block + "attn_k", (kv, width)), (block + "attn_v", (kv, width))]
        found += [(block + "ffn_gate", (ffn, width)), (block + "ffn_up", (ffn, width))]
        found += [(block + "ffn_down", (width, ffn))]
        if normed_head:
            found += [
                (block + "attn_q_norm", (normed_head,)),
                (block + "attn_k_norm", (normed_head,)),
            ]
    return [*found, ("output_norm", (width,))]


def _tensor(writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...]) -> int:
    full = name + ".weight"
    if len(shape) == 1:
        writer.add_tensor_info(full, shape, np.dtype(np.float32), shape[0] * 4)
        return shape[0] * 4
    rows, columns = shape
    row_bytes = columns // 32 * 34
    writer.add_tensor_info(full, (rows, row_bytes), np.dtype(np.uint8), rows * row_bytes, _Q8)
    return rows * row_bytes


def loaded(path: Path, **options: Any) -> MemoryEstimate:
    """Load a file for real and return what llama.cpp says it took."""
    from inference.gguf.engine import open_engine

    load = LoadOptions(path=str(path), engine="gguf", gpu_layers=0, **options)
    with closing(open_engine(load, lambda _fraction: None, CancelToken())) as engine:
        facts = engine.loaded
    assert facts.buffers_bytes
    return MemoryEstimate(facts.weights_bytes, facts.kv_cache_bytes, facts.buffers_bytes)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_native_forecast_is_what_the_engine_then_holds(tmp_path: Path, dtype: str) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    from inference.native.engine import open_engine

    folder = tiny_llama(tmp_path / "tiny", dtype=dtype, width=64, vocab_size=2048)
    told = estimate(folder, 256)
    load = LoadOptions(path=str(folder), engine="native", n_ctx=256, device="cpu")
    with closing(open_engine(load, lambda _fraction: None, CancelToken())) as engine:
        took = engine.loaded
    assert told.weights_bytes == took.weights_bytes
    assert told.kv_cache_bytes == took.kv_cache_bytes


@pytest.mark.parametrize(
    ("shape", "n_ctx", "kv_cache_type", "flash"),
    [
        pytest.param(_SMOL, 2_048, "f16", None, id="135M, short"),
        pytest.param(_SMOL, 16_384, "f16", None, id="135M, long"),
        pytest.param(_SMOL, 8_192, "q8_0", None, id="135M, small cache"),
        pytest.param(_WIDE, 512, "f16", None, id="wide, short"),
        pytest.param(_WIDE, 8_192, "f16", False, id="wide, no flash attention"),
        pytest.param(_QWEN, 4_096, "f16", None, id="Qwen3, large vocabulary"),
        pytest.param(_QWEN, 32_768, "q4_0", None, id="Qwen3, long"),
    ],
)
def test_a_forecast_is_within_a_tenth_of_what_loading_took(
    tmp_path: Path, shape: dict[str, Any], n_ctx: int, kv_cache_type: str, flash: bool | None
) -> None:
    path = hollow_gguf(tmp_path / "hollow.gguf", **shape)
    told = estimate(path, n_ctx, kv_cache_type)
    if flash is False:
        told = estimate_gguf(
            shape_of_header(read_header(path)),
            told.weights_bytes,
            n_ctx,
            kv_cache_type,
            flash_attention=False,
        )
    took = loaded(path, n_ctx=n_ctx, kv_cache_type=kv_cache_type, flash_attention=flash)
    assert told.weights_bytes == pytest.approx(took.weights_bytes, rel=0.001)
    assert told.kv_cache_bytes == pytest.approx(took.kv_cache_bytes, rel=0.01)
    assert told.buffers_bytes == pytest.approx(took.buffers_bytes, rel=0.1)
    assert told.total_bytes == pytest.approx(took.total_bytes, rel=0.1)
