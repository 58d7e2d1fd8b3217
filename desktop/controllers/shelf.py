"""What is installed: the library's list, read and changed off the GUI thread."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import shelf_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import TaskRunner
    from desktop.values import Problem
    from inference.types import ModelInfo


_log = logging.getLogger(__name__)


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

    def list(self) -> tuple[ModelInfo, ...]:
        """Everything installed."""
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


def estimate_bytes(info: ModelInfo) -> int:
    """Derive the memory that a model takes once loaded; 0 where its files do not tell."""
    from inference.library.estimate import estimate  # noqa: PLC0415  not needed before the paint

    try:
        return 0 if info.problem else estimate(Path(info.path)).total_bytes
    except (InferenceError, OSError):
        return 0


class ModelShelf(QObject):
    """A cached list of installed models.

    Args:
        library: What is installed.
        tasks: Where it is read.
        estimate: Memory of a model in bytes; called off the GUI thread.
        parent: Qt parent.
    """

    listed = Signal()
    removed = Signal(str, str, object)  # id, name, bytes: too many for Qt's int
    problem_raised = Signal(object)

    def __init__(
        self,
        library: LibraryLike,
        tasks: TaskRunner,
        estimate: Callable[[ModelInfo], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._tasks = tasks
        self._estimate = estimate
        self._models: tuple[ModelInfo, ...] | None = None
        self._estimates: dict[ModelInfo, int] = {}
        self._reading = 0  # the newest reading; what an older one brings is out of date
        self._waiting: list[Callable[[], None]] = []
        self._removed_ids: list[str] = []

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """What was installed when last looked."""
        return self._models or ()

    def estimate(self, info: ModelInfo) -> int:
        """Memory that the model would take, in bytes; 0 when not known."""
        return self._estimates.get(info, 0)

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
        """Read the list again."""
        self._reading += 1
        number, known = self._reading, dict(self._estimates)

        def read() -> dict[ModelInfo, int]:
            models = self._library.list()
            return {info: known.get(info) or self._estimate(info) for info in models}

        def take(estimates: dict[ModelInfo, int]) -> None:
            if number == self._reading:
                self._take(estimates)

        def give_up(error: Exception) -> None:
            if number == self._reading:
                self._take(self._estimates)  # whoever waits for the list must not wait for ever
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

    def _take(self, estimates: dict[ModelInfo, int]) -> None:
        self._models = tuple(estimates)
        self._estimates = estimates
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
