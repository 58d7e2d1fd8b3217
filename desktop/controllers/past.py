"""``PastController``: what models have read and the disk keeps; how much it is, and its end.

The engines write it (``inference.past``); here files are only counted and deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.bridge.task_runner import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.store.settings import Settings


class PastController(QObject):
    """Keeps the folder of kept work within what a person wants.

    Args:
        folder: Where the engines write.
        engines: Whose copies in memory have to go too.
        tasks: For work on files.
        settings: The settings as they are now.
        parent: Qt parent.
    """

    measured = Signal(object)
    """Bytes that kept work takes on the disk; an object, since Qt's int is too small."""

    def __init__(
        self,
        folder: Path,
        engines: EngineController,
        tasks: TaskRunner,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._engines = engines
        self._tasks = tasks
        self._limit_mb = settings.engine.past_disk_mb

    def measure(self) -> None:
        """Count; ``measured`` tells."""
        self._run(lambda: None)

    def clear(self) -> None:
        """Delete all of it."""
        from inference.past import folder as files  # noqa: PLC0415  not at the start

        self._engines.forget(None)
        self._run(lambda: files.clear(self._folder))

    def forget(self, chat_ids: tuple[str, ...]) -> None:
        """Delete what is kept of chats that are gone for good."""
        from inference.past import folder as files  # noqa: PLC0415  not at the start

        for chat_id in chat_ids:
            self._engines.forget(chat_id)
        self._run(lambda: files.forget(self._folder, chat_ids))

    def take_settings(self, settings: Settings) -> None:
        """Delete what a smaller limit leaves no room for; the engine takes it on when it loads."""
        from inference.past import folder as files  # noqa: PLC0415  not at the start

        before, self._limit_mb = self._limit_mb, settings.engine.past_disk_mb
        limit = self._limit_mb * 1_000_000
        if self._limit_mb == 0 < before:
            self.clear()
        elif self._limit_mb < before:
            self._run(lambda: files.shrink(self._folder, limit))

    def _run(self, work: Callable[[], object]) -> None:
        """Do it off the GUI thread, then count."""
        from inference.past import folder as files  # noqa: PLC0415  not at the start

        def run() -> int:
            work()
            return files.used_bytes(self._folder)

        self._tasks.run(Task(lambda _cancel, _progress: run()).on_success(self._emit_measured))

    def _emit_measured(self, used: int) -> None:
        self.measured.emit(used)
