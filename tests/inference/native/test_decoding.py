"""The native engine's answers obey the settings that act before a token is chosen."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from inference.repetition import dry_penalties
from inference.types import SamplingParams
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.answers import events, failure_of, ids_of, opened, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.native.engine import NativeEngine


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    engine = opened(tiny_llama(tmp_path_factory.mktemp("llama")))
    yield engine
    engine.close()


def ids_with(engine: NativeEngine, prompt: tuple[int, ...], **settings: Any) -> list[int]:
    values = {"temperature": 0.0, "max_tokens": 40} | settings
    return ids_of(events(engine, request(token_ids=prompt, sampling=SamplingParams(**values))))


def test_no_run_of_tokens_comes_twice(llama: NativeEngine) -> None:
    prompt = (72, 101, 72, 101, 72)
    ids = [*prompt, *ids_with(llama, prompt, no_repeat_ngram=2)]
    pairs = list(itertools.pairwise(ids[4:]))
    assert len(pairs) == len(set(pairs)) > 1
    assert (72, 101) not in pairs


def test_a_bias_forces_a_token_and_one_that_does_not_exist_is_refused(llama: NativeEngine) -> None:
    assert ids_with(llama, (72, 101), logit_bias=((65, 100.0),), max_tokens=5) == [65] * 5
    sampling = SamplingParams(logit_bias=((llama.loaded.n_vocab, 1.0),))
    refused = failure_of(events(llama, request(text="a", sampling=sampling)))
    assert refused.error == "UnsupportedRequest"
    assert str(llama.loaded.n_vocab) in refused.message


def test_dry_with_all_its_strength_lets_no_long_run_come_twice(llama: NativeEngine) -> None:
    settings: dict[str, Any] = {"dry_multiplier": 100.0, "dry_allowed_length": 2}
    prompt = (72, 101, 80, 72, 101)
    ids = [*prompt, *ids_with(llama, prompt, **settings)]
    breakers = llama._find_breakers(SamplingParams().dry_breakers)
    for length in range(len(prompt), len(ids)):
        penalised = dry_penalties(ids[:length], SamplingParams(**settings), breakers)
        assert ids[length] not in penalised


def test_breakers_are_found_in_the_models_own_vocabulary(llama: NativeEngine) -> None:
    breakers = llama._find_breakers(("\n", ":"))
    texts = {piece.id: piece.text for piece in llama.tokenize("a:\nb c: d\n")}
    broken = {token for token, text in texts.items() if ":" in text or "\n" in text}
    assert broken
    assert broken <= set(breakers)
    assert not (set(texts) - broken) & set(breakers)


def test_greedy_takes_the_likeliest_whatever_the_temperature(llama: NativeEngine) -> None:
    plain = ids_with(llama, (72, 101))
    assert ids_with(llama, (72, 101), strategy="greedy", temperature=3.0) == plain
