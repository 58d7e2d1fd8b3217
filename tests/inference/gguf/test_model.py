"""Loading: refusals as sentences, progress, cancel, options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import (
    CorruptCheckpointError,
    InferenceError,
    ModelNotFoundError,
    OutOfMemoryError,
    UnsupportedArchitectureError,
    UnsupportedRequestError,
)
from inference.gguf import model, session
from inference.gguf.engine import open_engine
from inference.gguf.library import start
from inference.gguf.model import GgufModel
from inference.gguf.probe import LoadFlags
from inference.types import LoadOptions
from tests.helpers.assets import asset
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.gguf.answers import CancelAfter, ask

if TYPE_CHECKING:
    from pathlib import Path

    from tests.inference.gguf.conftest import OpenGguf


def _refused(open_gguf: OpenGguf, path: Path, error: type[InferenceError]) -> InferenceError:
    with pytest.raises(error) as caught:
        open_gguf(path)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert path.name in caught.value.message
    return caught.value


def test_an_unknown_architecture_is_named(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "new.gguf", architecture="nonesuch")
    error = _refused(open_gguf, path, UnsupportedArchitectureError)
    assert "unknown model architecture 'nonesuch'" in error.message
    assert "nonesuch" in error.detail


def test_a_file_that_ends_within_its_weights_is_incomplete(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:200_000])
    assert "incomplete" in _refused(open_gguf, path, CorruptCheckpointError).message


@pytest.mark.parametrize("kept_bytes", [4, 20, 100, 3000])
def test_a_file_that_ends_within_its_header_is_refused(
    open_gguf: OpenGguf, tmp_path: Path, kept_bytes: int
) -> None:
    path = tiny_gguf(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:kept_bytes])
    _refused(open_gguf, path, CorruptCheckpointError)


@pytest.mark.parametrize("kept_bytes", [100, 3000, 200_000])
def test_llama_cpp_itself_refuses_a_cut_file_with_a_sentence(
    tmp_path: Path, kept_bytes: int
) -> None:
    path = tiny_gguf(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:kept_bytes])
    start()
    options = LoadOptions(path=str(path), engine="gguf")
    params = model._model_params(options, LoadFlags())
    with pytest.raises(CorruptCheckpointError, match="incomplete") as caught:
        model._load(path, params, lambda _fraction: None, CancelToken())
    assert "error loading model" in caught.value.detail


@pytest.mark.parametrize("content", [b"", b"hello world" * 1000, b"GGUF" + b"\xff" * 4000])
def test_garbage_is_refused(open_gguf: OpenGguf, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.gguf"
    path.write_bytes(content)
    with pytest.raises((CorruptCheckpointError, UnsupportedArchitectureError)) as caught:
        open_gguf(path)
    assert "garbage.gguf" in caught.value.message


def test_a_vocabulary_without_weights_is_refused(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "vocabulary.gguf", weights=False)
    assert "vocabulary" in _refused(open_gguf, path, CorruptCheckpointError).message


def test_a_published_vocabulary_file_is_refused(open_gguf: OpenGguf) -> None:
    path = asset("gguf-vocab/ggml-vocab-gpt-2.gguf")
    assert "vocabulary" in _refused(open_gguf, path, CorruptCheckpointError).message


def test_a_missing_tensor_is_named(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "renamed.gguf")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"blk.1.attn_norm.weight", b"blk.1.attn_nose.weight"))
    assert "blk.1.attn_norm.weight" in _refused(open_gguf, path, CorruptCheckpointError).message


def test_a_missing_entry_is_named(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "renamed.gguf")
    path.write_bytes(path.read_bytes().replace(b"tokenizer.ggml.model", b"tokenizer.ggml.nodel"))
    assert "tokenizer.ggml.model" in _refused(open_gguf, path, CorruptCheckpointError).message


def test_a_missing_file_and_a_folder_are_refused(open_gguf: OpenGguf, tmp_path: Path) -> None:
    _refused(open_gguf, tmp_path / "absent.gguf", ModelNotFoundError)
    (tmp_path / "folder").mkdir()
    _refused(open_gguf, tmp_path / "folder", UnsupportedRequestError)


def test_a_name_with_umlauts_and_spaces_loads(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "größer als 語 .gguf")
    assert len(ask(open_gguf(path), text="hello", max_tokens=2).tokens) == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"kv_cache_type": "q3"}, "q3"),
        ({"dtype": "int8"}, "int8"),
        ({"kv_cache_type": "q8_0", "flash_attention": False}, "flash attention"),
        ({"n_ctx": 0}, "context"),
        ({"threads": 0}, "threads"),
        ({"gpu_layers": -5}, "GPU layers"),
    ],
)
def test_options_without_meaning_are_refused_before_loading(
    open_gguf: OpenGguf, tmp_path: Path, options: dict[str, object], named: str
) -> None:
    with pytest.raises(UnsupportedRequestError, match=named):
        open_gguf(tmp_path / "never-looked-at.gguf", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"kv_cache_type": "f32"},
        {"kv_cache_type": "f32", "flash_attention": False},
        {"flash_attention": True},
        {"mmap": False},
        {"gpu_layers": 2},
        {"threads": 2},
    ],
)
def test_ways_of_loading_give_the_same_answer(
    open_gguf: OpenGguf, tmp_path: Path, options: dict[str, object]
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", std=0.2)
    expected = ask(open_gguf(path), text="hello world", max_tokens=8).ids
    assert ask(open_gguf(path, **options), text="hello world", max_tokens=8).ids == expected


@pytest.mark.parametrize("kv_cache_type", ["q8_0", "q4_0"])
def test_a_quantised_cache_takes_less_memory(
    open_gguf: OpenGguf, tmp_path: Path, kv_cache_type: str
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=128, context=4096)
    full = open_gguf(path)
    small = open_gguf(path, kv_cache_type=kv_cache_type)
    assert small.loaded.kv_cache_bytes < 0.6 * full.loaded.kv_cache_bytes
    assert ask(small, text="hello", max_tokens=4).finished.usage.completion_tokens > 0


def test_a_cache_type_that_does_not_fit_the_shape_is_refused(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "narrow.gguf")  # heads of 16 values, blocks of 32
    with pytest.raises(UnsupportedRequestError, match="q8_0"):
        open_gguf(path, kv_cache_type="q8_0")


def test_the_context_is_at_most_what_the_model_was_trained_for(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", context=512)
    assert open_gguf(path).loaded.n_ctx == 512
    assert open_gguf(path, n_ctx=100).loaded.n_ctx == 100
    assert open_gguf(path, n_ctx=100_000).loaded.n_ctx == 512
    path = tiny_gguf(tmp_path / "long.gguf", context=131_072)
    assert open_gguf(path).loaded.n_ctx == 4096


def test_a_context_beyond_memory_is_refused_with_both_sizes(
    open_gguf: OpenGguf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_gguf(tmp_path / "long.gguf", context=2**30)
    with pytest.raises(OutOfMemoryError, match=r"1,073,741,824 tokens needs .* GB"):
        open_gguf(path, n_ctx=2**30)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=256, layers=4)
    told: list[float] = []
    options = LoadOptions(path=str(path), engine="gguf")
    open_engine(options, told.append, CancelToken()).close()
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in told)


@pytest.mark.parametrize("looks", [0, 1, 2, 5])
def test_a_cancelled_load_says_so_and_frees(tmp_path: Path, looks: int) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf", hidden=256, layers=4)
    options = LoadOptions(path=str(path), engine="gguf")
    with pytest.raises(InferenceError, match="stopped"):
        open_engine(options, lambda _fraction: None, CancelAfter(looks))


def test_a_listener_that_raises_ends_the_load(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")

    def listen(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_engine(LoadOptions(path=str(path), engine="gguf"), listen, CancelToken())


def test_loading_without_extra_buffers_gives_the_same_answer(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    options = LoadOptions(path=str(path), engine="gguf", threads=1)
    logits: list[np.ndarray] = []
    for flags in (LoadFlags(use_extra_bufts=True), LoadFlags(use_extra_bufts=False)):
        weights = GgufModel(options, flags, lambda _fraction: None, CancelToken())
        context = session.Session(weights, options)
        assert context.read([72, 73], CancelToken())
        logits.append(context.logits().copy())
        context.close()
        weights.close()
    assert np.allclose(logits[0], logits[1], atol=1e-3)
