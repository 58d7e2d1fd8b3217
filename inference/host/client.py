"""``EngineClient``: an engine like any other, whose model lives in a process of its own.

Every load starts a fresh process, and the process before it is ended first: that is the only sure
way to get memory back. A process that dies ends the answer under way with ``Failed``; the next
``load`` starts anew. Importing this module imports no engine.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TYPE_CHECKING, TypeVar

from inference.cancel import CancelToken
from inference.errors import (
    EngineCrashedError,
    InferenceError,
    UnsupportedRequestError,
    from_wire,
)
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent, failed
from inference.host.process import Ended, EngineProcess
from inference.host.protocol import (
    Beams,
    Cancel,
    Done,
    Forget,
    Generate,
    Inspect,
    Inspected,
    Load,
    Loaded,
    LoadProgress,
    Memory,
    MemoryUse,
    Prompt,
    Refused,
    Render,
    Rest,
    Score,
    Scores,
    ShowBeams,
    Shutdown,
    Tokenize,
    Tokens,
)
from inference.host.spawn import engine_command
from inference.types import Timings, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from queue import SimpleQueue

    from inference.engine import LoadSink
    from inference.events import EngineEvent
    from inference.host.process import Mail
    from inference.host.protocol import Command
    from inference.inside.questions import Finding, Question
    from inference.types import (
        BeamTree,
        Candidate,
        GenerationRequest,
        LoadedModel,
        LoadOptions,
        LoadStep,
        Message,
        RenderedPrompt,
        TokenPiece,
    )

_POLL_S = 0.02
_PATIENCE_S = 2.0
_ReplyT = TypeVar("_ReplyT")


class EngineClient:
    """Implements ``inference.engine.Engine`` remotely.

    Requests come from one thread at a time, as for every engine; ``kill``, ``close``, ``pid``,
    ``memory_bytes``, ``last_output`` and every ``CancelToken`` may be used from any thread.

    Args:
        factory: ``module:function`` that opens engines instead of the two real ones.
    """

    def __init__(self, factory: str | None = None) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._process: EngineProcess | None = None
        self._loaded: LoadedModel | None = None
        self._output = ""
        self._ids = itertools.count(1)

    # --- the process -----------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Process id of the engine, ``None`` while there is none."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    @property
    def crash(self) -> InferenceError | None:
        """Why the process ended by itself; ``None`` while it runs or after ``close``."""
        process = self._process
        ended = process.ended if process is not None else None
        return ended.error if ended is not None else None

    def memory_bytes(self) -> int:
        """Return resident memory of the engine process now, 0 while there is none."""
        pid = self.pid
        if pid is None:
            return 0
        import psutil  # noqa: PLC0415  only when asked: start-up stays light

        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:  # it ended this moment
            return 0

    def peak_memory_bytes(self) -> int:
        """Return the highest resident memory of the engine process so far."""
        return self._ask(Memory, MemoryUse).peak_bytes

    def last_output(self) -> str:
        """Return the last lines that the engine's libraries printed, also after its end."""
        process = self._process
        return process.last_output() if process is not None else self._output

    def kill(self) -> None:
        """End the process now; an answer under way ends as cancelled."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process: ask, kill after 2 s, wait. Twice is harmless."""
        with self._lock:
            process, self._process = self._process, None
            self._loaded = None
        if process is None:
            return
        process.expect_end()
        # Even saying goodbye can block: a process that hangs leaves its pipe full.
        killer = threading.Timer(_PATIENCE_S, process.kill)
        killer.daemon = True
        killer.start()
        process.send(Shutdown())
        process.wait(2 * _PATIENCE_S)
        killer.cancel()
        killer.join()
        self._output = process.last_output()

    # --- the engine --------------------------------------------------------------------------

    def load(
        self,
        options: LoadOptions,
        progress: LoadSink | None = None,
        cancel: CancelToken | None = None,
    ) -> LoadedModel:
        """Start a process and bring a model into it; a model held before is given up first.

        Args:
            options: What and how.
            progress: Called in this thread.
            cancel: Stops loading; a process that does not react within 2 s is ended.

        Raises:
            InferenceError: One of its children; the process is gone then.
        """
        cancel = cancel or CancelToken()
        _check_path(options)
        self.close()
        process = EngineProcess(engine_command(self._factory))
        with self._lock:
            self._process = process
        try:
            loaded = self._load_in(process, options, progress or _ignore, cancel)
        except BaseException:
            self.close()
            raise
        self._loaded = loaded
        return loaded

    @property
    def loaded(self) -> LoadedModel:
        """Facts about the loaded model.

        Raises:
            InferenceError: There is none.
        """
        if self._loaded is None:
            raise _no_model()
        return self._loaded

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Answer one request, in the grammar of ``inference.events``.

        If the process dies the last event is ``Failed`` with ``EngineCrashed`` and the cause; if
        it was ended on purpose (``kill``, ``close``) the answer ends as cancelled.
        """
        process = self._process
        if process is None:
            yield failed(request.request_id, _no_model())
            return
        answer = _Answer(request.request_id)
        try:
            with process.mailbox(request.request_id) as mailbox:
                process.send(Generate(request, cancel.cancelled))
                with _cancelling(process, mailbox, answer):
                    for mail in _receive(process, mailbox, request.request_id, cancel):
                        event = answer.take(mail)
                        yield event
                        if answer.ended:
                            return
        except InferenceError as exc:
            yield failed(request.request_id, exc)

    def tokenize(
        self, text: str, *, add_bos: bool = False, parse_special: bool = False
    ) -> tuple[TokenPiece, ...]:
        """Split a text into tokens; see ``Engine``."""
        reply = self._ask(lambda job_id: Tokenize(job_id, text, add_bos, parse_special), Tokens)
        return reply.pieces

    def render(
        self,
        messages: tuple[Message, ...],
        template_variables: dict[str, bool | int | str] | None = None,
    ) -> RenderedPrompt:
        """Show the exact prompt a conversation becomes; see ``Engine``."""
        variables = dict(template_variables or {})
        return self._ask(lambda job_id: Render(job_id, messages, variables), Prompt).prompt

    def score(
        self, token_ids: tuple[int, ...], top_n: int, cancel: CancelToken
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return the likeliest next tokens after each position; see ``Engine``."""
        return self._ask(lambda job_id: Score(job_id, token_ids, top_n), Scores, cancel).rows

    def beam_tree(self, request_id: str) -> BeamTree:
        """Return what beam search looked at for an answer; see ``Engine``."""
        return self._ask(lambda job_id: ShowBeams(job_id, request_id), Beams).tree

    def forget(self, cache_key: str | None) -> None:
        """Drop what is kept of one chat, or of all; see ``Engine``."""
        self._ask(lambda job_id: Forget(job_id, cache_key), Done)

    def rest(self, cancel: CancelToken) -> None:
        """Write kept work to the disk now; see ``Engine``. When idle it is done without asking."""
        self._ask(Rest, Done, cancel)

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        """Look inside the model; see ``Engine``."""
        return self._ask(lambda job_id: Inspect(job_id, question), Inspected, cancel).finding

    # --- inside ------------------------------------------------------------------------------

    def _ask(
        self,
        command: Callable[[str], Command],
        kind: type[_ReplyT],
        cancel: CancelToken | None = None,
    ) -> _ReplyT:
        process = self._process
        if process is None:
            raise _no_model()
        job_id = self._new_id()
        with process.mailbox(job_id) as mailbox:
            process.send(command(job_id))
            for mail in _receive(process, mailbox, job_id, cancel or CancelToken()):
                if isinstance(mail, kind):
                    return mail
                raise _as_error(mail)
        raise AssertionError  # _receive never ends by itself

    def _load_in(
        self,
        process: EngineProcess,
        options: LoadOptions,
        progress: LoadSink,
        cancel: CancelToken,
    ) -> LoadedModel:
        job_id = self._new_id()
        with process.mailbox(job_id) as mailbox:
            process.send(Load(job_id, options))
            for mail in _receive(process, mailbox, job_id, cancel, kill_after_s=_PATIENCE_S):
                if isinstance(mail, Loaded):
                    return mail.model
                if not isinstance(mail, LoadProgress):
                    raise _as_error(mail)
                progress(mail.fraction, mail.step)
        raise AssertionError  # _receive never ends by itself

    def _new_id(self) -> str:
        return f"client-{next(self._ids)}"


class _Answer:
    """What one answer has brought so far, so that an end from outside can be told properly."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self._started: Started | None = None
        self._tokens = 0
        self.ended = False

    def take(self, mail: Mail) -> EngineEvent:
        match mail:
            case TokenEvent():
                self._tokens += 1
                return mail
            case Started():
                self._started = mail
                return mail
            case PromptProgress():
                return mail
            case Finished() | Failed():
                self.ended = True
                return mail
            case Ended(error=None):
                self.ended = True
                return self._cut_off()
            case _:
                self.ended = True
                return failed(self.request_id, _as_error(mail))

    def _cut_off(self) -> EngineEvent:
        """The process was ended on purpose: an end, not an error, once the answer had begun."""
        if self._started is None:
            return failed(self.request_id, _stopped())
        usage = Usage(self._started.prompt_tokens, self._tokens, self._started.reused_tokens)
        return Finished(self.request_id, "cancelled", usage, Timings())


@contextmanager
def _cancelling(
    process: EngineProcess, mailbox: SimpleQueue[Mail], answer: _Answer
) -> Iterator[None]:
    """Ask the engine to stop when the iteration is broken off before its end."""
    try:
        yield
    finally:
        if not answer.ended:
            process.abandon(answer.request_id, mailbox)
            process.send(Cancel(answer.request_id))


def _receive(
    process: EngineProcess,
    mailbox: SimpleQueue[Mail],
    job_id: str,
    cancel: CancelToken,
    kill_after_s: float | None = None,
) -> Iterator[Mail]:
    """Yield mail as it comes; pass a cancel on once, and end a process that ignores it."""
    asked_at = 0.0
    while True:
        if cancel.cancelled and not asked_at:
            process.send(Cancel(job_id))
            asked_at = time.monotonic()
        if asked_at and kill_after_s and time.monotonic() - asked_at >= kill_after_s:
            process.kill()
        with suppress(Empty):
            yield mailbox.get(timeout=_POLL_S)


def _as_error(mail: Mail) -> InferenceError:
    match mail:
        case Refused():
            return from_wire(mail.error, mail.message, mail.hint, mail.detail)
        case Ended(error=error):
            return error or _stopped()
        case _:
            return EngineCrashedError("The engine gave an answer to another question.")


def _check_path(options: LoadOptions) -> None:
    try:
        f"{options.path}{options.draft}".encode()
    except UnicodeEncodeError as exc:  # POSIX allows file names that are no text
        raise UnsupportedRequestError(
            "The name of this model's file or folder is not text that the engine can be told.",
            "Rename it, or the folder it is in, and try again.",
            str(exc),
        ) from exc


def _stopped() -> InferenceError:
    return InferenceError("The engine was stopped.", "Load the model again to go on.")


def _no_model() -> InferenceError:
    return InferenceError("No model is loaded.", "Load a model first.")


def _ignore(fraction: float, step: LoadStep = "reading") -> None:
    del fraction, step
