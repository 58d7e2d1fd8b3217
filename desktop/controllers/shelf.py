"""What is installed: the library's list, read and changed off the GUI thread."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import loading_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.task_runner import TaskRunner
    from desktop.values import Problem
    from inference.types import ModelInfo

_GRACE_MS = 60_000


class LibraryLike(Protocol):
    """What is needed of ``inference.library.installed.Library``; any thread may call."""

    def list(self) -> tuple[ModelInfo, ...]:
        """Everything installed."""
        ...

    def add(self, path: Path) -> ModelInfo:
        """Take a file or folder into the list."""
        ...

    def remove(self, model_id: str) -> int:
        """Take a model away."""
        ...


class ModelShelf(QObject):
    """A cached list of installed models."""

    listed = Signal()
    removed = Signal(str, str, object)
    problem_raised = Signal(object)

    def __init__(
        self, library: LibraryLike, tasks: TaskRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._library = library
        self._tasks = tasks
        self._models: tuple[ModelInfo, ...] | None = None
        self._waiting: list[Callable[[], None]] = []
        self._removed: ModelInfo | None = None
        self._grace = QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.setInterval(_GRACE_MS)
        self._grace.timeout.connect(self._finish_removal)

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """What was installed when last looked."""
        gone = self._removed
        return tuple(model for model in self._models or () if gone is None or model.id != gone.id)

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
        self._tasks.run(
            Task(lambda _cancel, _progress: self._library.list())
            .on_success(self._take)
            .on_failure(self._explain)
        )

    def add(self, path: str) -> None:
        """Take a file or folder into the list."""
        self._tasks.run(
            Task(lambda _cancel, _progress: self._library.add(Path(path)))
            .on_success(lambda _info: self.refresh())
            .on_failure(self._explain)
        )

    def remove(self, info: ModelInfo) -> None:
        """Take a model off the list; its files go when it can no longer be undone."""
        self._finish_removal()
        self._removed = info
        self._emit_listed()
        self._emit_removed(info)
        self._grace.start()

    def undo_remove(self) -> None:
        """Bring back the model that was removed last, if its files are still there."""
        self._grace.stop()
        self._removed = None
        self._emit_listed()

    def close(self) -> None:
        """Finish a removal that nobody took back."""
        info = self._take_removal()
        if info is not None:
            with suppress(InferenceError):
                self._library.remove(info.id)

    def _finish_removal(self) -> None:
        info = self._take_removal()
        if info is not None:
            self._tasks.run(
                Task(lambda _cancel, _progress: self._library.remove(info.id))
                .on_success(lambda _freed: self.refresh())
                .on_failure(self._explain)
            )

    def _take_removal(self) -> ModelInfo | None:
        self._grace.stop()
        info, self._removed = self._removed, None
        if info is not None and self._models is not None:
            self._models = tuple(model for model in self._models if model.id != info.id)
        return info

    def _take(self, models: tuple[ModelInfo, ...]) -> None:
        self._models = models
        waiting, self._waiting = self._waiting, []
        self._emit_listed()
        for then in waiting:
            then()

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        if self._models is None:
            self._take(())
        self._emit_problem(loading_problem(error))

    def _emit_listed(self) -> None:
        self.listed.emit()

    def _emit_removed(self, info: ModelInfo) -> None:
        freed = 0 if info.origin == "added" else info.size_bytes
        self.removed.emit(info.id, info.name, freed)

    def _emit_problem(self, problem: Problem) -> None:
        self.problem_raised.emit(problem)
