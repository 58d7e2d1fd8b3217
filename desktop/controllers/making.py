"""``MakingController``: another version of an installed model, one at a time, in the background.

The work is done by a child process of its own; a thread of its own waits for it, so that minutes of
it keep nothing else waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from desktop.bridge.task_runner import Task, TaskRunner
from desktop.controllers.problems import making_problem
from inference.errors import InferenceError, UnsupportedRequestError

if TYPE_CHECKING:
    from desktop.bridge.task_runner import Progress, TaskHandle
    from desktop.controllers.engine import EngineController
    from desktop.values import Problem
    from inference.cancel import CancelToken
    from inference.convert.job import MadeFile
    from inference.convert.orders import Action, Order
    from inference.library.folders import ModelFolders
    from inference.types import ModelInfo

_STEP = 0.005


@dataclass(frozen=True, slots=True)
class Making:
    """Where the work stands, or how it ended.

    Attributes:
        model_id: Of which model; empty before the first.
        file_type: What is made of it.
        share: What is done, 0 to 1; ``None`` when it has ended.
        path: The new file, once it is there.
        notes: What the new file can less well.
        problem: Why there is none.
    """

    model_id: str = ""
    file_type: str = ""
    share: float | None = None
    path: str = ""
    notes: tuple[str, ...] = ()
    problem: Problem | None = None


class MakingController(QObject):
    """Makes one version at a time.

    Args:
        engines: Which models there are.
        folders: Where new files may go.
        parent: Qt parent.

    Signals:
        changed: A ``Making``.
    """

    changed = Signal(object)

    def __init__(
        self, engines: EngineController, folders: ModelFolders, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._folders = folders
        self._tasks = TaskRunner(self, threads=1)
        self._handle: TaskHandle | None = None
        self._making = Making()
        program = QCoreApplication.instance()
        if program is not None:
            program.aboutToQuit.connect(self.close)

    @property
    def making(self) -> Making:
        """Where the work stands."""
        return self._making

    def make(self, model_id: str, file_type: str) -> None:
        """Begin; does nothing while another one is made."""
        info = self._engines.shelf.find(model_id)
        if info is None or self._making.share is not None:
            return
        folders = self._folders
        self._set(Making(model_id, file_type, 0.0))
        self._handle = self._tasks.run(
            Task(lambda cancel, progress: _make(info, folders, file_type, cancel, progress))
            .on_progress(lambda share: self._set(replace(self._making, share=share)))
            .on_success(self._on_made)
            .on_failure(self._on_failed)
        )

    def cancel(self) -> None:
        """Stop; nothing is left of it."""
        if self._handle is not None and self._making.share is not None:
            self._handle.cancel()
            self._set(Making(self._making.model_id, self._making.file_type))

    def close(self) -> None:
        """Stop, and wait a moment until nothing is left of it."""
        self._tasks.close()

    def _on_made(self, made: MadeFile) -> None:
        self._set(replace(self._making, share=None, path=str(made.path), notes=made.notes))
        self._engines.refresh()

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            self._set(replace(self._making, share=None))
            raise error
        self._set(replace(self._making, share=None, problem=making_problem(error)))

    def _set(self, making: Making) -> None:
        self._making = making
        self.changed.emit(making)


def _make(
    info: ModelInfo,
    folders: ModelFolders,
    file_type: str,
    cancel: CancelToken,
    progress: Progress,
) -> MadeFile:
    from inference.convert.job import make_file  # noqa: PLC0415  in a worker thread, and rare
    from inference.convert.places import place_of, steps_to  # noqa: PLC0415  as above

    target = place_of(info, folders, file_type)
    if target.exists():
        raise UnsupportedRequestError(
            f"{target.name} is there already, in {target.parent}.",
            "Choose it in the list, or remove it first.",
        )
    steps = steps_to(info, file_type)
    return make_file(steps, target, _Share(steps, progress), cancel)


class _Share:
    """From the parts of each step to the share of all, told in small steps."""

    def __init__(self, steps: tuple[Order, ...], tell: Progress) -> None:
        self._actions = tuple(step.action for step in steps)
        self._tell = tell
        self._told = 0.0

    def __call__(self, action: Action, done: int, total: int) -> None:
        share = (self._actions.index(action) + done / max(1, total)) / len(self._actions)
        if share - self._told >= _STEP:
            self._told = share
            self._tell(share)
