"""What is installed: the library's list, read and changed off the GUI thread."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop.bridge.task_runner import TaskRunner
    from desktop.values import Problem
    from inference.library.notes import ModelNote, ModelNotes
    from inference.types import LoadOptions, ModelInfo


_log = logging.getLogger(__name__)
_FIRST_LOOK_S = 0.3
_NEXT_LOOK_S = 1.5


class RemovalLike(Protocol):
    """``inference.library.installed.Removal``."""

    @property
    def info(self) -> ModelInfo:
        """The model as it was."""
        ...

    @property
    def freed_bytes(self) -> int:
        """What its files take."""
        ...


class LibraryLike(Protocol):
    """What is needed of ``inference.library.installed.Library``; any thread may call."""

    @property
    def notes(self) -> ModelNotes:
        """What is noted about each model."""
        ...

    @property
    def unread(self) -> int:
        """Models that the last ``list`` gave by name only."""
        ...

    def list(self, within_s: float | None = None) -> tuple[ModelInfo, ...]:
        """Everything installed; files that are new are opened for so many seconds."""
        ...

    def estimate(self, info: ModelInfo) -> int:
        """Memory that a listed model would take, in bytes; 0 when not known."""
        ...

    def add(self, path: Path) -> ModelInfo:
        """Take a file or folder into the list."""
        ...

    def remove(self, model_id: str) -> RemovalLike:
        """Take a model away."""
        ...

    def restore(self, model_id: str) -> ModelInfo:
        """Bring a removed model back."""
        ...

    def empty_trash(self) -> int:
        """Delete removed models for good."""
        ...


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one look at the library gave; estimates in bytes and notes by model id."""

    models: tuple[ModelInfo, ...]
    estimates: dict[str, int]
    notes: dict[str, ModelNote]
    unread: int = 0


def _notes_of(library: LibraryLike, models: Sequence[ModelInfo]) -> dict[str, ModelNote]:
    from inference.library.notes import ModelNote, key  # noqa: PLC0415  off the GUI thread

    noted = library.notes.all()
    return {info.id: noted.get(key(info.path)) or ModelNote() for info in models}


class ModelShelf(QObject):
    """A cached list of installed models.

    Args:
        library: What is installed.
        tasks: Where it is read.
        parent: Qt parent.
    """

    listed = Signal()
    removed = Signal(str, str, object)  # id, name, bytes: too many for Qt's int
    problem_raised = Signal(object)

    def __init__(
        self,
        library: LibraryLike,
        tasks: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._tasks = tasks
        self._models: tuple[ModelInfo, ...] | None = None
        self._estimates: dict[str, int] = {}  # by model id
        self._notes: dict[str, ModelNote] = {}  # by model id
        self._mine: dict[str, dict[str, object]] = {}  # what was changed here, by model id
        self._unwritten: dict[str, dict[str, object]] = {}
        self._reading = 0  # the newest reading; what an older one brings is out of date
        self.edition = 0
        """How often the list has been read: what is remembered of it is out of date then."""
        self._touched: set[str] = set()
        self._waiting: list[Callable[[], None]] = []
        self._removed_ids: list[str] = []
        self._writing = threading.Lock()
        self._queueing = threading.Lock()  # never held for long: the GUI thread takes it

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """What was installed when last looked."""
        return self._models or ()

    def estimate(self, info: ModelInfo) -> int:
        """Memory that the model would take, in bytes; 0 when not known."""
        return self._estimates.get(info.id, 0)

    def note(self, info: ModelInfo) -> ModelNote | None:
        """What is noted about a model; ``None`` before it has been read."""
        return self._notes.get(info.id)

    def facts(self) -> tuple[dict[str, int], dict[str, ModelNote]]:
        """Return the estimates in bytes and the notes of all models, by id; not to be changed."""
        return self._estimates, self._notes

    def touched(self) -> set[str]:
        """Return the ids whose notes were changed here since this was asked last."""
        touched, self._touched = self._touched, set()
        return touched

    def with_defaults(self, options: LoadOptions, info: ModelInfo) -> LoadOptions:
        """Return load options with what was set for this model."""
        from inference.library.model_defaults import with_defaults  # noqa: PLC0415  not at start

        note = self.note(info)
        return options if note is None else with_defaults(options, info, note.defaults)

    def change_note(self, model_id: str, **changes: object) -> None:
        """Change fields of a model's note: at once here, and in its file off the GUI thread."""
        info = self.find(model_id)
        note = None if info is None else self.note(info)
        if info is None or note is None:
            return
        changed = msgspec.structs.replace(note, **changes)
        if changed == note:
            return
        self._notes[model_id] = changed
        self._touched.add(model_id)
        self._mine.setdefault(model_id, {}).update(changes)
        with self._queueing:
            self._unwritten.setdefault(model_id, {}).update(changes)
        self._tasks.run(
            Task(lambda _cancel, _progress: self._write_note(info))
            .on_success(lambda _done: self.refresh() if "kind" in changes else None)
            .on_failure(lambda error: self._on_note_not_kept(model_id, error))
        )
        self.listed.emit()

    def used(self, info: ModelInfo) -> None:
        """Note that a model has just been loaded."""
        self.change_note(info.id, last_used=time.time())

    def _write_note(self, info: ModelInfo) -> None:
        """Write what is to be changed by now; whichever thread comes first writes all of it."""
        with self._writing:
            with self._queueing:
                changes = self._unwritten.pop(info.id, {})
            if changes:
                self._library.notes.change(info, **changes)

    def _on_note_not_kept(self, model_id: str, error: Exception) -> None:
        self._mine.pop(model_id, None)
        self.refresh()
        self._explain(error)

    def find(self, model_id: str) -> ModelInfo | None:
        """Find a model by its id in the cached list."""
        return next((model for model in self.models if model.id == model_id), None)

    def when_listed(self, then: Callable[[], None]) -> None:
        """Call ``then`` now, or as soon as the list has been read for the first time."""
        if self._models is not None:
            then()
            return
        self._waiting.append(then)
        if len(self._waiting) == 1:
            self.refresh()

    def refresh(self) -> None:
        """Read the list again: what is known at once, files that are new in several steps."""
        self._reading += 1
        self._read(self._reading, _FIRST_LOOK_S)

    def _read(self, number: int, within_s: float) -> None:
        def read() -> _Reading:
            models = self._library.list(within_s)
            estimates = {info.id: self._library.estimate(info) for info in models}
            notes = _notes_of(self._library, models)
            return _Reading(models, estimates, notes, self._library.unread)

        def take(found: _Reading) -> None:
            if number == self._reading:
                self._take(found)
                if found.unread:
                    self._read(number, _NEXT_LOOK_S)

        def give_up(error: Exception) -> None:
            if number == self._reading:  # whoever waits for the list must not wait for ever
                self._take(_Reading(self.models, self._estimates, self._notes))
            self._explain(error)

        self._tasks.run(
            Task(lambda _cancel, _progress: read()).on_success(take).on_failure(give_up)
        )

    def add(self, path: str, then: Callable[[ModelInfo], None] | None = None) -> None:
        """Take a file or folder into the list; ``then`` is called once the list has it."""

        def tell(info: ModelInfo) -> None:
            if then is not None:
                self._waiting.append(lambda: then(info))
            self.refresh()

        def refuse(error: Exception) -> None:
            self.refresh()  # at the start nothing has been read yet, and there is no other model
            self._explain(error)

        self._tasks.run(
            Task(lambda _cancel, _progress: self._library.add(Path(path)))
            .on_success(tell)
            .on_failure(refuse)
        )

    def remove(self, model_id: str) -> None:
        """Take a model away; ``undo_remove`` brings it back."""
        self._tasks.run(
            Task(lambda _cancel, _progress: self._library.remove(model_id))
            .on_success(self._on_removed)
            .on_failure(self._explain)
        )

    def undo_remove(self) -> None:
        """Bring back the model that was removed last."""
        if not self._removed_ids:
            return
        model_id = self._removed_ids.pop()

        def keep(error: Exception) -> None:
            self._removed_ids.append(model_id)  # the hint says what to do before the next try
            self._explain(error)

        self._tasks.run(
            Task(lambda _cancel, _progress: self._library.restore(model_id))
            .on_success(lambda _info: self.refresh())
            .on_failure(keep)
        )

    def empty_trash(self) -> threading.Thread:
        """Begin to delete for good what was removed; for the moment of closing.

        A plain thread, because the task runner gives its jobs up when the app closes. What it
        does not get done waits in the trash for the next time.
        """

        def empty() -> None:
            try:
                self._library.empty_trash()
            except InferenceError as error:
                _log.info("the trash was not emptied: %s", error.detail or error.message)

        thread = threading.Thread(target=empty, name="empty-trash", daemon=True)
        thread.start()
        return thread

    def _on_removed(self, removal: RemovalLike) -> None:
        self._removed_ids.append(removal.info.id)
        self.removed.emit(removal.info.id, removal.info.name, removal.freed_bytes)
        self.refresh()

    def _take(self, found: _Reading) -> None:
        self._models, self._estimates, notes = found.models, found.estimates, found.notes
        for model_id, changes in self._mine.items():  # maybe while the list was being read
            if model_id in notes:
                notes[model_id] = msgspec.structs.replace(notes[model_id], **changes)
        self._notes = notes
        self.edition += 1
        waiting, self._waiting = self._waiting, []
        self.listed.emit()
        for then in waiting:
            then()

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self._emit_problem(shelf_problem(error))

    def _emit_problem(self, problem: Problem) -> None:
        self.problem_raised.emit(problem)
