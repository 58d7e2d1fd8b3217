"""Several samples side by side are what each would be alone, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil
import pytest

from inference.cancel import CancelToken
from inference.events import Finished, TokenEvent
from inference.types import GenerationRequest, SamplingParams
from tests.helpers.gguf_kinds import recurrent_gguf, windowed_gguf
from tests.inference.gguf.answers import Answer, CancelAfter
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.engine import Engine

PROMPT = (72, 101, 108, 108, 111)
SETTINGS: list[dict[str, Any]] = [
    {},
    {"temperature": 1.5, "top_k": 0, "top_p": 1.0, "min_p": 0.0},
    {"repeat_penalty": 1.3, "no_repeat_ngram": 2, "typical_p": 0.9},
    {"dry_multiplier": 0.8, "xtc_probability": 0.5, "xtc_threshold": 0.02},
    {"mirostat": 2, "mirostat_tau": 3.0},
]


@pytest.fixture(scope="module", params=["native", "gguf"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("samples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_HOME", str(folder / "home"))
        made = opened(request.param, folder, draft="")
    yield made
    made.close()


def asked(engine: Engine, cancel: CancelToken | None = None, **settings: Any) -> Answer:
    top_n = settings.pop("top_n", 0)
    sampling = SamplingParams(**({"temperature": 1.0, "max_tokens": 20} | settings))
    request = GenerationRequest("r", token_ids=PROMPT, sampling=sampling, top_n=top_n)
    return Answer(tuple(engine.generate(request, cancel or CancelToken())))


def of(answer: Answer, sample: int) -> list[TokenEvent]:
    return [token for token in answer.tokens if token.sample == sample]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_each_sample_is_the_answer_that_its_seed_gives_alone(
    engine: Engine, settings: dict[str, Any]
) -> None:
    together = asked(engine, samples=5, seed=3, **settings)
    assert [end.seed for end in together.finished.samples] == [3, 4, 5, 6, 7]
    written = 0
    for end in together.finished.samples:
        alone = asked(engine, seed=end.seed, **settings)
        assert not alone.finished.samples
        tokens = of(together, end.sample)
        assert [token.token_id for token in tokens] == alone.ids
        assert "".join(token.text for token in tokens) == alone.text
        assert [token.index for token in tokens] == list(range(len(tokens)))
        assert end.reason == alone.finished.reason
        assert end.completion_tokens == alone.finished.usage.completion_tokens
        written += end.completion_tokens
    assert together.finished.usage.completion_tokens == written
    assert len({tuple(t.token_id for t in of(together, i)) for i in range(5)}) > 1
    assert together.finished.timings.tokens_per_s > 0


def test_the_seed_repeats_all_samples_and_a_fresh_one_is_told(engine: Engine) -> None:
    first = asked(engine, samples=3)
    again = asked(engine, samples=3, seed=first.started.seed)
    assert [(t.sample, t.token_id) for t in first.tokens] == [
        (t.sample, t.token_id) for t in again.tokens
    ]
    assert first.finished.samples[0].seed == first.started.seed


def test_samples_end_each_in_its_own_way_and_all_together_once(engine: Engine) -> None:
    plain = asked(engine, samples=6, seed=1)
    written = ["".join(token.text for token in of(plain, i)) for i in range(6)]
    stop = next(  # one that not all of them write
        token.text
        for token in of(plain, 2)
        if token.text and any(token.text not in text for text in written)
    )
    answer = asked(engine, samples=6, seed=1, stop=(stop,))
    reasons = {end.sample: end.reason for end in answer.finished.samples}
    assert reasons[2] == "stop"
    assert "length" in reasons.values()
    assert answer.finished.reason == "length"
    assert sum(isinstance(event, Finished) for event in answer.events) == 1
    assert all(stop not in "".join(t.text for t in of(answer, i)) for i in range(6))


def test_alternatives_are_those_of_the_sample(engine: Engine) -> None:
    answer = asked(engine, samples=3, seed=5, top_n=3, max_tokens=6)
    tokens = of(answer, 1)
    ids = (*PROMPT, *(token.token_id for token in tokens))
    rows = engine.score(ids, 3, CancelToken())[len(PROMPT) - 1 : -1]
    for token, row in zip(tokens, rows, strict=True):
        assert [one.id for one in token.top] == [one.id for one in row]
        assert [one.logprob for one in token.top] == pytest.approx(
            [one.logprob for one in row], abs=1e-4
        )


def test_a_stop_ends_all_samples(engine: Engine) -> None:
    answer = asked(engine, samples=4, seed=1, cancel=CancelAfter(20), max_tokens=200)
    assert answer.finished.reason == "cancelled"
    assert {end.reason for end in answer.finished.samples} >= {"cancelled"}
    assert len(answer.tokens) < 4 * 200


def test_the_prompt_is_read_once_and_kept_for_the_next_request(engine: Engine) -> None:
    asked(engine, max_tokens=1, seed=1)
    answer = asked(engine, samples=4, seed=2)
    assert answer.started.reused_tokens == len(PROMPT) - 1
    assert asked(engine, seed=2).started.reused_tokens == len(PROMPT) - 1


def test_as_many_samples_as_may_be_asked_for(engine: Engine) -> None:
    answer = asked(engine, samples=64, seed=0, max_tokens=3)
    ends = answer.finished.samples
    assert [end.sample for end in ends] == list(range(64))
    written = {end.sample for end in ends if end.completion_tokens}
    assert {token.sample for token in answer.tokens} == written
    alone = asked(engine, seed=ends[-1].seed, max_tokens=3)
    assert [token.token_id for token in of(answer, 63)] == alone.ids


@pytest.mark.parametrize("make", [windowed_gguf, recurrent_gguf])
def test_networks_that_remember_in_other_ways_draw_samples_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Path]
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    path = make(tmp_path / "other.gguf")
    engine = opened("gguf", tmp_path, path=str(path), draft="")
    together = asked(engine, samples=4, seed=3, max_tokens=50)
    for end in together.finished.samples:
        alone = asked(engine, seed=end.seed, max_tokens=50)
        assert [token.token_id for token in of(together, end.sample)] == alone.ids
    engine.close()


def test_samples_that_do_not_fit_into_memory_are_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    engine = opened("gguf", tmp_path, draft="")

    class Little:
        available = 200_000  # bytes; a sample of 200 tokens takes about half of it

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    assert asked(engine, samples=1, max_tokens=200).finished.usage.completion_tokens
    refused = asked(engine, samples=8, max_tokens=200).failed
    assert refused.error == "OutOfMemory"
    assert "fewer samples" in refused.hint
    engine.close()
