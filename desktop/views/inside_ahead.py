"""Gets ready for a look inside while nobody waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.bridge.task_runner import Task

if TYPE_CHECKING:
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.values import EngineState


class InsideAhead(QObject):
    """Imports numpy in a worker thread when the first answer has ended.

    The Inside page draws with it, and importing it would hold the window up when the page is opened
    for the first time. At the start nothing is imported.

    Args:
        engines: Answers.
        tasks: Where it is imported.
        parent: Qt parent.
    """

    def __init__(self, engines: EngineController, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._engines = engines
        self._answering = False
        engines.state_changed.connect(self._on_state)

    def _on_state(self, state: EngineState) -> None:
        if self._answering and state.status == "ready":
            self._engines.state_changed.disconnect(self._on_state)
            self._tasks.run(Task(lambda _cancel, _progress: _import()))
        self._answering = state.status in {"answering", "stopping"}


def _import() -> None:
    import numpy as np  # noqa: F401, PLC0415  see the class
