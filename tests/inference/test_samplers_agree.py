"""Both engines' samplers, the same settings, the same logits: the same distribution."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from inference.cancel import CancelToken
from inference.gguf.engine import GgufEngine, open_engine
from inference.gguf.library import api
from inference.gguf.sampler import Sampler as GgufSampler
from inference.native.sampling import Sampler as NativeSampler
from inference.repetition import banned_by_ngrams, find_breakers
from inference.types import LoadOptions, SamplingParams
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OFF: dict[str, Any] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
HISTORY = tuple(b"the cat: sat on the mat, the cat sat on the mat. the cat sat on")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GgufEngine]:
    folder = tmp_path_factory.mktemp("agree")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_HOME", str(folder / "home"))
        options = LoadOptions(str(tiny_gguf(folder / "t.gguf")), "gguf", n_ctx=64, threads=1)
        opened = open_engine(options, lambda _: None, CancelToken())
    yield opened
    opened.close()


def in_c(engine: GgufEngine, logits: np.ndarray, params: SamplingParams) -> np.ndarray:
    """Return the chance of every token after llama.cpp's chain, (V,)."""
    vocabulary = engine._vocabulary
    scores = logits.copy()
    scores[list(banned_by_ngrams(HISTORY, params.no_repeat_ngram))] = -np.inf
    candidates = np.zeros(scores.size, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
    candidates["id"], candidates["logit"] = np.arange(scores.size), scores
    data = candidates.ctypes.data_as(ctypes.POINTER(api.llama_token_data))
    array = api.llama_token_data_array(data=data, size=scores.size, selected=-1, sorted=False)
    sampler = GgufSampler(params, 1, vocabulary, HISTORY)
    api.llama_sampler_apply(sampler._open_chain(), ctypes.byref(array))
    left = np.ctypeslib.as_array(array.data, shape=(int(array.size),))  # XTC moves the front
    chances = np.zeros(scores.size)
    chances[left["id"]] = left["p"]
    sampler.close()
    return chances


def in_python(engine: GgufEngine, logits: np.ndarray, params: SamplingParams) -> np.ndarray:
    vocabulary = engine._vocabulary
    pieces: Sequence[bytes] = [
        vocabulary.piece(token) or vocabulary.text_of(token).encode()
        for token in range(vocabulary.size)
    ]
    breakers = find_breakers(
        params.dry_breakers, pieces, lambda text: vocabulary.tokenize(text, parse_special=False)
    )
    sampler = NativeSampler(params, 1, HISTORY, breakers)
    ids, found = sampler.chances(sampler._penalties.apply(torch.from_numpy(logits), HISTORY))
    chances = np.zeros(logits.size)
    chances[ids.numpy()] = found.numpy()
    return chances


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.7},
        {"top_k": 20, "top_p": 0.9, "min_p": 0.05},
        {"typical_p": 0.8},
        {"repeat_penalty": 1.3, "frequency_penalty": 0.2, "presence_penalty": 0.4},
        {"repeat_penalty": 1.3, "penalty_window": 5},
        {"logit_bias": ((65, 5.0), (100, -50.0), (65, 1.0))},
        {"no_repeat_ngram": 3},
        {"no_repeat_ngram": 2, "repeat_penalty": 1.2, "logit_bias": ((32, 4.0),)},
        {"dry_multiplier": 0.8},
        {"dry_multiplier": 0.8, "dry_breakers": ()},
        {"dry_multiplier": 2.0, "dry_breakers": ("t.",), "dry_allowed_length": 1},
        {"dry_multiplier": 0.5, "dry_breakers": (",", "sat on the"), "dry_base": 1.1},
        {"dry_multiplier": 0.8, "dry_window": 35, "dry_allowed_length": 3},
        {"dry_multiplier": 0.8, "repeat_penalty": 1.3, "top_k": 30, "temperature": 1.5},
        {"xtc_probability": 1.0, "xtc_threshold": 0.03},
        {"xtc_probability": 1.0, "xtc_threshold": 0.1, "min_p": 0.1, "temperature": 2.0},
        {"mirostat": 2, "mirostat_tau": 1.5},
        {"mirostat": 2, "repeat_penalty": 1.4, "temperature": 1.4, "dry_multiplier": 0.8},
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", [0, 1])
def test_both_engines_mean_the_same(
    engine: GgufEngine, settings: dict[str, Any], seed: int
) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, engine.loaded.n_vocab).astype(np.float32)
    logits[list(set(HISTORY))] += 5  # else there is nothing that could repeat
    params = SamplingParams(**(OFF | settings))
    plain = in_python(engine, logits, SamplingParams(**OFF))
    found = in_python(engine, logits, params)
    assert np.abs(found - plain).max() > 1e-3  # the setting does something here
    np.testing.assert_allclose(in_c(engine, logits, params), found, atol=1e-5, rtol=0)
