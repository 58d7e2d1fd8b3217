"""The thread that drives one engine client, so that the window never waits.

It takes commands from a queue, holds plain values only, and posts what happens to a sink (the
event bridge). A second thread looks at the engine process now and then: is it there, how large.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from inference.cancel import CancelToken
from inference.engine import Engine
from inference.errors import EngineCrashedError, InferenceError, OutOfMemoryError, from_wire
from inference.events import Failed, TokenEvent, failed
from inference.library.scan import stamp_of
from inference.prompt.turn_stops import with_turn_stops

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.engine import LoadSink
    from inference.library.scan import Stamp
    from inference.library.smaller import Smaller
    from inference.types import GenerationRequest, LoadedModel, LoadOptions, LoadStep

    Proposer: TypeAlias = Callable[[LoadOptions, int, int], Smaller | None]

_log = logging.getLogger(__name__)

LOOK_S = 0.5
_LOOKS_PER_MEASURE = 4  # memory about every two seconds


class EngineClientLike(Engine, Protocol):
    """What the worker needs of ``inference.host.client.EngineClient``: engine and process."""

    def load(
        self,
        options: LoadOptions,
        progress: LoadSink | None = None,
        cancel: CancelToken | None = None,
    ) -> LoadedModel:
        """Start a process and bring a model into it."""
        ...

    @property
    def crash(self) -> InferenceError | None:
        """Why the process ended by itself."""
        ...

    def memory_bytes(self) -> int:
        """Resident memory of the process now."""
        ...

    def kill(self) -> None:
        """End the process now; from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class LoadProgressed:
    """``fraction`` of a step of load ``job`` is done."""

    job: int
    fraction: float
    step: LoadStep


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """Load ``job`` is done, of the files of that stamp."""

    job: int
    loaded: LoadedModel
    memory_bytes: int
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """Load ``job`` ended without a model; ``cancelled`` when that was asked for.

    ``smaller`` is a way that needs less memory, where memory ran out.
    """

    job: int
    error: InferenceError
    cancelled: bool
    smaller: Smaller | None = None


@dataclass(frozen=True, slots=True)
class ModelUnloaded:
    """The process is gone because it was asked to go."""

    job: int


@dataclass(frozen=True, slots=True)
class MemoryMeasured:
    """Resident memory of the engine process."""

    memory_bytes: int


@dataclass(frozen=True, slots=True)
class EngineEnded:
    """The engine process of load ``job`` is gone by itself."""

    job: int
    error: InferenceError
    smaller: Smaller | None = None


@dataclass(frozen=True, slots=True)
class SmallerFound:
    """Memory ran out in an answer, whose end follows; this way needs less, if there is one."""

    smaller: Smaller | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Question ``job`` to the engine has been answered, with a result or an error."""

    job: int
    result: object = None
    error: InferenceError | None = None


WorkerEvent: TypeAlias = (
    LoadProgressed
    | ModelLoaded
    | LoadFailed
    | ModelUnloaded
    | MemoryMeasured
    | EngineEnded
    | SmallerFound
)


Operation: TypeAlias = "Callable[[EngineClientLike, CancelToken], object]"
"""Asks an engine client for something; runs in the worker thread."""


class Sink(Protocol):
    """``EventBridge.post``."""

    def __call__(self, event: object, cancel: CancelToken | None = None) -> bool:
        """Take an event; may wait."""
        ...


class EngineWorker:
    """Owns one client for life; its methods return at once and may be called from the GUI thread.

    Args:
        client_factory: Makes the client.
        sink: Where events go.
        look_s: Seconds between two looks at the process.
        propose: Finds a way to load with less memory: options, layers on a GPU, and bytes that the
            model still holds; called in a thread of the worker.
    """

    def __init__(
        self,
        client_factory: Callable[[], EngineClientLike],
        sink: Sink,
        look_s: float = LOOK_S,
        propose: Proposer | None = None,
    ) -> None:
        self._client = client_factory()
        self._sink = sink
        self._look_s = look_s
        self._propose = propose or propose_smaller
        self._options: LoadOptions | None = None
        self._on_gpu = 0
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closing = CancelToken()
        self._asking = CancelToken()  # of the question under way
        self._watched_job: int | None = None
        self._request_id = ""
        self._answering = threading.Lock()  # held while the request's name changes
        self._threads = (
            threading.Thread(target=self._work, name="engine-worker", daemon=True),
            threading.Thread(target=self._watch, name="engine-watch", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def load(self, job: int, options: LoadOptions, cancel: CancelToken) -> None:
        """Bring a model into memory; the one before is given up first."""
        self._commands.put(lambda: self._load(job, options, cancel))

    def answer(
        self, request: GenerationRequest, cancel: CancelToken, continue_from: str = ""
    ) -> None:
        """Answer a request; with ``continue_from`` the model goes on writing after that text."""
        self._commands.put(lambda: self._answer(request, cancel, continue_from))

    def ask(self, job: int, operation: Operation, cancel: CancelToken) -> None:
        """Run ``operation`` with the client between two answers; its result comes as ``Asked``."""
        self._commands.put(lambda: self._ask(job, operation, cancel))

    def forget(self, cache_key: str | None) -> None:
        """Drop what the engine keeps of one chat, or of all; without an engine nothing is done."""
        self._commands.put(lambda: self._forget(cache_key))

    def unload(self, job: int) -> None:
        """End the engine process."""
        self._commands.put(lambda: self._unload(job))

    def kill_answer(self, request_id: str) -> bool:
        """End the engine process now if it is still busy with that request; return whether."""
        with self._answering:  # else the process might already hold another model
            busy = self._request_id == request_id != ""
            if busy:
                self._client.kill()
        return busy

    def close(self, timeout_s: float) -> None:
        """End process and threads: ask, and kill what has not gone after ``timeout_s``."""
        self._closing.cancel()
        self._asking.cancel()
        self._commands.put(None)
        worker, watch = self._threads
        worker.join(timeout_s)
        if worker.is_alive():
            self._client.kill()
            worker.join(timeout_s)
        watch.join(timeout_s)

    # --- in the worker thread --------------------------------------------------------------

    def _work(self) -> None:
        while (command := self._commands.get()) is not None and not self._closing.cancelled:
            command()
        self._watched_job = None
        self._client.close()

    def _load(self, job: int, options: LoadOptions, cancel: CancelToken) -> None:
        client = self._client
        self._watched_job = None
        self._options, self._on_gpu = options, 0
        if cancel.cancelled:
            client.close()
            self._post(LoadFailed(job, InferenceError("Loading was stopped."), cancelled=True))
            return
        stamp = stamp_of(Path(options.path))
        try:
            loaded = client.load(options, self._telling(job, cancel), cancel)
        except InferenceError as error:
            smaller = None if cancel.cancelled else self._smaller(error)
            self._post(LoadFailed(job, error, cancel.cancelled, smaller))
        except Exception as exc:  # noqa: BLE001  an edge: the window must not wait for ever
            _log.exception("loading ended with a bug")
            self._post(LoadFailed(job, _bug(exc), cancel.cancelled))
        else:
            self._on_gpu = loaded.gpu_layers
            self._post(ModelLoaded(job, loaded, client.memory_bytes(), stamp))
            self._watched_job = job

    def _telling(self, job: int, cancel: CancelToken) -> LoadSink:
        def tell(fraction: float, step: LoadStep = "reading") -> None:
            self._sink(LoadProgressed(job, fraction, step), cancel)

        return tell

    def _answer(self, request: GenerationRequest, cancel: CancelToken, continue_from: str) -> None:
        self._request_id = request.request_id
        try:
            if continue_from:
                request = self._continued(request, continue_from)
            for event in self._client.generate(request, cancel):
                if isinstance(event, Failed):
                    self._look_for_smaller(event)
                # Tokens may be dropped once a stop was asked for; an end never is.
                self._sink(event, cancel if isinstance(event, TokenEvent) else self._closing)
        except InferenceError as exc:
            self._post(failed(request.request_id, exc))
        except Exception as exc:  # noqa: BLE001  an edge: the answer must end
            _log.exception("answering ended with a bug")
            self._post(failed(request.request_id, _bug(exc)))
        finally:
            with self._answering:
                self._request_id = ""

    def _continued(self, request: GenerationRequest, text: str) -> GenerationRequest:
        """Put the text so far behind the rendered prompt, token by token."""
        client = self._client
        prompt = client.render(request.messages or (), request.template_variables)
        ids = tuple(piece.id for piece in (*prompt.tokens, *client.tokenize(text)))
        ending = with_turn_stops(request, client.loaded.turn_stops)
        return msgspec.structs.replace(ending, messages=None, token_ids=ids)

    def _look_for_smaller(self, event: Failed) -> None:
        error = from_wire(event.error, event.message)
        crash = self._client.crash
        self._post(SmallerFound(self._smaller(crash if crash is not None else error)))

    def _smaller(self, error: InferenceError) -> Smaller | None:
        """Find a way to load with less memory, where that is what ran out."""
        starved = isinstance(error, EngineCrashedError) and error.starved
        if self._options is None or not (starved or isinstance(error, OutOfMemoryError)):
            return None
        return self._propose(self._options, self._on_gpu, self._client.memory_bytes())

    def _ask(self, job: int, operation: Operation, cancel: CancelToken) -> None:
        self._asking = cancel
        try:
            if cancel.cancelled or self._closing.cancelled:
                raise InferenceError("This was given up.")  # noqa: TRY301  one way to say so
            self._post(Asked(job, operation(self._client, cancel)))
        except InferenceError as error:
            self._post(Asked(job, error=error))
        except Exception as exc:  # noqa: BLE001  an edge: whoever asked must hear of it
            _log.exception("a question to the engine ended with a bug")
            self._post(Asked(job, error=_bug(exc)))

    def _forget(self, cache_key: str | None) -> None:
        try:
            self._client.forget(cache_key)
        except InferenceError as exc:  # no model is loaded, so nothing of it is kept in memory
            _log.info("nothing to forget: %s", exc)

    def _unload(self, job: int) -> None:
        self._watched_job = None
        self._client.close()
        self._post(ModelUnloaded(job))

    def _post(self, event: object) -> None:
        """Post what must arrive: only closing makes it superfluous."""
        self._sink(event, self._closing)

    # --- in the watching thread ------------------------------------------------------------

    def _watch(self) -> None:
        looks = 0
        while not self._closing.wait(self._look_s):
            job, client = self._watched_job, self._client
            if job is None:
                continue
            error = client.crash
            if error is not None:
                # An answer under way tells its own end first; it may even have been complete.
                if not self._request_id:
                    self._watched_job = None
                    self._post(EngineEnded(job, error, self._smaller(error)))
                continue
            looks += 1
            if looks % _LOOKS_PER_MEASURE == 0:
                self._post(MemoryMeasured(client.memory_bytes()))


def propose_smaller(options: LoadOptions, on_gpu: int, held_bytes: int) -> Smaller | None:
    """Find the mildest way to load that fits into what is free and what the model still holds."""
    from inference.library.machine import this_machine  # noqa: PLC0415  rarely needed
    from inference.library.smaller import smaller  # noqa: PLC0415  as above

    machine = this_machine()
    free = msgspec.structs.replace(machine, free_bytes=machine.free_bytes + held_bytes)
    return smaller(options, free, on_gpu)


def _bug(exc: Exception) -> InferenceError:
    return InferenceError(
        "The engine stopped for a reason it did not give.",
        "Try again. If it happens every time, the log has the details.",
        repr(exc),
    )
