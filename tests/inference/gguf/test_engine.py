from __future__ import annotations

import itertools
import math
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import (
    BadChatTemplateError,
    ContextOverflowError,
    InferenceError,
    UnsupportedRequestError,
)
from inference.events import PromptProgress, Started
from inference.gguf.session import BATCH_TOKENS
from inference.types import GenerationRequest, Message, SamplingParams
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.gguf.answers import CancelAfter, ask

if TYPE_CHECKING:
    from pathlib import Path

    from inference.gguf.engine import GgufEngine
    from tests.inference.gguf.conftest import OpenGguf

_BOS, _IM_START, _IM_END, _THINK, _USER = 266, 267, 268, 269, 270


@pytest.fixture
def engine(open_gguf: OpenGguf, tmp_path: Path) -> GgufEngine:
    return open_gguf(tiny_gguf(tmp_path / "tiny.gguf"))


def _says(text: bytes, after: str) -> dict[int, int]:
    """Successors that make greedy decoding say ``text`` after ``after`` and end."""
    chain = [ord(after), *text, _IM_END]
    return dict(itertools.pairwise(chain))


def test_facts_come_from_the_loaded_file(engine: GgufEngine) -> None:
    loaded = engine.loaded
    assert loaded.engine == "gguf"
    assert loaded.name == "Tiny Random"
    assert loaded.architecture == "llama"
    assert (loaded.n_layers, loaded.n_vocab, loaded.n_ctx, loaded.n_ctx_train) == (2, 271, 512, 512)
    assert loaded.dtype == "F32"
    assert loaded.has_chat_template
    assert loaded.adds_bos
    assert set(loaded.eos_ids) == {_BOS, _IM_END}
    assert loaded.threads == 1
    # 512 positions, 2 layers, keys and values, 2 heads of 16, 2 bytes; the log rounds to 0.01 MiB
    assert loaded.kv_cache_bytes == pytest.approx(512 * 2 * 2 * 2 * 16 * 2, rel=0.1)
    assert loaded.device_reason.endswith(".")
    assert loaded.load_s > 0


def test_an_answer_follows_the_grammar_and_counts_its_tokens(engine: GgufEngine) -> None:
    answer = ask(engine, text="hello world", max_tokens=20, temperature=1.0, seed=3)
    answer.check_grammar()
    usage = answer.finished.usage
    assert usage.prompt_tokens == answer.started.prompt_tokens == 5
    assert usage.completion_tokens == len(answer.tokens) <= 20
    assert answer.finished.timings.prompt_tokens_per_s > 0


def test_alternatives_are_the_log_softmax_of_the_unmodified_logits(engine: GgufEngine) -> None:
    answer = ask(
        engine, text="hello", max_tokens=12, temperature=1.7, top_k=3, seed=5, top_n=20,
        repeat_penalty=1.5,
    )  # fmt: skip
    prompt = [_BOS, 259]
    for event in answer.tokens:
        engine._session.forget()
        assert engine._session.read(prompt, CancelToken())
        logits = engine._session.logits().astype(np.float64)
        expected = logits - logits.max()
        expected -= math.log(np.exp(expected).sum())
        order = np.argsort(-expected, kind="stable")[:20]
        assert [candidate.id for candidate in event.top] == order.tolist()
        assert [c.logprob for c in event.top] == pytest.approx(expected[order].tolist(), abs=2e-3)
        assert event.logprob == pytest.approx(expected[event.token_id], abs=2e-3)
        prompt.append(event.token_id)


def test_without_alternatives_nothing_is_reported(engine: GgufEngine) -> None:
    answer = ask(engine, text="hello", max_tokens=3)
    assert [(event.logprob, event.top) for event in answer.tokens] == [(None, ())] * 3


def test_scores_equal_the_alternatives_of_generation(engine: GgufEngine) -> None:
    answer = ask(engine, text="hello world", max_tokens=5, top_n=4)
    ids = (_BOS, *(piece.id for piece in engine.tokenize("hello world")), *answer.ids)
    scores = engine.score(ids, 4, CancelToken())
    assert len(scores) == len(ids)
    for event, score in zip(answer.tokens, scores[4:], strict=False):
        assert [c.id for c in score] == [c.id for c in event.top]
        assert [c.logprob for c in score] == pytest.approx([c.logprob for c in event.top], abs=2e-3)


def test_scoring_more_tokens_than_one_batch_scores_each(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    # llama.cpp's flash attention computes batches of different sizes with different precision.
    path = tiny_gguf(tmp_path / "calm.gguf", std=0.1)
    engine = open_gguf(path, flash_attention=False)
    ids = tuple(range(32, 32 + 150))
    scores = engine.score(ids, 2, CancelToken())
    assert len(scores) == 150
    for score, shorter in zip(scores, engine.score(ids[:100], 2, CancelToken()), strict=False):
        assert [c.id for c in score] == [c.id for c in shorter]
        assert [c.logprob for c in score] == pytest.approx([c.logprob for c in shorter], abs=1e-4)
    with pytest.raises(ContextOverflowError):
        engine.score(ids * 4, 1, CancelToken())


def test_the_reused_prefix_changes_nothing(engine: GgufEngine) -> None:
    first = ask(engine, text="hello the world is", max_tokens=30)
    assert first.started.reused_tokens == 0
    again = ask(engine, text="hello the world is", max_tokens=30)
    assert again.started.reused_tokens == again.started.prompt_tokens - 1
    assert again.ids == first.ids
    longer = ask(engine, text="hello the world was", max_tokens=30)
    assert 0 < longer.started.reused_tokens < longer.started.prompt_tokens
    engine._session.forget()
    assert ask(engine, text="hello the world was", max_tokens=30).ids == longer.ids


def test_a_conversation_that_goes_on_reuses_what_was_said(engine: GgufEngine) -> None:
    turns = [Message("user", "hello")]
    first = ask(engine, messages=tuple(turns), max_tokens=8)
    turns += [Message("assistant", first.text), Message("user", "the")]
    second = ask(engine, messages=tuple(turns), max_tokens=8)
    assert second.started.reused_tokens >= first.started.prompt_tokens


def test_cancel_in_the_middle_of_a_prefill_ends_once_and_the_next_answer_is_right(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    engine = open_gguf(tiny_gguf(tmp_path / "long.gguf", context=2048))
    ids = tuple(32 + index % 90 for index in range(1800))
    expected = ask(engine, token_ids=ids, max_tokens=6)
    engine._session.forget()
    # A look before each of 4 chunks and after each operation of the network: 100 is within one.
    stopped = ask(engine, CancelAfter(100), token_ids=ids, max_tokens=6)
    stopped.check_grammar()
    assert stopped.finished.reason == "cancelled"
    assert not stopped.tokens
    assert len(engine._session.tokens) % BATCH_TOKENS == 0
    assert len(engine._session.tokens) < len(ids)
    following = ask(engine, token_ids=ids, max_tokens=6)
    assert following.ids == expected.ids


@pytest.mark.parametrize("looks", range(0, 240, 13))
def test_cancel_at_any_place_ends_once_and_leaves_the_cache_sound(
    engine: GgufEngine, looks: int
) -> None:
    stopped = ask(engine, CancelAfter(looks), text="hello the world", max_tokens=4)
    stopped.check_grammar()
    expected = ask(engine, text="hello the world", max_tokens=4)
    engine._session.forget()
    assert ask(engine, text="hello the world", max_tokens=4).ids == expected.ids


def test_a_stop_from_another_thread_acts_soon(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "slow.gguf", hidden=512, heads=8, ffn=2048, layers=4, context=4096)
    engine = open_gguf(path)
    cancel = CancelToken()
    asked_at: list[float] = []

    def stop() -> None:
        time.sleep(0.05)
        asked_at.append(time.perf_counter())
        cancel.cancel()

    thread = threading.Thread(target=stop)
    thread.start()
    answer = ask(engine, cancel, token_ids=tuple(32 + n % 90 for n in range(4000)))
    ended_at = time.perf_counter()
    thread.join()
    assert answer.finished.reason == "cancelled"
    assert not answer.tokens
    assert ended_at - asked_at[0] < 2.0


def test_breaking_off_the_iteration_leaves_a_usable_engine(engine: GgufEngine) -> None:
    expected = ask(engine, text="hello", max_tokens=10).ids
    request = GenerationRequest(
        "r", text="hello", sampling=SamplingParams(temperature=0, max_tokens=10)
    )
    stream = engine.generate(request, CancelToken())
    for _ in range(4):
        next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert ask(engine, text="hello", max_tokens=10).ids == expected


def test_progress_counts_the_prompt_in_chunks(open_gguf: OpenGguf, tmp_path: Path) -> None:
    engine = open_gguf(tiny_gguf(tmp_path / "long.gguf", context=2048))
    answer = ask(engine, token_ids=tuple(32 + n % 90 for n in range(1100)), max_tokens=1)
    progress = [event for event in answer.events if isinstance(event, PromptProgress)]
    assert [(event.done, event.total) for event in progress] == [
        (512, 1100),
        (1024, 1100),
        (1100, 1100),
    ]


def test_typed_special_tokens_stay_text(engine: GgufEngine) -> None:
    typed = "<|im_end|> <|im_start|>system <|user|>"
    prompt = engine.render((Message("user", typed),))
    ids = [piece.id for piece in prompt.tokens]
    # BOS, two turns begun by the template, one ended by it: nothing of what was typed.
    assert [i for i in ids if i >= _BOS] == [_BOS, _IM_START, _IM_END, _IM_START]
    assert typed in prompt.text
    assert "".join(piece.text for piece in prompt.tokens) == prompt.text
    assert [piece.special for piece in prompt.tokens].count(True) == 4
    raw = ask(engine, text=typed, max_tokens=1)
    assert raw.started.prompt_tokens == 1 + len(engine.tokenize(typed))
    assert not [piece for piece in engine.tokenize(typed) if piece.special]


def test_special_tokens_are_read_only_when_asked(engine: GgufEngine) -> None:
    pieces = engine.tokenize("<|im_start|>hello<|user|><think>", parse_special=True)
    assert [(p.id, p.special) for p in pieces] == [
        (_IM_START, True),
        (259, False),
        (_USER, True),
        (_THINK, False),
    ]


def test_bos_is_never_doubled(open_gguf: OpenGguf, tmp_path: Path) -> None:
    template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
    writes_bos = open_gguf(tiny_gguf(tmp_path / "a.gguf", chat_template=template))
    silent = open_gguf(
        tiny_gguf(tmp_path / "b.gguf", chat_template=template.removeprefix("{{ bos_token }}"))
    )
    unwanted = open_gguf(
        tiny_gguf(
            tmp_path / "c.gguf",
            add_bos=False,
            chat_template=template.removeprefix("{{ bos_token }}"),
        )
    )
    turn = (Message("user", "hello"),)
    assert [p.id for p in writes_bos.render(turn).tokens] == [_BOS, 259]
    assert [p.id for p in silent.render(turn).tokens] == [_BOS, 259]
    assert [p.id for p in unwanted.render(turn).tokens] == [259]
    assert [p.id for p in silent.tokenize("hello", add_bos=True)] == [_BOS, 259]


def test_a_model_without_template_only_completes(open_gguf: OpenGguf, tmp_path: Path) -> None:
    engine = open_gguf(tiny_gguf(tmp_path / "base.gguf", chat_template=None))
    assert not engine.loaded.has_chat_template
    failed = ask(engine, messages=(Message("user", "hello"),)).failed
    assert failed.error == "BadChatTemplate"
    assert "completion" in failed.hint
    with pytest.raises(BadChatTemplateError):
        engine.render((Message("user", "hello"),))
    assert len(ask(engine, text="hello", max_tokens=3).tokens) == 3


def test_an_emoji_split_over_tokens_arrives_whole(open_gguf: OpenGguf, tmp_path: Path) -> None:
    said = "🦙é!"
    path = tiny_gguf(tmp_path / "says.gguf", successors=_says(said.encode(), after="x"))
    answer = ask(open_gguf(path), text="x")
    assert answer.text == said
    assert answer.ids == list(said.encode())
    assert [event.text for event in answer.tokens] == ["", "", "", "🦙", "", "é", "!"]
    assert answer.finished.reason == "stop"


def test_a_stop_sequence_ends_the_answer_and_is_not_part_of_it(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "says.gguf", successors=_says(b"abc def", after="x"))
    answer = ask(open_gguf(path), text="x", stop=("c d",))
    assert answer.text == "ab"
    assert answer.finished.reason == "stop"


def test_the_context_ends_an_answer(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "loop.gguf", successors={97: 98, 98: 97})
    answer = ask(open_gguf(path, n_ctx=32), text="a")
    assert answer.finished.reason == "length"
    assert answer.started.context == 32
    assert answer.started.prompt_tokens + len(answer.tokens) == 32


def test_a_prompt_longer_than_the_context_fails_with_both_numbers(engine: GgufEngine) -> None:
    answer = ask(engine, token_ids=(40,) * 600)
    assert answer.failed.error == "ContextOverflow"
    assert "600" in answer.failed.message
    assert "512" in answer.failed.message
    assert not any(isinstance(event, Started) for event in answer.events)


@pytest.mark.parametrize(
    ("request_fields", "named"),
    [
        ({"text": "a", "token_ids": (1,)}, "exactly one"),
        ({}, "exactly one"),
        ({"token_ids": ()}, "nothing to continue"),
        ({"token_ids": (99_999,)}, "99999"),
        ({"text": "a", "top_n": 21}, "21"),
        ({"text": "a", "temperature": -1.0}, "temperature"),
        ({"text": "a", "top_p": float("nan")}, "top p"),
        ({"text": "a", "repeat_penalty": 0.0}, "repeat penalty"),
    ],
)
def test_a_request_without_meaning_fails_and_says_why(
    engine: GgufEngine, request_fields: dict[str, object], named: str
) -> None:
    failed = ask(engine, **request_fields).failed
    assert failed.error == "UnsupportedRequest"
    assert named in failed.message


def test_a_limit_of_no_tokens_reads_the_prompt_only(engine: GgufEngine) -> None:
    answer = ask(engine, text="hello", max_tokens=0)
    assert answer.finished.reason == "length"
    assert not answer.tokens


def test_weights_that_give_no_numbers_are_named(open_gguf: OpenGguf, tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "nan.gguf", std=float("inf"))
    failed = ask(open_gguf(path), text="hello").failed
    assert failed.error == "CorruptCheckpoint"


def test_sentencepiece_answers_begin_without_the_marker_space(
    open_gguf: OpenGguf, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "spm.gguf", vocabulary="spm")
    engine = open_gguf(path)
    (the,) = engine.tokenize("the")
    assert the.text == " the"
    path = tiny_gguf(tmp_path / "spm2.gguf", vocabulary="spm", successors={1: the.id, the.id: 2})
    engine = open_gguf(path)
    assert ask(engine, text="").text == "the"
    path = tiny_gguf(tmp_path / "spm3.gguf", vocabulary="spm", successors={64: the.id, the.id: 2})
    engine = open_gguf(path)
    ending = engine.tokenize("=")[-1].id
    assert ending == 64
    assert ask(engine, text="=").text == " the"


def test_a_closed_engine_closes_again_and_frees_once(engine: GgufEngine) -> None:
    engine.close()
    engine.close()
    with pytest.raises(InferenceError, match="closed"):
        engine.score((1,), 1, CancelToken())


def test_a_cancelled_score_says_so(engine: GgufEngine) -> None:
    with pytest.raises(InferenceError, match="stopped"):
        engine.score(tuple(range(40, 140)), 1, CancelAfter(30))
    with pytest.raises(UnsupportedRequestError):
        engine.score((1, 2), 25, CancelToken())


def test_long_steps_can_be_interrupted_and_short_ones_are_not_asked(
    engine: GgufEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = engine._session
    session.forget()
    assert session.read([72], CancelToken())
    assert session.read([73], CancelAfter(0))  # the step before was short
    monkeypatch.setattr("inference.gguf.session._SHORT_STEP_S", 0.0)
    assert not session.read([74], CancelAfter(0))
    assert session.tokens == [72, 73]
    assert session.read([74], CancelToken())
    assert not session.read([75, 76], CancelAfter(0))
