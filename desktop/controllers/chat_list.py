"""The list of chats: rename, pin, delete with undo, find. Reads and writes the store only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task, TaskHandle
from desktop.controllers.problems import store_problem
from desktop.store.search import search_chats
from inference.errors import StoreError

if TYPE_CHECKING:
    from desktop.bridge.task_runner import TaskRunner
    from desktop.store.chats import Chats
    from desktop.store.database import Database
    from desktop.values import ChatSummary


class ChatFinder(QObject):
    """Searches in the background; only the newest search is told."""

    found = Signal(object)
    problem_raised = Signal(object)

    def __init__(self, database: Database, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._database = database
        self._tasks = tasks
        self._running: TaskHandle | None = None

    def find(self, text: str) -> None:
        """Look for ``text``; an empty one finds nothing at once."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        if not text.strip():
            self._emit_found(())
            return
        self._running = self._tasks.run(
            Task(lambda _cancel, _progress: search_chats(self._database, text))
            .on_success(self._emit_found)
            .on_failure(self._explain)
        )

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, StoreError):
            raise error
        self.problem_raised.emit(store_problem(error))

    def _emit_found(self, rows: tuple[ChatSummary, ...]) -> None:
        self.found.emit(rows)


class DeletedChats:
    """Remembers what was deleted in this run, newest last, for undo."""

    def __init__(self, chats: Chats) -> None:
        self._chats = chats
        self._ids: list[str] = []

    def delete(self, chat_id: str) -> None:
        """Hide a chat."""
        self._chats.delete(chat_id)
        self._ids.append(chat_id)

    def undo(self) -> str | None:
        """Bring back the chat that was deleted last; return its id."""
        if not self._ids:
            return None
        self._chats.restore(self._ids[-1])
        return self._ids.pop()
