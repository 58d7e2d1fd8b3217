"""One-shot jobs off the GUI thread, with their outcome back in it.

``runner.run(Task(work).on_success(show).on_failure(explain))`` returns a handle with ``cancel``.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from inference.cancel import CancelToken

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
Progress: TypeAlias = "Callable[[float], None]"


class Task(Generic[_T]):
    """What to do, and whom to tell in the GUI thread.

    Args:
        work: Called in a worker thread with a cancel token and a progress callback (0 to 1); it
            holds plain values only, no QObject.
    """

    def __init__(self, work: Callable[[CancelToken, Progress], _T]) -> None:
        self.work = work
        self.success: Callable[[_T], None] | None = None
        self.failure: Callable[[Exception], None] | None = None
        self.progress: Callable[[float], None] | None = None

    def on_success(self, tell: Callable[[_T], None]) -> Task[_T]:
        """Call ``tell`` with the result."""
        self.success = tell
        return self

    def on_failure(self, tell: Callable[[Exception], None]) -> Task[_T]:
        """Call ``tell`` with what was raised; without it ``failure_unhandled`` is emitted."""
        self.failure = tell
        return self

    def on_progress(self, tell: Callable[[float], None]) -> Task[_T]:
        """Call ``tell`` with the finished fraction."""
        self.progress = tell
        return self


class TaskHandle:
    """A job under way."""

    def __init__(self) -> None:
        self.token = CancelToken()

    def cancel(self) -> None:
        """Ask the work to stop; from now on nothing is told about it."""
        self.token.cancel()


class TaskRunner(QObject):
    """A few worker threads, started when first needed.

    Args:
        parent: Qt parent.
        threads: Jobs that run at the same time at most.
    """

    failure_unhandled = Signal(object)
    """An exception that no ``on_failure`` took: shown in the error dialog."""

    _told = Signal(object)  # a call to make in the GUI thread

    def __init__(self, parent: QObject | None = None, threads: int = 2) -> None:
        super().__init__(parent)
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._handles: set[TaskHandle] = set()
        self._closed = False
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def run(self, task: Task[_T]) -> TaskHandle:
        """Start a job; called from the GUI thread."""
        handle = TaskHandle()
        if self._closed:
            handle.cancel()
            return handle
        self._handles.add(handle)
        if len(self._threads) < min(self._most, len(self._handles)):
            name = f"task-{len(self._threads)}"
            thread = threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(lambda: self._perform(task, handle))
        return handle

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel everything and wait a moment for the threads; nothing is told any more."""
        self._closed = True
        for handle in self._handles:
            handle.cancel()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout_s)
        self._threads.clear()

    def _perform(self, task: Task[_T], handle: TaskHandle) -> None:
        """Do one job in a worker thread."""
        token = handle.token

        def progress(fraction: float) -> None:
            tell = task.progress
            if tell is not None:
                self._tell(handle, lambda: _still(tell, fraction), last=False)

        if token.cancelled:
            self._tell(handle, None, last=True)
            return
        try:
            result = task.work(token, progress)
        except Exception as exc:  # noqa: BLE001  the edge: whatever was raised is told, not lost
            error = exc
            self._tell(handle, lambda: self._fail(task, error), last=True)
            return
        success = task.success
        self._tell(
            handle, None if success is None else (lambda: _still(success, result)), last=True
        )

    def _tell(self, handle: TaskHandle, call: Callable[[], None] | None, *, last: bool) -> None:
        def deliver() -> None:
            if last:
                self._handles.discard(handle)
            if call is not None and not handle.token.cancelled:
                call()

        if not self._closed:
            self._told.emit(deliver)

    def _fail(self, task: Task[_T], error: Exception) -> None:
        if task.failure is not None:
            _still(task.failure, error)
        else:
            self.failure_unhandled.emit(error)

    def _on_told(self, call: Callable[[], None]) -> None:
        call()


def _still(tell: Callable[[_T], None], value: _T) -> None:
    """Tell a value, unless who wanted to know it is gone meanwhile (a page that was closed)."""
    owner = getattr(tell, "__self__", None)
    if not isinstance(owner, QObject) or isValid(owner):
        tell(value)


def _work(jobs: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
