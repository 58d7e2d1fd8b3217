from __future__ import annotations

import os
import pathlib
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import (
    BackendUnavailableError,
    CorruptCheckpointError,
    EngineCrashedError,
    InferenceError,
)
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent
from inference.host import spawn
from inference.host.client import EngineClient
from inference.types import GenerationRequest, LoadOptions, Message
from tests.helpers.processes import gone_within, is_gone, tree_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from inference.events import EngineEvent

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals are a POSIX thing")
HELLO = GenerationRequest("r", messages=(Message("user", "hello"),))


def fake(script: str = "") -> LoadOptions:
    return LoadOptions(f"fake:{script}", "native")


def texts(events: Iterable[EngineEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TokenEvent))


def test_loading_tells_its_progress_and_the_facts(client: EngineClient) -> None:
    fractions: list[float] = []

    def note(fraction: float, *_step: str) -> None:
        fractions.append(fraction)

    loaded = client.load(fake("load_s=0.1,context=99"), note)
    assert loaded.n_ctx == 99
    assert loaded == client.loaded
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_a_step_of_loading_that_follows_another_begins_anew(client: EngineClient) -> None:
    told: list[tuple[float, str]] = []
    client.load(fake("compile_s=0.1"), lambda fraction, *step: told.append((fraction, *step)))
    assert told == [
        (1.0, "reading"),
        *((third / 3, "compiling") for third in range(4)),
    ]


def test_nothing_is_loaded_before_load_and_after_close(client: EngineClient) -> None:
    with pytest.raises(InferenceError, match="No model is loaded"):
        _ = client.loaded
    assert [type(event) for event in client.generate(HELLO, CancelToken())] == [Failed]
    client.load(fake())
    client.close()
    client.close()
    assert client.pid is None
    with pytest.raises(InferenceError, match="No model is loaded"):
        client.tokenize("a")


def test_a_load_that_is_refused_raises_the_same_error_and_leaves_no_process(
    client: EngineClient,
) -> None:
    with pytest.raises(CorruptCheckpointError, match="The file is damaged") as caught:
        client.load(fake("load_error=CorruptCheckpoint"))
    assert (caught.value.hint, caught.value.detail) == ("Take another one.", "detail")
    assert client.pid is None
    assert client.load(fake()).name == "Fake"


@pytest.mark.parametrize("stubborn", [0, 1])
def test_a_load_can_be_cancelled_even_when_the_engine_does_not_listen(
    client: EngineClient, stubborn: int
) -> None:
    cancel = CancelToken()
    seen: list[int] = []

    def stop(*_: object) -> None:
        seen.append(client.pid or 0)
        cancel.cancel()

    begun = time.monotonic()
    with pytest.raises(InferenceError, match="stopped"):
        client.load(fake(f"load_s=60,stubborn={stubborn}"), stop, cancel)
    assert time.monotonic() - begun < 10
    assert is_gone(seen[0])


@posix_only
def test_an_engine_that_dies_while_loading_says_why(client: EngineClient) -> None:
    with pytest.raises(EngineCrashedError, match="SIGILL"):
        client.load(fake("crash_load=1,crash=SIGILL"))


def test_kill_in_mid_answer_ends_it_with_the_cause_and_load_starts_anew(
    client: EngineClient,
) -> None:
    client.load(fake("rate=100,tokens=1000"))
    first = client.pid
    events = []
    for event in client.generate(HELLO, CancelToken()):
        events.append(event)
        if len(events) == 20:
            os.kill(client.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    assert isinstance(events[-1], Failed)
    assert events[-1].error == "EngineCrashed"
    if sys.platform != "win32":
        assert "signal 9" in events[-1].message
        assert "memory ran out" in events[-1].message
    assert texts(events)
    assert client.pid is None
    assert isinstance(client.crash, EngineCrashedError)
    again = list(client.generate(HELLO, CancelToken()))
    assert [type(event) for event in again] == [Failed]
    client.load(fake())
    assert client.crash is None
    assert client.pid != first
    assert isinstance(list(client.generate(HELLO, CancelToken()))[-1], Finished)


@posix_only
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGILL", "SIGABRT"])
def test_a_crash_in_native_code_is_named_with_what_the_engine_said(
    client: EngineClient, name: str
) -> None:
    client.load(fake(f"crash_at=5,crash={name}"))
    *before, last = client.generate(HELLO, CancelToken())
    assert len([event for event in before if isinstance(event, TokenEvent)]) == 5
    assert name in last.message
    assert "about to end" in last.detail
    assert "about to end" in client.last_output()


def test_an_engine_that_leaves_with_an_exit_code_says_so(client: EngineClient) -> None:
    client.load(fake("crash_at=0,crash=7"))
    assert "exit code 7" in list(client.generate(HELLO, CancelToken()))[-1].message


def test_stop_acts_within_200_ms_in_a_slow_prefill(client: EngineClient) -> None:
    client.load(fake("prefill_s=30"))
    cancel = CancelToken()
    stopped_at = 0.0
    for event in client.generate(HELLO, cancel):
        if isinstance(event, PromptProgress) and not cancel.cancelled:
            cancel.cancel()
            stopped_at = time.monotonic()
    assert time.monotonic() - stopped_at < 0.2
    assert isinstance(event, Finished)
    assert event.reason == "cancelled"


def test_stop_may_come_from_another_thread(client: EngineClient) -> None:
    client.load(fake("prefill_s=30"))
    cancel = CancelToken()
    timer = threading.Timer(0.1, cancel.cancel)
    timer.start()
    events = list(client.generate(HELLO, cancel))
    timer.join()
    assert events[-1].reason == "cancelled"


def test_breaking_off_cancels_and_the_same_request_id_can_be_used_again(
    client: EngineClient,
) -> None:
    client.load(fake("rate=200,tokens=10000"))
    for event in client.generate(HELLO, CancelToken()):
        if isinstance(event, TokenEvent):
            break
    cancel = CancelToken()
    events = []
    for event in client.generate(HELLO, cancel):
        events.append(event)
        if len(events) == 10:
            cancel.cancel()
    assert [type(event) for event in events[:2]] == [Started, PromptProgress]
    assert next(event.index for event in events if isinstance(event, TokenEvent)) == 0
    assert sum(isinstance(event, Finished | Failed) for event in events) == 1


def test_breaking_off_after_the_engine_has_ended_leaves_the_request_id_free(
    client: EngineClient,
) -> None:
    client.load(fake("tokens=5"))
    for event in client.generate(HELLO, CancelToken()):
        if isinstance(event, TokenEvent):
            time.sleep(0.2)  # the end has long arrived when the iteration is broken off
            break
    assert isinstance(list(client.generate(HELLO, CancelToken()))[-1], Finished)


@pytest.mark.parametrize("end", ["kill", "close"])
def test_an_answer_whose_process_is_ended_on_purpose_ends_as_cancelled(
    client: EngineClient, end: str
) -> None:
    client.load(fake("rate=50,tokens=1000,stubborn=1"))
    events = []
    for event in client.generate(HELLO, CancelToken()):
        events.append(event)
        if len(events) == 5:
            getattr(client, end)()
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "cancelled"
    assert events[-1].usage.completion_tokens == len(events) - 3
    assert client.crash is None


def test_close_kills_an_engine_that_does_not_listen(client: EngineClient) -> None:
    client.load(fake("prefill_s=60,stubborn=1"))
    pid = client.pid
    stream = client.generate(HELLO, CancelToken())
    next(stream)
    begun = time.monotonic()
    client.close()
    assert time.monotonic() - begun < 8
    assert is_gone(pid)
    stream.close()


def test_questions_are_answered_as_the_engine_would(client: EngineClient) -> None:
    client.load(fake())
    pieces = client.tokenize("a b", add_bos=True)
    assert [piece.text for piece in pieces] == ["<bos>", "a", " b"]
    assert client.render((Message("user", "hi"),)).text == "user: hi\n"
    assert len(client.score((1, 2, 3), 4, CancelToken())) == 3


def test_errors_of_questions_keep_their_kind(client: EngineClient) -> None:
    client.load(fake("base=1"))
    with pytest.raises(InferenceError, match="no chat template"):
        client.render((Message("user", "hi"),))


def test_a_text_that_is_not_unicode_ends_in_a_sentence(client: EngineClient) -> None:
    client.load(fake())
    events = list(client.generate(GenerationRequest("r", text="\udcff"), CancelToken()))
    assert [type(event) for event in events] == [Failed]
    assert "cannot be sent" in events[0].message


def test_what_libraries_print_is_kept_to_the_last_200_lines(client: EngineClient) -> None:
    client.load(fake("output=hello from below"))
    client.close()
    assert "hello from below" in client.last_output()
    lines = "".join(f"line {index}\n" for index in range(500))
    client.load(fake("output=" + lines))
    client.close()
    kept = client.last_output().splitlines()
    assert len(kept) <= 200
    assert "line 499" in kept


def test_memory_of_the_process_is_measured(client: EngineClient) -> None:
    assert client.memory_bytes() == 0
    client.load(fake("memory_mb=64"))
    assert client.memory_bytes() > 64 << 20
    assert client.peak_memory_bytes() >= client.memory_bytes() * 0.9


def test_the_highest_memory_is_that_of_the_engine_not_of_who_began_it(
    client: EngineClient,
) -> None:
    ballast = bytearray(os.urandom(1 << 20) * 300)
    client.load(fake())
    assert client.memory_bytes() * 0.9 <= client.peak_memory_bytes() < len(ballast)


def test_switching_models_gives_the_memory_of_the_first_one_back(client: EngineClient) -> None:
    before = tree_bytes()
    client.load(fake("memory_mb=96"))
    first, with_first = client.pid, tree_bytes()
    assert with_first - before > 96 << 20
    client.load(fake())
    assert is_gone(first)
    assert with_first - tree_bytes() > 90 << 20
    client.close()
    assert tree_bytes() - before < 8 << 20


def test_an_engine_outlives_the_thread_that_loaded_it(client: EngineClient) -> None:
    loader = threading.Thread(target=lambda: client.load(fake()))
    loader.start()
    loader.join()
    time.sleep(0.3)  # Linux would have sent the parent-death signal of that thread by now
    assert isinstance(list(client.generate(HELLO, CancelToken()))[-1], Finished)


def test_a_long_answer_costs_little_per_token(client: EngineClient) -> None:
    client.load(fake("tokens=5000"))
    begun = time.monotonic()
    events = list(client.generate(HELLO, CancelToken()))
    seconds = time.monotonic() - begun
    assert len(events) == 5003
    assert seconds / 5000 < 0.0005  # measured: 0.02 ms; the budget is 0.2 ms on a quiet machine


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_engine_inherits_no_stray_files(client: EngineClient, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as stray:
        os.set_inheritable(stray.fileno(), True)
        client.load(fake())
        folder = pathlib.Path(f"/proc/{client.pid}/fd")
        targets = [str(entry.readlink()) for entry in folder.iterdir()]
    assert not [target for target in targets if "secret" in target]
    assert len(targets) <= 8


def test_the_folder_one_stands_in_cannot_replace_a_library(
    client: EngineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert client.load(fake()).name == "Fake"


def test_a_program_that_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(BackendUnavailableError, match="cannot be started"):
        EngineClient().load(fake())
    assert not [t for t in threading.enumerate() if t.name.startswith("engine-")]


def test_a_frozen_application_starts_itself_with_its_hidden_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    command = spawn.engine_command("module:function")
    assert command[:2] == [sys.executable, "engine-process"]
    assert command[2:] == ["--factory", "module:function"]


def test_a_reply_that_is_none_ends_the_process_and_is_told(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "inference.host.client.engine_command",
        lambda *_: [sys.executable, "-c", "import time; print('nonsense'); time.sleep(60)"],
    )
    with pytest.raises(EngineCrashedError):
        client.load(fake())


def test_a_command_that_is_none_ends_the_server() -> None:
    popen = spawn.spawn(spawn.engine_command("tests.helpers.fake_engine:open_engine"))
    _, errors = popen.communicate(b"\x00\x00\x00\x02hi", timeout=20)
    assert popen.returncode == 3
    assert b"not a command" in errors


def test_the_process_ends_at_once_when_its_command_pipe_does(client: EngineClient) -> None:
    client.load(fake("prefill_s=60,stubborn=1"))
    pid = client.pid
    stream = client.generate(HELLO, CancelToken())
    next(stream)
    client._process._popen.stdin.close()
    assert gone_within(pid, 3)
    stream.close()


@posix_only
def test_closing_ends_a_process_that_hangs_with_its_pipe_full(client: EngineClient) -> None:
    client.load(fake())
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    ends: list[InferenceError] = []

    def ask() -> None:
        try:
            client.tokenize("x" * 1_000_000)
        except InferenceError as exc:
            ends.append(exc)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 10
    asking.join(10)
    assert not asking.is_alive()
    assert is_gone(pid)
    assert len(ends) == 1


@posix_only
def test_a_model_whose_name_is_no_text_is_refused_with_a_next_step(client: EngineClient) -> None:
    with pytest.raises(InferenceError, match="name of this model") as caught:
        client.load(LoadOptions("/models/b\udcffd.gguf", "gguf"))
    assert "Rename" in caught.value.hint
    assert client.pid is None
