"""Speculative decoding through both engines: the same answers, and sooner."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from inference import speculation
from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.gguf.sampler import Sampler as GgufSampler
from inference.native.engine import NativeEngine
from inference.native.sampling import Sampler as NativeSampler
from inference.types import GenerationRequest, SamplingParams
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.gguf_kinds import WINDOW, recurrent_gguf, windowed_gguf
from tests.inference.gguf.answers import Answer, CancelAfter
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from inference.engine import Engine
    from inference.speculation import Chances

CIRCLES = tuple(b"the cat sat on the mat, the cat sat on the mat, the cat")
DRAWS = 600
CRITICAL = 66.0  # chi-square with 26 degrees of freedom is above it once in 50,000 times
SETTINGS: list[dict[str, Any]] = [
    {"temperature": 0.0},
    {"temperature": 0.0, "repeat_penalty": 1.3, "no_repeat_ngram": 3},
    {"temperature": 1.0, "seed": 5},
    {"temperature": 1.0, "seed": 6, "dry_multiplier": 0.8, "typical_p": 0.9},
    {"temperature": 1.5, "seed": 7, "xtc_probability": 0.5, "xtc_threshold": 0.02},
]


@pytest.fixture(scope="module", params=["native", "gguf"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("guessing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_HOME", str(folder / "home"))
        made = opened(request.param, folder)
    yield made
    made.close()


def asked(
    engine: Engine,
    prompt: tuple[int, ...] = CIRCLES,
    cancel: CancelToken | None = None,
    top_n: int = 0,
    **settings: Any,
) -> Answer:
    sampling = SamplingParams(**({"max_tokens": 60} | settings))
    request = GenerationRequest("r", token_ids=prompt, sampling=sampling, top_n=top_n)
    return Answer(tuple(engine.generate(request, cancel or CancelToken())))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_look_up_gives_the_very_answer_of_the_seed(
    engine: Engine, settings: dict[str, Any]
) -> None:
    plain = asked(engine, **settings)
    guessed = asked(engine, speculate="prompt", **settings)
    guessed.check_grammar()
    assert (guessed.ids, guessed.text) == (plain.ids, plain.text)
    assert guessed.finished.reason == plain.finished.reason
    assert plain.finished.usage.drafted_tokens == 0


@pytest.mark.parametrize("speculate", ["prompt", "draft"])
@pytest.mark.parametrize("settings", SETTINGS[:2], ids=str)
def test_greedy_answers_are_the_same_token_for_token(
    engine: Engine, settings: dict[str, Any], speculate: str
) -> None:
    for start in range(0, 40, 4):
        prompt = CIRCLES[start:]
        plain = asked(engine, prompt, **settings, top_n=2)
        guessed = asked(engine, prompt, **settings, speculate=speculate, top_n=2)
        assert guessed.ids == plain.ids
        for ours, theirs in zip(guessed.tokens, plain.tokens, strict=True):
            assert ours.logprob == pytest.approx(theirs.logprob, abs=1e-4)
            assert [one.id for one in ours.top] == [one.id for one in theirs.top]


def test_what_was_guessed_and_taken_is_counted(engine: Engine) -> None:
    usage = asked(engine, temperature=0.0, speculate="draft").finished.usage
    assert 0 < usage.accepted_tokens < usage.drafted_tokens
    assert usage.accepted_tokens < usage.completion_tokens


def test_a_draft_of_the_same_weights_is_taken_whole(tmp_path: Path) -> None:
    main = tiny_llama(tmp_path / "same", seed=1)
    engine = opened("native", tmp_path, draft=str(main))
    for settings in SETTINGS[:3]:
        answer = asked(engine, **settings, speculate="draft", draft_tokens=6)
        usage = answer.finished.usage
        assert usage.accepted_tokens >= 0.97 * usage.drafted_tokens > 0
    engine.close()


def test_drawn_answers_repeat_by_their_seed(engine: Engine) -> None:
    settings: dict[str, Any] = {"temperature": 1.0, "speculate": "draft"}
    first = asked(engine, seed=3, **settings)
    assert asked(engine, seed=3, **settings).ids == first.ids
    assert asked(engine, seed=4, **settings).ids != first.ids


def narrow(engine: Engine) -> dict[str, Any]:
    """Return settings that leave three tokens at each step, others after each history."""
    never = tuple((token, -100.0) for token in engine.loaded.eos_ids)
    return {"temperature": 1.3, "top_k": 3, "repeat_penalty": 1.3, "logit_bias": never}


def one_step(engine: Any, text: tuple[int, ...], params: SamplingParams) -> Chances:
    """Return what may follow a text and how likely, computed without guesses."""
    session, cancel = engine._session, CancelToken()
    session.reuse(text[:1])
    session.reuse(text)
    assert session.read(text[session.reuse(text) :], cancel) is not False
    if isinstance(engine, NativeEngine):
        return NativeSampler(params, 0, text).distribution(session.next_logits())
    sampler = GgufSampler(params, 0, engine._vocabulary, text)
    found = sampler.distribution(session.logits())
    sampler.close()
    return found


def expected_answers(engine: Engine) -> dict[tuple[int, ...], float]:
    """Return the chance of every beginning of three tokens."""
    params = SamplingParams(**narrow(engine))
    chances: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(3):
        grown: dict[tuple[int, ...], float] = {}
        for tokens, chance in chances.items():
            step = one_step(engine, (*CIRCLES, *tokens), params)
            for token, share in zip(step.ids.tolist(), step.values.tolist(), strict=True):
                grown[*tokens, token] = chance * share
        chances = grown
    return chances


def chi_square(engine: Engine) -> float:
    """Return how far many drawn answers are from what is expected of their beginnings."""
    settings: dict[str, Any] = {"max_tokens": 5, "speculate": "draft"} | narrow(engine)
    found = Counter(tuple(asked(engine, seed=i, **settings).ids[:3]) for i in range(DRAWS))
    expected = expected_answers(engine)
    assert set(found) <= set(expected)
    # Cells too rare for the test are put together.
    rare = {tokens for tokens, chance in expected.items() if chance * DRAWS < 5}
    cells = [(found[t], expected[t] * DRAWS) for t in expected if t not in rare]
    cells.append((sum(found[t] for t in rare), max(1e-9, sum(expected[t] for t in rare)) * DRAWS))
    return sum((seen - wanted) ** 2 / wanted for seen, wanted in cells)


def test_drawn_answers_have_the_distribution_of_single_steps(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chi_square(engine) < CRITICAL

    def drawn_anew(
        target: Chances, drafted: Chances, token: int, random: np.random.Generator
    ) -> int:
        """A usual mistake: what is refused is replaced by a draw from all of the target."""
        right = random.random() * drafted.of(token) < target.of(token)
        return token if right else target.draw(random)

    monkeypatch.setattr(speculation, "judge", drawn_anew)
    assert chi_square(engine) > CRITICAL


def test_a_text_that_goes_on_is_reused_as_if_nothing_had_been_guessed(engine: Engine) -> None:
    first = asked(engine, temperature=0.0, speculate="draft", max_tokens=30)
    longer = (*CIRCLES, *first.ids, 90)
    after = asked(engine, longer, temperature=0.0, max_tokens=20)
    assert after.started.reused_tokens >= len(longer) - 2
    asked(engine, (5, 6, 7), temperature=0.0, max_tokens=1)
    assert asked(engine, longer, temperature=0.0, max_tokens=20).ids == after.ids


def test_the_whole_context_can_be_written(engine: Engine) -> None:
    never = tuple((token, -100.0) for token in engine.loaded.eos_ids)
    settings: dict[str, Any] = {"temperature": 0.0, "max_tokens": None, "logit_bias": never}
    plain = asked(engine, **settings)
    assert plain.finished.usage.completion_tokens == engine.loaded.n_ctx - len(CIRCLES)
    for speculate in ("prompt", "draft"):
        assert asked(engine, **settings, speculate=speculate).ids == plain.ids


@pytest.mark.parametrize("speculate", ["prompt", "draft"])
def test_a_stop_ends_guessing(engine: Engine, speculate: str) -> None:
    for looks in (3, 10, 30):
        answer = asked(
            engine, cancel=CancelAfter(looks), temperature=0.0, max_tokens=150, speculate=speculate
        )
        answer.check_grammar()
        assert answer.finished.reason == "cancelled"
    whole = asked(engine, temperature=0.0, max_tokens=20)
    assert asked(engine, temperature=0.0, max_tokens=20, speculate=speculate).ids == whole.ids


def test_a_stop_text_within_guesses_ends_the_answer_there(engine: Engine) -> None:
    plain = asked(engine, temperature=0.0, max_tokens=40)
    stop = plain.tokens[11].text
    expected = asked(engine, temperature=0.0, max_tokens=40, stop=(stop,))
    found = asked(engine, temperature=0.0, max_tokens=40, stop=(stop,), speculate="draft")
    assert (found.ids, found.text) == (expected.ids, expected.text)
    assert found.finished.reason == "stop"


@pytest.mark.parametrize("kind", ["native", "gguf"])
def test_without_a_draft_model_one_cannot_be_asked_for(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    engine = opened(kind, tmp_path, draft="")
    assert engine.loaded.draft == ""
    refused = asked(engine, speculate="draft").events
    assert len(refused) == 1
    assert "No draft model" in Answer(refused).failed.message
    engine.close()


@pytest.mark.parametrize("kind", ["native", "gguf"])
def test_a_draft_model_is_counted_and_named(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    alone = opened(kind, tmp_path, draft="")
    both = opened(kind, tmp_path)
    assert both.loaded.draft
    assert both.loaded.weights_bytes > alone.loaded.weights_bytes
    assert both.loaded.kv_cache_bytes > alone.loaded.kv_cache_bytes
    alone.close()
    both.close()


def test_a_draft_model_with_other_tokens_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    other = tiny_gguf(tmp_path / "other.gguf", vocabulary="spm")
    with pytest.raises(UnsupportedRequestError, match="other tokens than Tiny Random"):
        opened("gguf", tmp_path, draft=str(other))
    strange = tiny_llama(tmp_path / "strange")
    text = (strange / "tokenizer.json").read_text(encoding="utf-8")
    swapped = text.replace('"a":', '"@a":').replace('"b":', '"a":').replace('"@a":', '"b":')
    assert swapped != text
    (strange / "tokenizer.json").write_text(swapped, encoding="utf-8")
    with pytest.raises(UnsupportedRequestError, match="strange cuts text into other tokens"):
        opened("native", tmp_path, draft=str(strange))


def test_a_draft_model_of_another_family_may_guess(tmp_path: Path) -> None:
    draft = tiny_gpt2(tmp_path / "gpt2")
    engine = opened("native", tmp_path, draft=str(draft))
    plain = asked(engine, temperature=0.0)
    assert asked(engine, temperature=0.0, speculate="draft").ids == plain.ids
    engine.close()


def test_windows_of_llama_cpp_take_guesses_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    path = windowed_gguf(tmp_path / "windows.gguf")
    engine = opened("gguf", tmp_path, path=str(path))
    never = tuple((token, -100.0) for token in engine.loaded.eos_ids)
    for chosen in SETTINGS[:3]:
        settings = chosen | {"max_tokens": 150, "logit_bias": never}
        plain = asked(engine, **settings)
        assert len(plain.ids) > 2 * WINDOW
        for speculate in ("prompt", "draft"):
            if speculate == "draft" and settings["temperature"]:
                continue  # drawn by judgements: another answer of the same distribution
            guessed = asked(engine, speculate=speculate, **settings)
            assert guessed.ids == plain.ids
            assert guessed.finished.usage.drafted_tokens > 0
    engine.close()


def test_a_network_that_cannot_go_back_refuses_guesses_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    path = str(recurrent_gguf(tmp_path / "mamba.gguf"))
    engine = opened("gguf", tmp_path, path=path, draft="")
    refused = asked(engine, speculate="prompt")
    assert len(refused.events) == 1
    assert "cannot take guessed tokens back" in refused.failed.message
    assert asked(engine, temperature=0.0).finished.usage.completion_tokens > 0
    engine.close()
    with pytest.raises(UnsupportedRequestError, match="cannot take guessed tokens back"):
        opened("gguf", tmp_path, draft=path)
