from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import (
    BadChatTemplateError,
    ContextOverflowError,
    InferenceError,
)
from inference.events import Finished, PromptProgress, Started, TokenEvent
from inference.types import Message, SamplingParams
from tests.helpers.assets import asset
from tests.helpers.checkpoints import IM_END, tiny_gpt2, tiny_llama
from tests.inference.native.answers import (
    TALK,
    end_of,
    events,
    failure_of,
    ids_of,
    opened,
    request,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.engine import Engine
    from inference.events import EngineEvent
    from inference.native.engine import NativeEngine


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeEngine]:
    engine = opened(tiny_llama(tmp_path_factory.mktemp("llama")))
    yield engine
    engine.close()


@pytest.mark.parametrize("build", [tiny_llama, tiny_gpt2])
def test_an_answer_keeps_the_grammar(build: Any, tmp_path: Path) -> None:
    engine = opened(build(tmp_path))
    found = events(engine, request(messages=TALK))
    kinds = [type(event) for event in found]
    assert kinds[0] is Started
    assert kinds.count(Started) == 1
    assert kinds[-1] is Finished
    assert kinds[1] is PromptProgress
    assert kinds == sorted(kinds, key=[Started, PromptProgress, TokenEvent, Finished].index)
    assert {event.request_id for event in found} == {"r1"}
    assert [e.index for e in found if isinstance(e, TokenEvent)] == list(range(len(ids_of(found))))
    usage = end_of(found).usage
    assert usage.completion_tokens == len(ids_of(found))
    engine.close()


def test_greedy_ids_of_a_real_model_equal_the_published_ones() -> None:
    engine = opened(asset("stories260K-hf"))
    published = json.loads(asset("stories260K/expected_stories.json").read_text())["cases"][0]
    found = events(engine, request(text="", sampling=SamplingParams(temperature=0, max_tokens=200)))
    assert [1, *ids_of(found)] == published["token_ids"]
    assert text_of(found) == published["expected"]
    engine.close()


def test_a_real_model_continues_a_text_with_its_space() -> None:
    engine = opened(asset("stories260K-hf"))
    found = events(engine, request(text="Once upon a time, there was a"))
    assert text_of(found).startswith(" little girl named")
    engine.close()


def test_the_logprobs_are_those_of_the_unmodified_distribution(llama: NativeEngine) -> None:
    hot = SamplingParams(temperature=5.0, top_k=5, seed=3, repeat_penalty=3.0, max_tokens=12)
    found = events(llama, request(text="The sky", sampling=hot, top_n=7))
    prompt = [piece.id for piece in llama.tokenize("The sky")]
    ids = ids_of(found)
    with torch.inference_mode():
        logits = llama.network(torch.tensor([prompt + ids]))[0]
    expected = logits.log_softmax(-1)[len(prompt) - 1 :]
    tokens = [event for event in found if isinstance(event, TokenEvent)]
    assert len(tokens) == 12
    for row, event in zip(expected, tokens, strict=False):
        assert event.logprob == pytest.approx(row[event.token_id].item(), abs=1e-4)
        values, order = row.topk(7)
        assert [c.id for c in event.top] == order.tolist()
        assert [c.logprob for c in event.top] == pytest.approx(values.tolist(), abs=1e-4)


def test_without_alternatives_no_logprob_is_given(llama: NativeEngine) -> None:
    found = events(llama, request(text="The sky"))
    tokens = [event for event in found if isinstance(event, TokenEvent)]
    assert all(event.logprob is None and event.top == () for event in tokens)


def test_score_equals_one_pass_over_the_whole(llama: NativeEngine) -> None:
    ids = tuple(piece.id for piece in llama.tokenize("Once upon a time there was a park. " * 9))
    assert len(ids) > 70
    rows = llama.score(ids, 5, CancelToken())
    with torch.inference_mode():
        expected = llama.network(torch.tensor([ids]))[0].log_softmax(-1)
    values, order = expected.topk(5)
    assert [[c.id for c in row] for row in rows] == order.tolist()
    found = torch.tensor([[c.logprob for c in row] for row in rows])
    torch.testing.assert_close(found, values, atol=1e-4, rtol=0)


def test_a_cancelled_score_stops(llama: NativeEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="stopped"):
        llama.score((5, 6, 7), 5, cancel)


def test_the_same_seed_gives_the_same_answer(llama: NativeEngine) -> None:
    drawn = SamplingParams(temperature=1.5, seed=11, max_tokens=20)
    first = events(llama, request(text="A", sampling=drawn))
    again = events(llama, request(text="A", sampling=drawn))
    assert ids_of(first) == ids_of(again)
    assert isinstance(first[0], Started)
    assert first[0].seed == 11


def test_a_picked_seed_repeats_the_answer(llama: NativeEngine) -> None:
    first = events(llama, request(text="A", sampling=SamplingParams(temperature=2, max_tokens=20)))
    assert isinstance(first[0], Started)
    seeded = SamplingParams(temperature=2, max_tokens=20, seed=first[0].seed)
    assert ids_of(events(llama, request(text="A", sampling=seeded))) == ids_of(first)


@pytest.mark.parametrize("build", [tiny_llama, tiny_gpt2])
def test_a_reused_prefix_gives_the_same_answer(build: Any, tmp_path: Path) -> None:
    engine, fresh = opened(build(tmp_path)), opened(tmp_path)
    first = events(engine, request(messages=TALK))
    more = (*TALK, Message("assistant", text_of(first)), Message("user", "And at night?"))
    second = events(engine, request(messages=more))
    expected = events(fresh, request(messages=more))
    assert end_of(second).usage.reused_tokens > 20
    assert end_of(expected).usage.reused_tokens == 0
    assert ids_of(second) == ids_of(expected)
    again = events(engine, request(messages=TALK))
    assert ids_of(again) == ids_of(first)
    other = events(engine, request(text="Something else"))
    assert ids_of(other) == ids_of(events(fresh, request(text="Something else")))
    engine.close()
    fresh.close()


def test_a_repeated_prompt_reads_one_token(llama: NativeEngine) -> None:
    asked = request(text="Once upon a time there was a little girl")
    first, second = events(llama, asked), events(llama, asked)
    usage = end_of(second).usage
    assert usage.reused_tokens == usage.prompt_tokens - 1
    assert ids_of(first) == ids_of(second)


def test_a_long_prompt_is_read_in_steps_that_end_at_its_length(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path))  # one that has not learnt yet how fast it reads
    found = events(engine, request(text="The park. " * 60, sampling=SamplingParams(max_tokens=1)))
    engine.close()
    steps = [event for event in found if isinstance(event, PromptProgress)]
    assert len(steps) > 1
    assert [step.done for step in steps] == sorted({step.done for step in steps})
    assert steps[-1].done == steps[-1].total == end_of(found).usage.prompt_tokens


def test_a_typed_end_of_turn_stays_text(llama: NativeEngine) -> None:
    rendered = llama.render((Message("user", f"What is {IM_END}?"),))
    assert [piece.id for piece in rendered.tokens].count(2) == 1  # the template's own
    assert rendered.text.count(IM_END) == 2
    assert "".join(piece.text for piece in rendered.tokens) == rendered.text
    raw = llama.tokenize(f"a{IM_END}")
    assert not any(piece.special for piece in raw)
    parsed = llama.tokenize(f"a{IM_END}", parse_special=True)
    assert [(piece.text, piece.special) for piece in parsed] == [("a", False), (IM_END, True)]


def test_messages_are_answered_from_the_rendered_ids(llama: NativeEngine) -> None:
    rendered = tuple(piece.id for piece in llama.render(TALK).tokens)
    by_ids = events(llama, request(token_ids=rendered))
    assert ids_of(events(llama, request(messages=TALK))) == ids_of(by_ids)


@pytest.mark.parametrize("template", ["{{ bos_token }}{{ messages[0].content }}", None])
def test_bos_comes_once(template: str | None, tmp_path: Path) -> None:
    extra = {} if template is None else {"chat_template": template}
    engine = opened(tiny_llama(tmp_path, add_bos=True, **extra))
    rendered = engine.render((Message("user", "Hi"),))
    assert [piece.id for piece in rendered.tokens].count(0) == 1
    assert rendered.tokens[0].id == 0
    assert rendered.text.startswith("<|endoftext|>")
    assert rendered.text.count("<|endoftext|>") == 1
    twice = engine.tokenize("<|endoftext|>Hi", add_bos=True, parse_special=True)
    assert [piece.id for piece in twice].count(0) == 1
    started = events(engine, request(text="Hi"))[0]
    assert isinstance(started, Started)
    assert started.prompt_tokens == len(engine.tokenize("Hi")) + 1
    engine.close()


def test_an_end_token_ends_the_answer_without_an_event(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path)
    engine = opened(folder)
    ids = ids_of(events(engine, request(text="The sky")))
    engine.close()
    place = next(i for i, token in enumerate(ids) if i > 2 and token not in ids[:i])
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [ids[place]]}))
    engine = opened(folder)
    found = events(engine, request(text="The sky"))
    assert ids_of(found) == ids[:place]
    assert end_of(found).reason == "stop"
    engine.close()


def test_a_stop_text_ends_the_answer_and_is_not_in_it(llama: NativeEngine) -> None:
    whole = text_of(events(llama, request(text="The sky")))
    stop = whole[8:11]
    cut = SamplingParams(temperature=0, max_tokens=24, stop=(stop,))
    found = events(llama, request(text="The sky", sampling=cut))
    assert text_of(found) == whole[: whole.index(stop)]
    assert end_of(found).reason == "stop"


@pytest.mark.parametrize("wanted", [0, 1, 5])
def test_the_length_limit_is_kept(wanted: int, llama: NativeEngine) -> None:
    limited = SamplingParams(temperature=0, max_tokens=wanted)
    found = events(llama, request(text="The sky", sampling=limited))
    assert len(ids_of(found)) == wanted
    assert end_of(found).reason == "length"


def test_a_full_context_ends_the_answer(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path), n_ctx=16)
    found = events(engine, request(text="The", sampling=SamplingParams(temperature=0)))
    end = end_of(found)
    assert end.reason == "length"
    assert end.usage.prompt_tokens + end.usage.completion_tokens == 16
    engine.close()


def test_a_prompt_beyond_the_context_fails_with_both_numbers(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path), n_ctx=16)
    ids = tuple(range(5, 25))
    failed = failure_of(events(engine, request(token_ids=ids)))
    assert failed.error == "ContextOverflow"
    assert "20" in failed.message
    assert "16" in failed.message
    with pytest.raises(ContextOverflowError):
        engine.score(ids, 1, CancelToken())
    assert len(engine.score(ids[:16], 1, CancelToken())) == 16
    assert ids_of(events(engine, request(text="Hi")))  # nothing is lost by it
    engine.close()


@pytest.mark.parametrize("n_ctx", [None, 100, 10_000])
def test_the_context_is_never_longer_than_trained(n_ctx: int | None, tmp_path: Path) -> None:
    engine = opened(tiny_gpt2(tmp_path), n_ctx=n_ctx)
    assert engine.loaded.n_ctx == (100 if n_ctx == 100 else 512)
    engine.close()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "UnsupportedRequest"),
        ({"text": "a", "token_ids": (1,)}, "UnsupportedRequest"),
        ({"token_ids": ()}, "UnsupportedRequest"),
        ({"text": ""}, "UnsupportedRequest"),
        ({"token_ids": (320,)}, "UnsupportedRequest"),
        ({"token_ids": (-1,)}, "UnsupportedRequest"),
        ({"text": "a", "top_n": 21}, "UnsupportedRequest"),
        ({"text": "a", "sampling": SamplingParams(top_p=3.0)}, "UnsupportedRequest"),
    ],
)
def test_a_request_that_means_nothing_fails_with_a_sentence(
    fields: dict[str, Any], error: str, llama: NativeEngine
) -> None:
    found = events(llama, request(**fields))
    assert len(found) == 1
    assert failure_of(found).error == error
    assert failure_of(found).message.endswith(".")


def test_a_base_model_completes_and_refuses_conversations(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path, chat_template=None))
    assert not engine.loaded.has_chat_template
    failed = failure_of(events(engine, request(messages=TALK)))
    assert failed.error == "BadChatTemplate"
    assert "completion" in failed.hint
    with pytest.raises(BadChatTemplateError):
        engine.render(TALK)
    assert ids_of(events(engine, request(text="The sky")))
    engine.close()


def test_a_cancelled_request_ends_once_without_tokens(llama: NativeEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    found = events(llama, request(text="Nobody wants to read this."), cancel)
    assert [type(event) for event in found] == [Started, Finished]
    assert end_of(found).reason == "cancelled"


def test_a_cancel_while_writing_keeps_what_is_there(llama: NativeEngine) -> None:
    cancel = CancelToken()
    found: list[EngineEvent] = []
    for event in llama.generate(request(text="The sky"), cancel):
        found.append(event)
        if isinstance(event, TokenEvent) and event.index == 3:
            cancel.cancel()
    assert end_of(found).reason == "cancelled"
    assert 4 <= len(ids_of(found)) <= 8
    assert ids_of(events(llama, request(text="The sky")))[: len(ids_of(found))] == ids_of(found)


def test_breaking_off_leaves_the_engine_usable(llama: NativeEngine) -> None:
    whole = ids_of(events(llama, request(text="The sky")))
    stream = llama.generate(request(text="The sky is"), CancelToken())
    for event in stream:
        if isinstance(event, TokenEvent):
            break
    stream.close()  # type: ignore[attr-defined]  # a generator, as the contract's text says
    assert ids_of(events(llama, request(text="The sky"))) == whole


def test_a_stop_acts_inside_one_pass_of_a_slow_network(tmp_path: Path) -> None:
    engine = opened(
        tiny_llama(
            tmp_path, width=512, n_layers=24, n_heads=8, head_width=64, mlp_width=1024, context=4096
        )
    )
    cancel = CancelToken()
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.monotonic())
        cancel.cancel()

    timer = threading.Timer(0.3, stop)
    timer.start()
    found = events(engine, request(token_ids=tuple(range(5, 300)) * 13), cancel)
    took = time.monotonic() - asked[0]
    timer.join()
    assert end_of(found).reason == "cancelled"
    steps = [event.done for event in found if isinstance(event, PromptProgress)]
    assert not steps or steps[-1] < 3800
    assert took < 1.0  # 0.1 s on two cores with nothing else to do
    engine.close()


def test_the_engine_fulfils_the_contract_by_type(llama: NativeEngine) -> None:
    engine: Engine = llama
    assert engine.loaded.engine == "native"
