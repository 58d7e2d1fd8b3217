from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.gguf.devices import Device
from inference.gguf.sizes import ALL_LAYERS, ModelSizes, parts_of
from inference.library.gguf_header import read_header
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.inference.gguf.conftest import OpenGguf

_GIB = 1024**3


def _sizes(path: Path) -> ModelSizes:
    return ModelSizes.of(path, read_header(path))


def test_sizes_are_those_of_the_tensors(tmp_path: Path) -> None:
    sizes = _sizes(tiny_gguf(tmp_path / "tiny.gguf"))
    block = 4 * (64 + 64 * 64 * 2 + 32 * 64 * 2 + 64 + 128 * 64 * 3)
    assert sizes.layers == 2
    assert sizes.layer_bytes == block
    assert sizes.output_bytes == 4 * 271 * 64  # tied: a copy of the embedding
    assert sizes.n_ctx_train == 512
    assert sizes.total_bytes == (tmp_path / "tiny.gguf").stat().st_size


@pytest.mark.parametrize("kv_type", ["f16", "f32"])
def test_the_derived_cache_equals_what_llama_cpp_sets_aside(
    open_gguf: OpenGguf, tmp_path: Path, kv_type: str
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=256, context=4096, layers=3)
    engine = open_gguf(path, kv_cache_type=kv_type)
    derived = _sizes(path).kv_bytes(4096, kv_type)
    assert engine.loaded.kv_cache_bytes == pytest.approx(derived, rel=0.01)


@pytest.mark.parametrize(
    ("asked", "free_bytes", "wanted"),
    [(None, 10 * _GIB, ALL_LAYERS), (None, _GIB // 2, 0), (1, 0, 1), (0, 10 * _GIB, 0)],
)
def test_layers_are_as_chosen_or_as_many_as_fit(
    tmp_path: Path, asked: int | None, free_bytes: int, wanted: int
) -> None:
    sizes = _sizes(tiny_gguf(tmp_path / "tiny.gguf"))
    devices = [Device("CUDA0", "NVIDIA H200", free_bytes, 140 * _GIB)]
    assert sizes.layers_for(asked, devices, 512, "f16") == wanted


def test_the_parts_of_a_split_model_are_one(tmp_path: Path) -> None:
    names = [f"a[1]-0000{part}-of-00002.gguf" for part in (1, 2)]
    for name in names:
        tiny_gguf(tmp_path / name)
    tiny_gguf(tmp_path / "a1-00001-of-00002.gguf")
    assert [part.name for part in parts_of(tmp_path / names[0])] == names
    assert _sizes(tmp_path / names[0]).total_bytes == 2 * (tmp_path / names[0]).stat().st_size
    assert parts_of(tmp_path / "b.gguf") == (tmp_path / "b.gguf",)
