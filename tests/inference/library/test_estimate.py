from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.errors import ModelNotFoundError, UnsupportedRequestError
from inference.library.estimate import estimate
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path


def test_the_cache_of_a_gguf_model_follows_its_shape(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    # 2 layers x 2 key-value heads x (16 + 16) numbers, two bytes each
    per_token = 2 * 2 * (16 + 16) * 2
    assert estimate(path, 100).kv_cache_bytes == 100 * per_token
    assert estimate(path, 100, "f32").kv_cache_bytes == 200 * per_token
    assert estimate(path, 100, "q8_0").kv_cache_bytes == round(100 * per_token / 2 * 34 / 32)


def test_the_weights_of_a_gguf_model_are_its_data(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    found = estimate(path)
    assert 0 < found.weights_bytes < path.stat().st_size
    assert found.kv_cache_bytes == estimate(path, 512).kv_cache_bytes  # its own context
    assert found.total_bytes == found.weights_bytes + found.kv_cache_bytes + found.buffers_bytes


def test_a_folder_is_estimated_from_its_config(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny", dtype="bfloat16")
    found = estimate(folder, 100)
    # so small a checkpoint is computed in float32: 2 layers x 2 heads x (8 + 8) numbers, 4 bytes
    assert found.kv_cache_bytes == 2 * 2 * (8 + 8) * 100 * 4
    stored_bytes = (folder / "model.safetensors").stat().st_size
    assert stored_bytes < found.weights_bytes < 2 * stored_bytes


def test_what_cannot_be_estimated_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequestError, match="q3_0"):
        estimate(tmp_path, kv_cache_type="q3_0")
    with pytest.raises(ModelNotFoundError):
        estimate(tmp_path / "none.gguf")
