from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest
from safetensors.torch import load_file, save_file

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, UnsupportedRequestError
from inference.native.engine import open_engine
from inference.types import LoadOptions
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.answers import events, failure_of, ids_of, opened, request

if TYPE_CHECKING:
    from pathlib import Path


def test_loading_tells_facts_and_progress(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny-model", dtype="float16")
    seen: list[float] = []
    engine = open_engine(
        LoadOptions(str(folder), "native", device="cpu", threads=1), seen.append, CancelToken()
    )
    loaded = engine.loaded
    assert seen[-1] == 1.0
    assert (loaded.engine, loaded.name, loaded.architecture) == ("native", "tiny-model", "llama")
    assert (loaded.n_ctx, loaded.n_vocab, loaded.n_layers) == (512, 320, 2)
    assert loaded.parameters == sum(p.numel() for p in engine.network.parameters())
    assert loaded.weights_bytes == 4 * loaded.parameters
    assert loaded.kv_cache_bytes == 2 * 2 * 2 * 8 * 512 * 4
    assert (loaded.dtype, loaded.device, loaded.gpu_layers) == ("float32", "CPU", 0)
    assert loaded.eos_ids[0] == 2
    assert loaded.load_s > 0
    engine.close()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_types_answer_too(dtype: str, tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path), dtype=dtype)
    assert engine.loaded.dtype == dtype
    assert len(ids_of(events(engine, request(text="The sky")))) > 0
    engine.close()


def test_damaged_weights_fail_the_answer_with_a_sentence(tmp_path: Path) -> None:
    file = tiny_llama(tmp_path) / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
    tensors["model.norm.weight"][:] = float("nan")
    file.unlink()
    save_file(tensors, file)
    engine = opened(tmp_path)
    failed = failure_of(events(engine, request(text="The sky")))
    assert failed.error == "CorruptCheckpoint"
    engine.close()


def test_a_folder_without_tokenizer_does_not_load(tmp_path: Path) -> None:
    (tiny_llama(tmp_path) / "tokenizer.json").unlink()
    with pytest.raises(CorruptCheckpointError, match=r"tokenizer\.json"):
        opened(tmp_path)


def test_a_context_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequestError, match="-5"):
        opened(tiny_llama(tmp_path), n_ctx=-5)


def test_closing_frees_the_network_and_twice_is_harmless(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path))
    events(engine, request(text="The sky"))
    network = weakref.ref(engine.network)
    engine.close()
    engine.close()
    gc.collect()
    assert network() is None
