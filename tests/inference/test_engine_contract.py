"""One contract, six engines: fake, native and GGUF, each in this process and behind the client."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import (
    BadChatTemplateError,
    ContextOverflowError,
    InferenceError,
    UnsupportedRequestError,
)
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent
from inference.host.client import EngineClient
from inference.inside.questions import Array, AskAttention, AskNext, NextTokens
from inference.types import GenerationRequest, LoadOptions, Message, SamplingParams
from tests.helpers import fake_engine
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.processes import is_gone, tree_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.engine import Engine
    from inference.events import EngineEvent
    from inference.types import EngineKind

FAKE = "tests.helpers.fake_engine:open_engine"
KINDS = ("fake", "native", "gguf")
WHERE = ("here", "remote")
HELLO = (Message("user", "Hello there"),)
N_CTX = 256


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadOptions]:
    """The three models, made once."""
    folder = tmp_path_factory.mktemp("contract")
    native = tiny_llama(folder / "native")
    gguf = tiny_gguf(folder / "tiny.gguf")
    return {
        "fake": LoadOptions("fake:tokens=400", "native", n_ctx=N_CTX),
        "native": LoadOptions(str(native), "native", n_ctx=N_CTX, threads=1, device="cpu"),
        "gguf": LoadOptions(str(gguf), "gguf", n_ctx=N_CTX, threads=1, gpu_layers=0),
    }


def open_here(kind: str, options: LoadOptions) -> Engine:
    if kind == "fake":
        return fake_engine.open_engine(options, lambda _: None, CancelToken())
    if kind == "native":
        from inference.native.engine import open_engine as open_native

        return open_native(options, lambda _: None, CancelToken())
    from inference.gguf.engine import open_engine as open_gguf

    return open_gguf(options, lambda _: None, CancelToken())


def open_remote(kind: str, options: LoadOptions) -> EngineClient:
    client = EngineClient(FAKE if kind == "fake" else None)
    client.load(options)
    return client


@pytest.fixture(scope="module", params=[f"{kind} {where}" for kind in KINDS for where in WHERE])
def engine(
    request: pytest.FixtureRequest,
    files: dict[str, LoadOptions],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Engine]:
    """An open engine of each kind; the probe's verdict stays among the temporary files."""
    kind, where = request.param.split()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_HOME", str(tmp_path_factory.getbasetemp() / "contract-home"))
        patch.setenv("OMP_NUM_THREADS", "1")
        opened = open_here(kind, files[kind]) if where == "here" else open_remote(kind, files[kind])
        yield opened
        opened.close()


def ask(text: str = "Once upon", **sampling: object) -> GenerationRequest:
    values: dict[str, object] = {"max_tokens": 12, "temperature": 0.0} | sampling
    return GenerationRequest("r", text=text, sampling=SamplingParams(**values))  # type: ignore[arg-type]


def collect(engine: Engine, request: GenerationRequest) -> list[EngineEvent]:
    return list(engine.generate(request, CancelToken()))


def token_events(events: list[EngineEvent]) -> list[TokenEvent]:
    return [event for event in events if isinstance(event, TokenEvent)]


def text_of(events: list[EngineEvent]) -> str:
    return "".join(event.text for event in token_events(events))


def assert_grammar(events: list[EngineEvent]) -> None:
    """``Started PromptProgress* TokenEvent* (Finished | Failed)``, all of one request."""
    order = {Started: 0, PromptProgress: 1, TokenEvent: 2, Finished: 3, Failed: 3}
    ranks = [order[type(event)] for event in events]
    assert ranks == sorted(ranks)
    assert ranks.count(3) == 1
    assert ranks.count(0) == (0 if isinstance(events[0], Failed) else 1)
    assert {event.request_id for event in events} == {events[0].request_id}
    assert [event.index for event in token_events(events)] == list(range(ranks.count(2)))


def finished(events: list[EngineEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished), last
    return last


class TestEngineContract:
    def test_facts_about_the_loaded_model_make_sense(self, engine: Engine) -> None:
        loaded = engine.loaded
        assert loaded.n_ctx == N_CTX
        assert loaded.n_vocab > 0
        assert loaded.has_chat_template
        assert loaded.device == "CPU"
        assert loaded.device_reason.endswith(".")

    @pytest.mark.parametrize("form", ["messages", "text", "token_ids"])
    def test_an_answer_follows_the_grammar_in_every_form_of_prompt(
        self, engine: Engine, form: str
    ) -> None:
        given = {"messages": HELLO, "text": "Hello", "token_ids": (20, 21, 22)}
        sampling = SamplingParams(max_tokens=8, seed=1)
        request = GenerationRequest("x", sampling=sampling, **{form: given[form]})  # type: ignore[arg-type]
        events = collect(engine, request)
        assert_grammar(events)
        end = finished(events)
        assert end.usage.completion_tokens >= len(token_events(events))
        assert end.timings.decode_s >= 0.0

    def test_started_tells_the_prompt_that_progress_then_reads(self, engine: Engine) -> None:
        events = collect(engine, ask("a longer text that has to be read before anything comes"))
        started = events[0]
        assert isinstance(started, Started)
        assert started.context == N_CTX
        assert started.prompt_tokens == finished(events).usage.prompt_tokens > 1
        progress = [event for event in events if isinstance(event, PromptProgress)]
        assert all(event.total == started.prompt_tokens for event in progress)
        assert [event.done for event in progress] == sorted({event.done for event in progress})

    def test_the_length_limit_ends_an_answer(self, engine: Engine) -> None:
        events = collect(engine, ask(max_tokens=3, temperature=1.0, seed=3))
        assert finished(events).usage.completion_tokens <= 3
        if finished(events).reason == "length":
            assert finished(events).usage.completion_tokens == 3

    def test_without_a_limit_the_answer_ends_when_the_context_is_full(self, engine: Engine) -> None:
        for seed in range(20):  # a random model may end by itself
            events = collect(engine, ask(max_tokens=None, temperature=1.0, seed=seed))
            assert_grammar(events)
            usage = finished(events).usage
            assert usage.prompt_tokens + usage.completion_tokens <= N_CTX + 1
            if finished(events).reason == "length":
                assert usage.prompt_tokens + usage.completion_tokens >= N_CTX - 1
                return
        pytest.fail("twenty answers ended by themselves")

    def test_greedy_answers_repeat(self, engine: Engine) -> None:
        first, second = collect(engine, ask()), collect(engine, ask())
        ids = [event.token_id for event in token_events(first)]
        assert ids == [event.token_id for event in token_events(second)]

    def test_forgetting_and_resting_leave_the_next_answer_as_it_was(self, engine: Engine) -> None:
        first = text_of(collect(engine, ask()))
        engine.rest(CancelToken())
        engine.forget("a chat that was never there")
        engine.forget(None)
        assert text_of(collect(engine, ask())) == first

    def test_a_seed_repeats_its_draw_and_started_reports_it(self, engine: Engine) -> None:
        first = collect(engine, ask(temperature=1.0, seed=11))
        again = collect(engine, ask(temperature=1.0, seed=11))
        assert text_of(first) == text_of(again)
        assert isinstance(first[0], Started)
        assert first[0].seed == 11

    def test_a_seed_that_was_picked_can_be_used_again(self, engine: Engine) -> None:
        first = collect(engine, ask(temperature=1.0))
        assert isinstance(first[0], Started)
        again = collect(engine, ask(temperature=1.0, seed=first[0].seed))
        assert text_of(first) == text_of(again)

    def test_a_stop_sequence_ends_the_answer_and_is_no_part_of_it(self, engine: Engine) -> None:
        whole = text_of(collect(engine, ask(max_tokens=40)))
        inner = whole[len(whole) // 2 :][:3]
        if "\ufffd" in inner or not inner:
            inner = next(char for char in whole if char != "\ufffd")
        events = collect(engine, ask(max_tokens=40, stop=(inner,)))
        assert_grammar(events)
        assert text_of(events) == whole[: whole.index(inner)]
        assert finished(events).reason == "stop"

    @pytest.mark.parametrize("top_n", [0, 1, 5, 20])
    def test_alternatives_come_in_the_number_asked_for_likeliest_first(
        self, engine: Engine, top_n: int
    ) -> None:
        request = GenerationRequest(
            "r", text="Once upon", sampling=SamplingParams(temperature=0, max_tokens=6), top_n=top_n
        )
        tokens = token_events(collect(engine, request))
        assert tokens
        for event in tokens:
            assert len(event.top) == top_n
            logprobs = [other.logprob for other in event.top]
            assert logprobs == sorted(logprobs, reverse=True)
            assert (event.logprob is None) == (top_n == 0)
            if event.logprob is not None:
                assert event.logprob <= 0
                assert event.top[0].id == event.token_id  # greedy takes the likeliest
                assert event.top[0].logprob == pytest.approx(event.logprob, abs=1e-5)

    def test_more_than_twenty_alternatives_are_refused_by_name(self, engine: Engine) -> None:
        events = collect(engine, GenerationRequest("r", text="a", top_n=21))
        assert [type(event) for event in events] == [Failed]
        assert events[0].error == "UnsupportedRequest"  # type: ignore[union-attr]

    def test_a_prompt_longer_than_the_context_fails_with_both_numbers(self, engine: Engine) -> None:
        events = collect(engine, ask("word " * 2000))
        assert_grammar(events)
        assert isinstance(events[-1], Failed)
        assert events[-1].error == "ContextOverflow"
        assert str(N_CTX) in events[-1].message
        assert events[-1].hint
        assert isinstance(collect(engine, ask())[-1], Finished)

    @pytest.mark.parametrize("strategy", ["beam", "contrastive"])
    def test_a_strategy_is_followed_or_refused_by_name(self, engine: Engine, strategy: str) -> None:
        events = collect(engine, ask(strategy=strategy, top_k=4, beams=2, max_tokens=5))
        assert_grammar(events)
        if isinstance(events[-1], Failed):
            assert events[-1].error == "UnsupportedRequest"
            assert strategy in events[-1].message
            assert events[-1].hint
        elif strategy == "beam":
            tree = engine.beam_tree("r")
            assert len(tree.nodes) > 5 * 2
            told = [event.token_id for event in token_events(events)]
            assert tree.nodes[tree.winner].id in (told[-1], *engine.loaded.eos_ids)

    def test_a_tree_that_is_not_kept_is_refused(self, engine: Engine) -> None:
        with pytest.raises(UnsupportedRequestError, match="no tree"):
            engine.beam_tree("unknown")

    def test_a_look_inside_shows_numbers_or_is_refused_by_name(self, engine: Engine) -> None:
        ids = tuple(piece.id for piece in engine.tokenize("Once upon a time"))
        if "fake" in engine.loaded.name.lower():
            with pytest.raises(UnsupportedRequestError, match="inside"):
                engine.inspect(AskNext(ids, 4), CancelToken())
            return
        following = engine.inspect(AskNext(ids, 4), CancelToken())
        assert isinstance(following, NextTokens)
        top = engine.score(ids, 4, CancelToken())[-1]
        assert [one.id for one in following.top] == [one.id for one in top]
        looks = engine.inspect(AskAttention(ids, 0, "all"), CancelToken())
        assert isinstance(looks, Array)
        assert looks.shape[1:] == (len(ids), len(ids))
        assert abs(looks.numbers().sum() - looks.shape[0] * len(ids)) < 1e-3

    def test_cancel_before_the_start_ends_the_answer_as_cancelled(self, engine: Engine) -> None:
        cancel = CancelToken()
        cancel.cancel()
        events = list(engine.generate(ask("word " * 30, max_tokens=None), cancel))
        assert_grammar(events)
        assert finished(events).reason == "cancelled"

    def test_cancel_during_the_answer_ends_it_once(self, engine: Engine) -> None:
        for seed in range(20):  # a random model may end by itself before the cancel
            cancel = CancelToken()
            events: list[EngineEvent] = []
            for event in engine.generate(ask(max_tokens=None, temperature=1.0, seed=seed), cancel):
                events.append(event)
                if len(token_events(events)) == 2:
                    cancel.cancel()
            assert_grammar(events)
            if finished(events).reason == "cancelled":
                return
        pytest.fail("no answer was cancelled")

    def test_breaking_off_leaves_the_engine_ready(self, engine: Engine) -> None:
        stream = engine.generate(ask(max_tokens=None), CancelToken())
        for event in stream:
            if isinstance(event, TokenEvent):
                break
        stream.close()  # type: ignore[attr-defined]
        assert_grammar(collect(engine, ask()))

    def test_tokens_of_a_text_are_the_text(self, engine: Engine) -> None:
        pieces = engine.tokenize("Hello there")
        assert "".join(piece.text for piece in pieces).strip() == "Hello there"
        assert not any(piece.special for piece in pieces)

    def test_ids_of_a_text_give_the_same_answer_as_the_text(self, engine: Engine) -> None:
        ids = tuple(
            piece.id for piece in engine.tokenize("Once upon", add_bos=engine.loaded.adds_bos)
        )
        sampling = SamplingParams(temperature=0.0, max_tokens=8)
        by_ids = collect(engine, GenerationRequest("r", token_ids=ids, sampling=sampling))
        assert text_of(by_ids) == text_of(collect(engine, ask(max_tokens=8)))

    def test_render_shows_the_prompt_that_messages_become(self, engine: Engine) -> None:
        prompt = engine.render(HELLO)
        assert "Hello there" in prompt.text
        sampling = SamplingParams(temperature=0.0, max_tokens=4)
        started = collect(engine, GenerationRequest("r", messages=HELLO, sampling=sampling))[0]
        assert isinstance(started, Started)
        assert started.prompt_tokens == len(prompt.tokens)

    def test_score_gives_every_position_its_likeliest_tokens(self, engine: Engine) -> None:
        rows = engine.score((20, 21, 22, 23), 5, CancelToken())
        assert [len(row) for row in rows] == [5, 5, 5, 5]
        for row in rows:
            logprobs = [candidate.logprob for candidate in row]
            assert logprobs == sorted(logprobs, reverse=True)
            assert logprobs[0] <= 0.0


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", ["native", "gguf"])
class TestRealEngines:
    @pytest.fixture(autouse=True)
    def _home(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path_factory.getbasetemp() / "contract-home"
        monkeypatch.setenv("GLASSHOUSE_HOME", str(home))

    def open(self, kind: str, where: str, options: LoadOptions) -> Engine:
        return open_here(kind, options) if where == "here" else open_remote(kind, options)

    def test_closing_twice_is_harmless(
        self, kind: str, where: str, files: dict[str, LoadOptions]
    ) -> None:
        engine = self.open(kind, where, files[kind])
        engine.close()
        engine.close()

    def test_scoring_more_than_the_context_is_refused(
        self, kind: str, where: str, files: dict[str, LoadOptions]
    ) -> None:
        engine = self.open(kind, where, files[kind])
        with pytest.raises(ContextOverflowError):
            engine.score((20,) * (N_CTX + 10), 1, CancelToken())
        engine.close()

    def test_without_a_template_messages_are_refused_and_text_goes_on(
        self, kind: str, where: str, tmp_path: Path
    ) -> None:
        path = (
            tiny_llama(tmp_path / "base", chat_template=None)
            if kind == "native"
            else tiny_gguf(tmp_path / "base.gguf", chat_template=None)
        )
        engine_kind: EngineKind = "native" if kind == "native" else "gguf"
        engine = self.open(kind, where, LoadOptions(str(path), engine_kind, n_ctx=64, threads=1))
        assert not engine.loaded.has_chat_template
        with pytest.raises(BadChatTemplateError):
            engine.render(HELLO)
        events = collect(engine, GenerationRequest("r", messages=HELLO))
        assert [type(event) for event in events] == [Failed]
        assert events[0].error == "BadChatTemplate"  # type: ignore[union-attr]
        assert isinstance(collect(engine, ask(max_tokens=2))[-1], Finished)
        engine.close()

    def test_a_file_that_is_not_there_is_a_sentence(
        self, kind: str, where: str, tmp_path: Path
    ) -> None:
        engine_kind: EngineKind = "native" if kind == "native" else "gguf"
        with pytest.raises(InferenceError) as caught:
            self.open(kind, where, LoadOptions(str(tmp_path / "nothing.gguf"), engine_kind))
        assert caught.value.message.endswith(".")


@pytest.mark.parametrize("kind", ["native", "gguf"])
def test_stop_acts_within_200_ms_while_a_real_engine_reads_a_prompt(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    if kind == "native":
        shape = {"width": 256, "n_heads": 8, "head_width": 32, "mlp_width": 1024, "n_layers": 8}
        path = tiny_llama(tmp_path / "wide", context=4096, **shape)
        client = open_remote(kind, LoadOptions(str(path), "native", threads=1))
    else:
        path = tiny_gguf(
            tmp_path / "wide.gguf", context=4096, hidden=256, heads=8, ffn=1024, layers=8
        )
        client = open_remote(kind, LoadOptions(str(path), "gguf", threads=1, gpu_layers=0))
    delays = []
    for first in (20, 21, 22):  # no two prompts alike: nothing is reused
        request = GenerationRequest("r", token_ids=(first, *range(23, 200)) * 22)
        delays.append(seconds_from_stop_to_end(client, request))
    client.close()
    assert min(delays) < 0.2  # the machine may be busy once, not three times


def test_switching_real_engines_gives_the_memory_of_the_first_one_back(
    files: dict[str, LoadOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    before = tree_bytes()
    client = EngineClient()
    client.load(files["native"])
    first, with_torch = client.pid, tree_bytes()
    assert first is not None
    assert with_torch - before > 100 << 20  # PyTorch alone
    client.load(files["gguf"])
    assert is_gone(first)
    assert tree_bytes() - before < (with_torch - before) * 0.7
    client.close()
    assert tree_bytes() - before < 16 << 20


def seconds_from_stop_to_end(engine: Engine, request: GenerationRequest) -> float:
    """Stop in the middle of the prefill."""
    cancel = CancelToken()
    stopped_at: list[float] = []

    def stop() -> None:
        stopped_at.append(time.monotonic())
        cancel.cancel()

    timer = threading.Timer(0.1, stop)
    events: list[EngineEvent] = []
    for event in engine.generate(request, cancel):
        events.append(event)
        if isinstance(event, Started):
            timer.start()
    ended_at = time.monotonic()
    timer.join()
    assert finished(events).reason == "cancelled"
    assert not token_events(events)
    return ended_at - stopped_at[0]
