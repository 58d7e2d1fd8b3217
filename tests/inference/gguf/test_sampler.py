"""Sampling settings act as ``SamplingParams`` says; on a tiny random model."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.gguf.sampler import Sampler
from inference.types import SamplingParams
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.gguf.answers import ask

if TYPE_CHECKING:
    from pathlib import Path

    from inference.gguf.engine import GgufEngine
    from tests.inference.gguf.conftest import OpenGguf

_DRAWS = 3000


@pytest.fixture
def engine(open_gguf: OpenGguf, tmp_path: Path) -> GgufEngine:
    return open_gguf(tiny_gguf(tmp_path / "tiny.gguf", std=0.15))


def _draw(engine: GgufEngine, history: tuple[int, ...] = (), **settings: object) -> Counter[int]:
    """Draw many times from one distribution, each time with another seed."""
    session = engine._session
    session.forget()
    assert session.read([72, 101], CancelToken())
    counts: Counter[int] = Counter()
    for seed in range(_DRAWS if settings.get("temperature") != 0 else 1):
        sampler = Sampler(SamplingParams(**settings), seed, engine._vocabulary, history)  # type: ignore[arg-type]  # a test's settings
        counts[sampler.sample(session.context, session.logits())] += 1
        sampler.close()
        sampler.close()
    return counts


def _probabilities(engine: GgufEngine, temperature: float = 1.0) -> np.ndarray:
    session = engine._session
    session.forget()
    assert session.read([72, 101], CancelToken())
    scaled = session.logits().astype(np.float64) / temperature
    exact: np.ndarray = np.exp(scaled - scaled.max())
    return exact / exact.sum()


_PLAIN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_draws_follow_the_softmax(engine: GgufEngine, temperature: float) -> None:
    expected = _probabilities(engine, temperature)
    counts = _draw(engine, **{**_PLAIN, "temperature": temperature})
    for token in np.argsort(-expected)[:5].tolist():
        spread = math.sqrt(expected[token] * (1 - expected[token]) / _DRAWS)
        assert counts[token] / _DRAWS == pytest.approx(expected[token], abs=5 * spread)


def test_top_k_keeps_the_k_likeliest(engine: GgufEngine) -> None:
    likeliest = np.argsort(-_probabilities(engine))[:3].tolist()
    assert set(_draw(engine, **{**_PLAIN, "top_k": 3})) == set(likeliest)
    assert set(_draw(engine, **{**_PLAIN, "top_k": 1})) == {likeliest[0]}


def test_top_p_keeps_the_smallest_set_that_reaches_p(engine: GgufEngine) -> None:
    exact = _probabilities(engine)
    order = np.argsort(-exact)
    size = int(np.searchsorted(np.cumsum(exact[order]), 0.3)) + 1
    drawn = set(_draw(engine, **{**_PLAIN, "top_p": 0.3}))
    assert drawn <= set(order[:size].tolist())
    assert set(order[: min(3, size)].tolist()) <= drawn


def test_min_p_drops_what_is_far_below_the_likeliest(engine: GgufEngine) -> None:
    exact = _probabilities(engine)
    allowed = set(np.flatnonzero(exact >= 0.5 * exact.max()).tolist())
    assert set(_draw(engine, **{**_PLAIN, "min_p": 0.5})) <= allowed


def test_typical_p_keeps_what_is_near_the_entropy(engine: GgufEngine) -> None:
    exact = _probabilities(engine)
    surprise = -np.log(exact)
    order = np.argsort(np.abs(surprise - (exact * surprise).sum()))
    size = int(np.searchsorted(np.cumsum(exact[order]), 0.2)) + 1
    assert set(_draw(engine, **{**_PLAIN, "typical_p": 0.2})) <= set(order[: size + 1].tolist())


def test_greedy_takes_the_likeliest_whatever_else_is_set(engine: GgufEngine) -> None:
    likeliest = int(np.argmax(_probabilities(engine)))
    assert set(_draw(engine, temperature=0, top_k=5, top_p=0.1, min_p=0.9)) == {likeliest}
    assert set(_draw(engine, **{**_PLAIN, "temperature": 1e-30})) == {likeliest}


@pytest.mark.parametrize(
    "penalty", [{"presence_penalty": 90.0}, {"frequency_penalty": 90.0}, {"repeat_penalty": 90.0}]
)
def test_penalties_count_the_prompt_and_come_before_greedy(
    engine: GgufEngine, penalty: dict[str, float]
) -> None:
    first, second = np.argsort(-_probabilities(engine))[:2].tolist()
    settings = {"temperature": 0, **penalty}
    assert set(_draw(engine, (first,), **settings)) == {second}
    assert set(_draw(engine, (first, 40, 41, 42), **settings, penalty_window=3)) == {first}
    assert set(_draw(engine, (first,), **settings, penalty_window=0)) == {first}


def test_a_presence_penalty_keeps_an_answer_from_repeating(engine: GgufEngine) -> None:
    answer = ask(engine, text="hello", presence_penalty=90.0, max_tokens=40, penalty_window=256)
    assert len(set(answer.ids)) == len(answer.ids)


@pytest.mark.parametrize("seed", [0, 5, -3, 2**31, 2**32 - 1, 2**40])
def test_every_seed_repeats(engine: GgufEngine, seed: int) -> None:
    first = ask(engine, text="hello", temperature=1.2, seed=seed, max_tokens=12)
    assert first.started.seed == seed
    assert ask(engine, text="hello", temperature=1.2, seed=seed, max_tokens=12).ids == first.ids


@pytest.mark.parametrize(
    "settings",
    [
        {"xtc_probability": 0.5, "xtc_threshold": 0.01},
        {"mirostat": 2},
        {"dry_multiplier": 0.8, "no_repeat_ngram": 2},
    ],
    ids=str,
)
def test_a_seed_repeats_every_way_of_drawing(
    engine: GgufEngine, settings: dict[str, float]
) -> None:
    hot = {"text": "hello", "temperature": 1.2, "max_tokens": 20} | settings
    first = ask(engine, seed=5, **hot)
    assert ask(engine, seed=5, **hot).ids == first.ids
    assert ask(engine, seed=6, **hot).ids != first.ids


def test_no_run_of_tokens_comes_twice_and_the_chances_told_are_untouched(
    engine: GgufEngine,
) -> None:
    prompt = (72, 101, 72, 101, 72)
    answer = ask(engine, token_ids=prompt, no_repeat_ngram=2, max_tokens=60, top_n=1)
    ids = [*prompt, *answer.ids]
    pairs = list(itertools.pairwise(ids[4:]))
    assert len(pairs) == len(set(pairs)) == len(answer.ids)
    assert (72, 101) not in pairs
    for token in answer.tokens:
        assert token.logprob is not None
        assert token.logprob > -math.inf
    whole = engine.score(tuple(ids), 1, CancelToken())[len(prompt) - 1 : -1]
    assert [token.top[0].id for token in answer.tokens] == [row[0].id for row in whole]


def test_a_bias_forces_and_forbids(engine: GgufEngine) -> None:
    forced = ask(engine, text="hello", logit_bias=((65, 100.0),), max_tokens=5)
    assert forced.ids == [65] * 5
    plain = ask(engine, text="hello", max_tokens=1).ids[0]
    assert ask(engine, text="hello", logit_bias=((plain, -100.0),), max_tokens=1).ids != [plain]


def test_a_bias_on_a_token_that_does_not_exist_is_refused(engine: GgufEngine) -> None:
    refused = ask(engine, text="hello", logit_bias=((engine.loaded.n_vocab, 1.0),)).failed
    assert refused.error == "UnsupportedRequest"
    assert str(engine.loaded.n_vocab) in refused.message


def test_without_a_seed_runs_differ(engine: GgufEngine) -> None:
    runs = [ask(engine, text="hello", temperature=1.5, max_tokens=12) for _ in range(3)]
    assert len({tuple(run.ids) for run in runs}) > 1
    assert len({run.started.seed for run in runs}) == 3
