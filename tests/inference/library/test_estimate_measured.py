"""Forecasts beside what llama.cpp reports after loading: files of real shapes without content."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from inference.cancel import CancelToken
from inference.library.estimate import MemoryEstimate, estimate, estimate_gguf
from inference.library.gguf_header import read_header
from inference.library.memory_shape import shape_of_header
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.hollow import hollow_gguf

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("llama_cpp", reason="llama.cpp is not installed")

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


def loaded(path: Path, **options: Any) -> MemoryEstimate:
    """Load a file for real and return what llama.cpp says it took."""
    from inference.gguf.engine import open_engine

    load = LoadOptions(path=str(path), engine="gguf", gpu_layers=0, **options)
    with closing(open_engine(load, lambda *_: None, CancelToken())) as engine:
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
    with closing(open_engine(load, lambda *_: None, CancelToken())) as engine:
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
