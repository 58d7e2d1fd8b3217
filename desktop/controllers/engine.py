"""``EngineController``: which model is in memory, and the one answer it may be giving.

A state machine fed by the worker's events. It does not know chats.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.controllers import choosing
from desktop.controllers.engine_worker import (
    EngineClientLike,
    EngineEnded,
    EngineWorker,
    LoadFailed,
    LoadProgressed,
    MemoryMeasured,
    ModelLoaded,
    ModelUnloaded,
    SmallerFound,
)
from desktop.controllers.idle import IdleWatch
from desktop.controllers.model_rows import ModelRows
from desktop.controllers.problems import idle_problem, loading_problem
from desktop.controllers.shelf import LibraryLike, ModelShelf
from desktop.values import EngineState, Models, Problem
from inference.cancel import CancelToken
from inference.errors import from_wire
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine_worker import Operation, Proposer
    from desktop.store.settings import Settings
    from inference.events import EngineEvent
    from inference.library.smaller import Smaller
    from inference.types import GenerationRequest, LoadOptions, ModelInfo

_STOP_PATIENCE_MS = 5_000  # then the process is ended; the model comes back with the next message
_SWITCH_PATIENCE_MS = 2_000
_CLOSE_PATIENCE_S = 2.0
_EMPTY_PATIENCE_S = 5.0
_SAME_MEMORY_BYTES = 1 << 20


class EngineController(QObject):
    """Loads, unloads and answers through one engine worker.

    Args:
        client_factory: Makes the engine client.
        library: What is installed.
        bridge: Where the worker posts.
        tasks: For the library's work.
        settings: The settings as they are now.
        propose: Finds a way to load with less memory, see ``EngineWorker``.
        parent: Qt parent.
    """

    state_changed = Signal(object)
    models_changed = Signal(object)
    model_loaded = Signal(str)
    model_removed = Signal(str, str, object)  # id, name, bytes: too many for Qt's int
    problem_raised = Signal(object)
    answer_event_received = Signal(object)
    """An ``EngineEvent`` of the answer under way, in order."""

    def __init__(
        self,
        client_factory: Callable[[], EngineClientLike],
        library: LibraryLike,
        bridge: EventBridge,
        tasks: TaskRunner,
        settings: Callable[[], Settings],
        *,
        propose: Proposer | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.settings = settings
        self._state = EngineState()
        self._untold: list[tuple[EngineState, bool]] = []
        self._job = 0
        self._load_cancel = CancelToken()
        self._answer_cancel = CancelToken()
        self._answer_id = ""
        self._options: LoadOptions | None = None
        self._closed = False
        self._killed = False
        self._remove_when_unloaded: dict[int, str] = {}  # model ids by the job that unloads
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._on_patience_over)
        self.shelf = ModelShelf(library, tasks, self)
        self._rows = ModelRows(self.shelf)
        self.shelf.listed.connect(self._emit_models)
        self.shelf.removed.connect(self.model_removed)
        self.shelf.problem_raised.connect(self.problem_raised)
        self.idle = IdleWatch(lambda: settings().engine.unload_after_min, self)
        self.idle.rest_due.connect(self._rest)
        self.smaller: Smaller | None = None
        """How the model could go on after memory ran out in an answer."""
        bridge.batch_received.connect(self._on_batch)
        self._worker = EngineWorker(client_factory, bridge.post, propose=propose)
        self.forget = self._worker.forget  # drops what is kept of a chat, or (None) of all

    # --- what views ask --------------------------------------------------------------------

    def state(self) -> EngineState:
        """What the engine is doing."""
        return self._state

    def models(self) -> Models:
        """Everything installed, with what is in memory."""
        return self._rows.rows(self._state, self._is_stale)

    @property
    def options(self) -> LoadOptions | None:
        """How the model in memory was loaded."""
        return self._options

    @property
    def answer_cancelled(self) -> bool:
        """Whether the answer under way was asked to stop, by whomever."""
        return self._answer_cancel.cancelled

    # --- loading ---------------------------------------------------------------------------

    def load_default(self) -> None:
        """Load the model that the settings name; called once the window is painted."""
        settings = self.settings()
        names = choosing.start_order(settings)
        if settings.at_start == "none":
            self.shelf.when_listed(lambda: self._name_first(names))
        else:
            self._load_first(*names)

    def load(self, model_id: str, options: LoadOptions | None = None) -> None:
        """Bring a model into memory; the one before is given up, its answer cancelled."""
        if self._closed:
            return
        self.shelf.when_listed(lambda: self._load_listed(model_id, options))

    def load_with_context(self, n_ctx: int) -> None:
        """Load the model in use again, with a context of so many tokens."""
        model = self._state.model
        if model is not None:
            options = self._options or self.default_options(model)
            self.load(model.id, msgspec.structs.replace(options, n_ctx=n_ctx))

    def ensure(self, *model_ids: str) -> None:
        """Make sure that some model is in memory or on its way there.

        The chosen one is loaded again if it was stopped; without a chosen one, the first of
        ``model_ids`` that is installed, or else the default.
        """
        if self._closed or self._state.status in {"ready", "answering", "stopping", "loading"}:
            return
        chosen = self._state.model
        if chosen is not None:
            self.load(chosen.id, self._options)
            return
        self._load_first(*model_ids, self.settings().default_model, *choosing.STARTERS)

    def _name_first(self, model_ids: tuple[str, ...]) -> None:
        """Name the model that the first message will load."""
        found = next(filter(None, map(self.shelf.find, model_ids)), None)
        if self._state == EngineState():
            self._set_state(EngineState(model=found))

    def _load_first(self, *model_ids: str) -> None:
        """Load the first that is installed, or say that the first one is not."""
        self.shelf.when_listed(
            lambda: self._load_listed(
                next((name for name in model_ids if self.shelf.find(name)), model_ids[0]), None
            )
        )

    def cancel_load(self) -> None:
        """Give up loading."""
        if self._state.status == "loading":
            self._load_cancel.cancel()

    def unload(self) -> None:
        """Give the memory back."""
        if self._closed or self._state.status == "none":
            return
        self._stop_everything()
        self._job += 1
        self._options = None
        self._worker.unload(self._job)
        self._set_state(EngineState())

    def _rest(self, minutes: int) -> None:
        """Give the memory of a model back that nobody used; the next message loads it again."""
        if self._state.status != "ready":
            return
        self._job += 1
        self._worker.unload(self._job)
        self._set_state(replace(self._stopped(), status="none", rested_min=minutes))

    def _load_listed(self, model_id: str, options: LoadOptions | None) -> None:
        if self._closed:
            return
        info = self.shelf.find(model_id)
        problem = choosing.not_loadable(model_id, info)
        if info is None or problem is not None:
            self._set_problem_of_load(info, problem)
            return
        wanted = options or self.default_options(info)
        state = self._state
        same = state.model == info and wanted == self._options
        on_its_way = state.status == "loading" and not self._load_cancel.cancelled
        if same and (on_its_way or state.status in _SETTLED):
            return
        self._stop_everything()
        self._job += 1
        self._load_cancel = CancelToken()
        self._options = wanted
        self._set_state(EngineState("loading", info, talks=bool(wanted.chat_template)))
        self._worker.load(self._job, wanted, self._load_cancel)

    def default_options(self, info: ModelInfo) -> LoadOptions:
        """Return how a model is loaded unless something else is chosen."""
        general = choosing.general_options(info, self.settings().engine)
        return self.shelf.with_defaults(general, info)

    def _set_problem_of_load(self, info: ModelInfo | None, problem: Problem | None) -> None:
        """Say why nothing is loaded; a model already in memory stays."""
        if self._state.status in _SETTLED and problem is not None:
            self.problem_raised.emit(problem)
            return
        self._set_state(EngineState("none", info, problem=problem))

    def _stop_everything(self) -> None:
        self._load_cancel.cancel()
        if self._answer_id:
            self._answer_cancel.cancel()
            self._patience.start(_SWITCH_PATIENCE_MS)

    # --- answering -------------------------------------------------------------------------

    def answer(self, request: GenerationRequest, continue_from: str = "") -> bool:
        """Start answering; ``False`` when the engine is not ready for it.

        Args:
            request: Its events come as ``answer_event_received``.
            continue_from: Text behind which the model goes on writing.
        """
        if self._closed or self._state.status != "ready":
            return False
        self._answer_id = request.request_id
        self._answer_cancel, self._killed = CancelToken(), False
        self._set_state(replace(self._state, status="answering", problem=None))
        request = choosing.request_to_send(request, self.settings().engine)
        self._worker.answer(request, self._answer_cancel, continue_from)
        return True

    def ask(self, job: int, operation: Operation, cancel: CancelToken) -> bool:
        """Ask the model between answers; ``Asked`` comes through the bridge, unless ``False``."""
        ready = not self._closed and self._state.status == "ready"
        if ready:
            self.idle.begin()
            self._worker.ask(job, operation, cancel)
        return ready

    def stop_answer(self) -> None:
        """Ask the model to stop writing; the answer ends with its last event."""
        if self._state.status == "answering":
            self._answer_cancel.cancel()
            self._patience.start(_STOP_PATIENCE_MS)
            self._set_state(replace(self._state, status="stopping"))

    def _on_patience_over(self) -> None:
        self._killed = self._worker.kill_answer(self._answer_id)

    # --- models ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the list of installed models again."""
        self.shelf.refresh()

    def add_model(self, path: str, *, load: bool = False) -> None:
        """Take a file or folder into the list, and into memory where wanted."""
        self.shelf.add(path, (lambda info: self.load(info.id)) if load else None)

    def remove_model(self, model_id: str) -> None:
        """Take a model away, out of memory too; ``undo_remove`` brings it back."""
        state = self._state
        if state.status != "none" and state.model is not None and state.model.id == model_id:
            self.unload()
            self._remove_when_unloaded[self._job] = model_id  # Windows moves no mapped file
        else:
            self.shelf.remove(model_id)

    def undo_remove(self) -> None:
        """Bring back the model that was removed last."""
        self.shelf.undo_remove()

    # --- events ----------------------------------------------------------------------------

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        for event in batch:
            self._on_event(event)

    def _on_event(self, event: object) -> None:
        match event:
            case Started() | PromptProgress() | TokenEvent():
                self._pass_on(event)
            case Finished() | Failed():
                self._on_answer_end(event)
            case LoadProgressed(job=job) if job == self._job:
                self._on_progress(event)
            case ModelLoaded(job=job) if job == self._job:
                self._patience.stop()
                self._on_loaded(event)
            case LoadFailed(job=job) if job == self._job:
                self._on_load_failed(event)
            case ModelUnloaded():
                self._on_unloaded(event)
            case EngineEnded(job=job) if job == self._job:
                self._on_engine_ended(event)
            case SmallerFound(smaller=smaller):
                self.smaller = smaller
            case MemoryMeasured(memory_bytes=memory):
                self._on_memory(memory)
            case _:
                pass  # of a load that is history, or of another room

    def _on_progress(self, event: LoadProgressed) -> None:
        if self._state.status == "loading":
            self._set_state(replace(self._state, progress=event.fraction, step=event.step))

    def _on_loaded(self, event: ModelLoaded) -> None:
        model = self._state.model
        self.smaller = None
        state = replace(self._state, status="ready", loaded=event.loaded, progress=1.0)
        self._set_state(replace(state, memory_bytes=event.memory_bytes, stamp=event.stamp))
        if model is not None:
            self.shelf.used(model)
            self.model_loaded.emit(model.id)

    def _on_unloaded(self, event: ModelUnloaded) -> None:
        if event.job == self._job:
            self._patience.stop()
        model_id = self._remove_when_unloaded.pop(event.job, None)
        if model_id is not None:
            self.shelf.remove(model_id)

    def _pass_on(self, event: EngineEvent) -> None:
        if event.request_id == self._answer_id:
            self.answer_event_received.emit(event)

    def _on_answer_end(self, event: Finished | Failed) -> None:
        if event.request_id != self._answer_id:
            return
        self._patience.stop()
        self._answer_id = ""
        if self._state.status in {"answering", "stopping"}:
            self._set_state(self._after_answer(event))
        self.answer_event_received.emit(event)

    def _after_answer(self, event: Finished | Failed) -> EngineState:
        if isinstance(event, Failed) and event.error == "EngineCrashed":
            error = from_wire(event.error, event.message, event.hint, event.detail)
            problem = idle_problem(error, self.smaller)
            return replace(self._stopped(), problem=problem)
        if self._killed:
            return self._stopped()
        return replace(self._state, status="ready")

    def _stopped(self) -> EngineState:
        return EngineState("stopped", self._state.model, talks=self._state.talks)

    def _on_load_failed(self, event: LoadFailed) -> None:
        self._patience.stop()
        if event.cancelled:
            self._options = None
            self._set_state(EngineState())
        else:
            problem = loading_problem(event.error, event.smaller)
            self._set_state(replace(self._stopped(), problem=problem))

    def _on_engine_ended(self, event: EngineEnded) -> None:
        if self._answer_id:
            return  # the answer's own end says it
        if self._state.status in {"ready", "answering", "stopping"}:
            problem = idle_problem(event.error, event.smaller)
            self._set_state(replace(self._stopped(), problem=problem))

    def _on_memory(self, memory_bytes: int) -> None:
        changed = abs(memory_bytes - self._state.memory_bytes) >= _SAME_MEMORY_BYTES
        if changed and self._state.status in _SETTLED:
            self._set_state(replace(self._state, memory_bytes=memory_bytes))

    def _set_state(self, state: EngineState) -> None:
        if state.status != "ready":
            self.idle.end()
        elif self._state.status != "ready":
            self.idle.begin()
        rows_differ = (state.status, state.model) != (self._state.status, self._state.model)
        self._state = state
        self._untold.append((state, rows_differ))
        if len(self._untold) > 1:
            return  # a listener changed it; whoever has not heard of the last one comes first
        while self._untold:
            told, rows_differ = self._untold[0]
            self.state_changed.emit(told)
            if rows_differ and self.shelf.models:
                self._emit_models()
            self._untold.pop(0)

    def _is_stale(self, info: ModelInfo) -> bool:
        """Whether the model in memory would be loaded otherwise now."""
        return self._state.status in _SETTLED and self._options != self.default_options(info)

    def _emit_models(self) -> None:
        self.models_changed.emit(self.models())

    # --- the end ---------------------------------------------------------------------------

    def shutdown(self, *, empty_trash: bool = True) -> None:
        """Refuse commands, cancel, end the engine process: ask, and kill after 2 s.

        Args:
            empty_trash: Whether removed models are deleted for good meanwhile: they could come
                back until the app closes.
        """
        if self._closed:
            return
        self._closed = True
        self.idle.end()
        emptying = self.shelf.empty_trash() if empty_trash else None
        self._patience.stop()
        self._load_cancel.cancel()
        self._answer_cancel.cancel()
        self._worker.close(_CLOSE_PATIENCE_S)
        if emptying is not None:
            emptying.join(_EMPTY_PATIENCE_S)


_SETTLED = frozenset({"ready", "answering", "stopping"})
