"""Looking inside leaves a chat alone: nothing is read twice, kept or left behind for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from inference.cancel import CancelToken
from inference.events import Finished, Started, TokenEvent
from inference.gguf import taps
from inference.gguf.engine import GgufEngine
from inference.gguf.library import api
from inference.host.protocol import Inspected, encode
from inference.inside.questions import (
    AskAttention,
    AskAttentionOverview,
    AskHidden,
    AskLens,
    AskNext,
    AskRollout,
    AskSurprise,
    AskUpdates,
)
from inference.inside.reading import StoppedLookError
from inference.native.engine import NativeEngine
from inference.types import GenerationRequest, PastOptions, SamplingParams
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.engine import Engine
    from inference.inside.questions import Question

PROMPT = tuple(7 + (n * 5) % 200 for n in range(90))
ALL = (
    AskAttention(PROMPT, 1, "mean"),
    AskAttentionOverview(PROMPT),
    AskRollout(PROMPT),
    AskHidden(PROMPT, (3, 60)),
    AskLens(PROMPT),
    AskUpdates(PROMPT),
    AskNext(PROMPT[:40], all_logits=True),
    AskSurprise(PROMPT),
)


@pytest.fixture(scope="module", params=["gguf", "native"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    past = PastOptions(memory_bytes=64_000_000)
    engine = opened(request.param, tmp_path_factory.mktemp("beside"), past=past)
    yield engine
    engine.close()


def chat(engine: Engine, ids: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Continue ids greedily; return what was written, and how many ids were not read again."""
    request = GenerationRequest(
        "r", token_ids=ids, sampling=SamplingParams(temperature=0, max_tokens=8), cache_key="chat"
    )
    written, reused = [], -1
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, Started):
            reused = event.reused_tokens
        if isinstance(event, TokenEvent):
            written.append(event.token_id)
        last = event
    assert isinstance(last, Finished)
    return tuple(written), reused


def held(engine: Any) -> list[int]:
    """Return the ids in the engine's cache."""
    session = engine._session
    return list(session.tokens if isinstance(engine, GgufEngine) else session.ids)


@pytest.fixture
def computed(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many tokens each pass of the engine computes, in whatever context."""
    passes: list[int] = []
    if isinstance(engine, NativeEngine):
        hook = engine.network.token_embedding.register_forward_pre_hook(
            lambda _module, inputs: passes.append(inputs[0].numel())
        )
        yield passes
        hook.remove()
        return
    decode = api.llama_decode

    def counting(context: Any, batch: Any) -> Any:
        passes.append(batch.n_tokens)
        return decode(context, batch)

    monkeypatch.setattr(api, "llama_decode", counting)
    yield passes


def test_the_next_word_of_a_place_in_the_cache_is_told_without_reading_the_text_again(
    engine: Engine, computed: list[int], tmp_path: Path
) -> None:
    written, _ = chat(engine, PROMPT)
    text = (*PROMPT, *written)
    before = held(engine)
    computed.clear()
    places = (1, 30, 89, 90, len(text) - 1, len(text))
    found = [engine.inspect(AskNext(text[:n], all_logits=True), CancelToken()) for n in places]
    assert sum(computed) <= len(places)  # at most the place itself
    assert held(engine) == before
    kind = "gguf" if isinstance(engine, GgufEngine) else "native"
    other = opened(kind, tmp_path)
    for place, ours in zip(places, found, strict=True):
        theirs: Any = other.inspect(AskNext(text[:place], all_logits=True), CancelToken())
        np.testing.assert_allclose(
            np.frombuffer(ours.logits, np.float32),  # type: ignore[union-attr]  # NextTokens
            np.frombuffer(theirs.logits, np.float32),
            atol=1e-4,
        )
    other.close()


def test_another_word_can_be_tried_at_a_place_in_the_cache(
    engine: Engine, computed: list[int]
) -> None:
    chat(engine, PROMPT)
    before = held(engine)
    computed.clear()
    engine.inspect(AskNext((*PROMPT[:50], 3)), CancelToken())
    assert computed == [1]
    assert held(engine) == before


@pytest.mark.parametrize("question", ALL, ids=lambda question: type(question).__name__)
def test_a_chat_goes_on_after_a_question_as_it_would_have_without_it(
    engine: Engine, question: Question
) -> None:
    written, _ = chat(engine, PROMPT)
    longer = (*PROMPT, *written, 9, 8, 7)
    engine.forget(None)
    before = held(engine)
    engine.inspect(question, CancelToken())
    assert held(engine) == before
    after = chat(engine, longer)
    chat(engine, PROMPT)
    assert after == chat(engine, longer)
    assert after[1] >= len(PROMPT) + len(written) - 1


def test_a_text_of_one_s_own_does_not_cost_a_chat_what_it_has_read(engine: Engine) -> None:
    written, _ = chat(engine, PROMPT)
    engine.inspect(AskNext(PROMPT[:2:-1]), CancelToken())
    engine.inspect(AskSurprise(PROMPT[::-1]), CancelToken())
    _, reused = chat(engine, (*PROMPT, *written, 9))
    assert reused >= len(PROMPT) + len(written) - 1


def test_a_chat_that_is_not_looked_into_has_no_hooks_and_no_taps(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for question in ALL:
        engine.inspect(question, CancelToken())
    if isinstance(engine, NativeEngine):
        for module in engine.network.modules():
            assert not module._forward_pre_hooks
            assert not module._forward_hooks
        return
    assert engine._inside._scoring is None
    seen: list[int] = []
    see = taps.Taps._see
    monkeypatch.setattr(taps.Taps, "_see", lambda *args: seen.append(1) or see(*args))
    chat(engine, PROMPT)
    assert seen == []
    engine.inspect(ALL[0], CancelToken())
    assert seen


def test_only_the_layer_that_was_asked_for_is_moved(engine: Engine) -> None:
    numbers = 4 * len(PROMPT) ** 2
    sizes = [
        len(encode(Inspected("1", engine.inspect(question, CancelToken()))))
        for question in (
            AskAttention(PROMPT, 1, "mean"),
            AskAttention(PROMPT, 1, 2, (10, 5, 8, 16)),
            AskAttention(PROMPT, 1, "mean", size=9),
        )
    ]
    assert numbers <= sizes[0] < numbers + 100
    assert 4 * 8 * 16 <= sizes[1] < 4 * 8 * 16 + 100
    assert 4 * 9 * 9 <= sizes[2] < 4 * 9 * 9 + 100


class _After(CancelToken):
    """Cancelled as soon as more than so many tokens are on their way."""

    def __init__(self, computed: list[int], count: int) -> None:
        super().__init__()
        self._computed, self._count = computed, count

    @property
    def cancelled(self) -> bool:
        return sum(self._computed) > self._count


def test_a_surprise_that_was_interrupted_goes_on_where_it_stopped(
    engine: Engine, computed: list[int]
) -> None:
    text = tuple(9 + (n * 11) % 150 for n in range(200))
    whole: Any = engine.inspect(AskSurprise(text), CancelToken())
    engine.inspect(AskSurprise(PROMPT[::-1]), CancelToken())  # which forgets that text
    engine.inspect(AskNext(PROMPT[::-1]), CancelToken())
    computed.clear()
    with pytest.raises(StoppedLookError):
        engine.inspect(AskSurprise(text), _After(computed, 64))
    computed.clear()
    again: Any = engine.inspect(AskSurprise(text), CancelToken())
    assert sum(computed) <= 200 - 64
    np.testing.assert_allclose(again.logprobs[1:], whole.logprobs[1:], atol=1e-4)


def test_a_text_that_is_scored_in_steps_is_read_once_and_has_the_same_chances(
    engine: Engine, computed: list[int]
) -> None:
    text = tuple(9 + (n * 19) % 150 for n in range(200))
    whole: Any = engine.inspect(AskSurprise(text), CancelToken())
    engine.inspect(AskSurprise(PROMPT[::-1]), CancelToken())
    engine.inspect(AskNext(PROMPT[::-1]), CancelToken())
    computed.clear()
    for until in (50, 110, 160):
        part: Any = engine.inspect(AskSurprise(text, 20, until), CancelToken())
        assert until <= len(part.logprobs) < len(text)
        told = part.logprobs[20:until]
        np.testing.assert_allclose(told, whole.logprobs[20:until], atol=1e-4)
    last: Any = engine.inspect(AskSurprise(text, 20), CancelToken())
    np.testing.assert_allclose(last.logprobs[20:], whole.logprobs[20:], atol=1e-4)
    assert sum(computed) <= len(text)


@pytest.mark.parametrize("first", [0, 5, 64, 100])
def test_what_a_stop_left_of_a_text_serves_a_question_about_another_part_of_it(
    engine: Engine, computed: list[int], first: int
) -> None:
    text = tuple(9 + (n * 17) % 150 for n in range(200))
    whole: Any = engine.inspect(AskSurprise(text), CancelToken())
    engine.inspect(AskSurprise(PROMPT[::-1]), CancelToken())
    engine.inspect(AskNext(PROMPT[::-1]), CancelToken())
    computed.clear()
    with pytest.raises(StoppedLookError):
        engine.inspect(AskSurprise(text, 1), _After(computed, 64))
    part: Any = engine.inspect(AskSurprise(text, first), CancelToken())
    told = max(1, first)
    assert len(part.logprobs) == len(text)
    np.testing.assert_allclose(part.logprobs[told:], whole.logprobs[told:], atol=1e-4)


def test_what_a_chat_has_just_read_is_scored_without_reading_it_again(
    engine: Any, computed: list[int]
) -> None:
    if isinstance(engine, GgufEngine):
        pytest.skip("llama.cpp keeps no scores of what it has read")
    fresh = tuple(11 + (n * 13) % 140 for n in range(90))
    written, reused = chat(engine, fresh)
    assert reused == 0
    computed.clear()
    engine.inspect(AskSurprise((*fresh, *written[:-1])), CancelToken())
    assert computed == []


def test_without_memory_for_a_second_context_a_text_is_scored_all_the_same(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(engine, GgufEngine):
        pytest.skip("the native engine scores in the session")
    written, _ = chat(engine, PROMPT)
    text, other = PROMPT[5:], PROMPT[6:]
    expected: Any = engine.inspect(AskSurprise(text), CancelToken())
    engine.inspect(AskSurprise(other), CancelToken())

    class Nothing:
        available = 0

    monkeypatch.setattr(psutil, "virtual_memory", Nothing)
    found: Any = engine.inspect(AskSurprise(text), CancelToken())
    np.testing.assert_allclose(found.logprobs[1:], expected.logprobs[1:], atol=1e-5)
    monkeypatch.undo()
    again, _ = chat(engine, PROMPT)
    assert again == written


@pytest.mark.parametrize("first", [0, 1, 2, 70, len(PROMPT) - 1])
def test_the_surprise_of_an_answer_leaves_out_what_stands_before_it(
    engine: Engine, first: int
) -> None:
    whole: Any = engine.inspect(AskSurprise(PROMPT), CancelToken())
    part: Any = engine.inspect(AskSurprise(PROMPT, first), CancelToken())
    told = max(1, first)
    assert part.logprobs[:told] == part.entropy_bits[:told] == (None,) * told
    np.testing.assert_allclose(part.logprobs[told:], whole.logprobs[told:], atol=1e-4)
    np.testing.assert_allclose(part.entropy_bits[told:], whole.entropy_bits[told:], atol=1e-3)
