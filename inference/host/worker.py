"""The one thread of the engine process that owns the engine: takes jobs in order, sends replies.

Knows neither pipes nor frames. Every job is answered exactly once (a stream: ends exactly once),
whatever an engine does.
"""

from __future__ import annotations

import importlib
import threading
import traceback
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias, cast

from inference.cancel import CancelToken
from inference.errors import (
    BackendUnavailableError,
    InferenceError,
    OutOfMemoryError,
    UnsupportedRequestError,
    wire_name,
)
from inference.events import Failed, Finished, failed
from inference.host.protocol import (
    Beams,
    Done,
    Forget,
    FrameError,
    Generate,
    Inspect,
    Inspected,
    Load,
    Loaded,
    LoadProgress,
    Prompt,
    Refused,
    Render,
    Rest,
    Score,
    Scores,
    ShowBeams,
    Tokenize,
    Tokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.engine import Engine, LoadSink, OpenEngine
    from inference.host.protocol import Command, Reply
    from inference.types import EngineKind, GenerationRequest, LoadOptions, LoadStep

Send: TypeAlias = "Callable[[Reply], None]"
_PROGRESS_STEP = 0.01
_IDLE_S = 0.2  # then what was read is put away, until the next job comes


@dataclass(frozen=True, slots=True)
class Job:
    """A command on its way through the worker; ``done`` is called when it has been answered."""

    command: Command
    cancel: CancelToken
    done: Callable[[], None]


class _NextJob(CancelToken):
    """Cancelled while a job waits: work done in between makes way for it."""

    __slots__ = ("_jobs",)

    def __init__(self, jobs: SimpleQueue[Job | None]) -> None:
        super().__init__()
        self._jobs = jobs

    @property
    def cancelled(self) -> bool:
        """Whether a job waits."""
        return not self._jobs.empty()


def open_real_engine(options: LoadOptions, progress: LoadSink, cancel: CancelToken) -> Engine:
    """Open one of the two real engines, importing only the one that is needed.

    Raises:
        InferenceError: One of its children, ``BackendUnavailableError`` where a library is missing.
    """
    try:
        opener = _import_engine(options.engine)
    except (ImportError, OSError, RuntimeError) as exc:  # RuntimeError: libraries' own loaders
        raise BackendUnavailableError(
            f"The {options.engine} engine is not completely installed.",
            "Run `glasshouse doctor` to see what is missing.",
            str(exc),
        ) from exc
    return opener(options, progress, cancel)


def _import_engine(kind: EngineKind) -> OpenEngine:
    if kind == "gguf":
        from inference.gguf.engine import open_engine as open_gguf  # noqa: PLC0415  heavy

        return open_gguf
    from inference.native.engine import open_engine as open_native  # noqa: PLC0415  heavy

    return open_native


def load_factory(name: str) -> OpenEngine:
    """Import ``module:function``."""
    module, _, function = name.partition(":")
    return cast("OpenEngine", getattr(importlib.import_module(module), function))


class EngineWorker:
    """Owns the engine for life.

    Args:
        send: Takes replies; called from the worker thread only.
        open_engine: Called for ``Load``.
    """

    def __init__(self, send: Send, open_engine: OpenEngine) -> None:
        self._send = send
        self._open_engine = open_engine
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._engine: Engine | None = None
        self._thread = threading.Thread(target=self._run, name="engine-worker", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; may be called from any thread."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what is queued, free the model and wait; the parent sets the time limit."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next_job()) is not None:
            try:
                if isinstance(job.command, Generate):
                    if job.command.cancelled:
                        job.cancel.cancel()
                    self._generate(job.command.request, job.cancel)
                else:
                    self._answer(job)
            finally:
                job.done()
        if self._engine is not None:
            self._engine.close()

    def _next_job(self) -> Job | None:
        """Wait for a job; a pause is used to put away what was read."""
        try:
            return self._jobs.get(timeout=_IDLE_S)
        except Empty:
            if self._engine is not None:
                self._rest(self._engine)
        return self._jobs.get()

    def _rest(self, engine: Engine) -> None:
        try:
            engine.rest(_NextJob(self._jobs))
        except Exception:  # noqa: BLE001  nobody asked for it, and answers matter more
            traceback.print_exc()

    def _answer(self, job: Job) -> None:
        command = job.command
        job_id = getattr(command, "id", "")
        try:
            self._send(self._reply(command, job.cancel))
        except Exception as exc:  # noqa: BLE001  the edge of the process: every job is answered
            error = _as_known(exc)
            self._send(Refused(job_id, wire_name(error), error.message, error.hint, error.detail))

    def _reply(self, command: Command, cancel: CancelToken) -> Reply:
        if isinstance(command, Load):
            return self._load(command, cancel)
        engine = self._loaded_engine()
        reply: Reply
        match command:
            case Tokenize(id=job_id, text=text):
                pieces = engine.tokenize(
                    text, add_bos=command.add_bos, parse_special=command.parse_special
                )
                reply = Tokens(job_id, pieces)
            case Render(id=job_id):
                prompt = engine.render(command.messages, command.template_variables)
                reply = Prompt(job_id, prompt)
            case Score(id=job_id):
                reply = Scores(job_id, engine.score(command.token_ids, command.top_n, cancel))
            case ShowBeams(id=job_id, request_id=request_id):
                reply = Beams(job_id, engine.beam_tree(request_id))
            case Inspect(id=job_id, question=question):
                reply = Inspected(job_id, engine.inspect(question, cancel))
            case Forget() | Rest():
                reply = self._put_away(command, cancel)
            case _:
                raise UnsupportedRequestError("The engine does not know this command.")
        return reply

    def _put_away(self, command: Forget | Rest, cancel: CancelToken) -> Reply:
        engine = self._loaded_engine()
        if isinstance(command, Forget):
            engine.forget(command.cache_key)
        else:
            engine.rest(cancel)
        return Done(command.id)

    def _load(self, command: Load, cancel: CancelToken) -> Reply:
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        told, told_of = -1.0, ""

        def progress(fraction: float, step: LoadStep = "reading") -> None:
            nonlocal told, told_of
            if step != told_of or fraction - told >= _PROGRESS_STEP or fraction >= 1.0 > told:
                told, told_of = fraction, step
                self._send(LoadProgress(command.id, fraction, step))

        self._engine = self._open_engine(command.options, progress, cancel)
        return Loaded(command.id, self._engine.loaded)

    def _generate(self, request: GenerationRequest, cancel: CancelToken) -> None:
        send = self._send
        try:
            for event in self._loaded_engine().generate(request, cancel):
                send(event)
                if isinstance(event, Finished | Failed):
                    return
            error: InferenceError = InferenceError("The engine ended without saying how.")
        except Exception as exc:  # noqa: BLE001  the edge of the process: every stream ends
            error = _as_known(exc)
        send(failed(request.request_id, error))

    def _loaded_engine(self) -> Engine:
        if self._engine is None:
            raise InferenceError("No model is loaded.", "Load a model first.")
        return self._engine


def _as_known(exc: Exception) -> InferenceError:
    """Translate what is not meant for a person; anything unknown is a bug and says so."""
    if isinstance(exc, InferenceError):
        return type(exc)(_as_text(exc.message), _as_text(exc.hint), _as_text(exc.detail))
    detail = _as_text("".join(traceback.format_exception(exc)))
    if isinstance(exc, MemoryError):
        return OutOfMemoryError(
            "Memory ran out.", "Take a smaller model or a shorter context.", detail
        )
    if isinstance(exc, FrameError):
        return UnsupportedRequestError(
            "The answer to this request is too large.", "Ask for fewer tokens.", detail
        )
    return InferenceError(
        "The engine met a problem that it does not know.",
        "Try again. If it stays, report it with the details below.",
        detail,
    )


def _as_text(text: str) -> str:
    """Return what can be sent: names in damaged files may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()
