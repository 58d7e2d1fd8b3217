from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.library.estimate import estimate
from inference.library.machine import Machine
from inference.library.smaller import smaller
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = 60_000_000


def free(needed: int) -> Machine:
    """A computer on which that much fits, and hardly more."""
    return Machine(int((needed + PROGRAM + 20_000) / 0.95), 1 << 40)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny_gguf(tmp_path / "tiny.gguf", context=1 << 20)


def test_a_shorter_context_comes_first_and_says_what_it_frees(file: Path) -> None:
    options = LoadOptions(str(file), "gguf", n_ctx=65_536)
    found = smaller(options, free(estimate(file, 16_384).total_bytes))
    assert found is not None
    assert found.options == LoadOptions(str(file), "gguf", n_ctx=16_384)
    assert (found.n_ctx, found.n_ctx_before) == (16_384, 65_536)
    before, after = estimate(file, 65_536).total_bytes, estimate(file, 16_384).total_bytes
    assert found.frees_bytes == before - after


def test_the_cache_is_packed_before_the_context_becomes_short(file: Path) -> None:
    options = LoadOptions(str(file), "gguf", n_ctx=4_096)
    found = smaller(options, free(estimate(file, 4_096, "q8_0").total_bytes))
    assert found is not None
    assert (found.options.n_ctx, found.options.kv_cache_type) == (4_096, "q8_0")
    shorter = smaller(options, free(estimate(file, 1_024, "q8_0").total_bytes))
    assert shorter is not None
    assert (shorter.options.n_ctx, shorter.options.kv_cache_type) == (1_024, "q8_0")


def test_without_flash_attention_the_cache_is_not_packed(file: Path) -> None:
    options = LoadOptions(str(file), "gguf", n_ctx=4_096, flash_attention=False)
    found = smaller(options, free(estimate(file, 1_024).total_bytes))
    assert found is not None
    assert (found.options.n_ctx, found.options.kv_cache_type) == (1_024, "f16")


def test_fewer_layers_go_to_a_gpu_where_main_memory_has_room(file: Path) -> None:
    options = LoadOptions(str(file), "gguf", n_ctx=1_024, gpu_layers=3)
    found = smaller(options, Machine(1 << 34, 1 << 35))
    assert found is not None
    assert (found.options.gpu_layers, found.options.n_ctx) == (1, 1_024)
    assert found.frees_bytes > 0
    automatic = smaller(LoadOptions(str(file), "gguf"), Machine(1 << 34, 1 << 35), on_gpu=2)
    assert automatic is not None
    assert automatic.options.gpu_layers == 1


def test_native_weights_are_halved_where_they_are_wide(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny", context=8_192)
    options = LoadOptions(str(folder), "native", n_ctx=1_024)
    needed = estimate(folder, 1_024).total_bytes // 2
    found = smaller(options, Machine(int((needed + 300_020_000) / 0.95), 1 << 40))
    assert found is not None
    assert (found.options.dtype, found.options.n_ctx) == ("bfloat16", 1_024)


def test_nothing_is_proposed_where_the_weights_alone_are_too_large(file: Path) -> None:
    assert smaller(LoadOptions(str(file), "gguf"), Machine(PROGRAM, 1 << 40)) is None


def test_nothing_is_proposed_for_files_that_cannot_be_read(tmp_path: Path) -> None:
    gone = LoadOptions(str(tmp_path / "gone.gguf"), "gguf")
    assert smaller(gone, Machine(1 << 34, 1 << 35)) is None
