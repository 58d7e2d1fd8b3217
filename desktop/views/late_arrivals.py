"""Waits for files that are dropped on the window or opened with the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.arrivals import BringingLike
    from desktop.controllers.engine import EngineController
    from desktop.views.arrivals_wiring import ArrivalsWiring
    from desktop.views.main_window import MainWindow


class LateArrivals(QObject):
    """Hands files on to ``ArrivalsWiring``, which is imported for the first one.

    Args:
        library: Brings files, and knows the folders.
        engines: Has the list, and loads.
        tasks: Where it is done.
        window: Where they arrive.
    """

    def __init__(
        self,
        library: BringingLike,
        engines: EngineController,
        tasks: TaskRunner,
        window: MainWindow,
    ) -> None:
        super().__init__(window)
        self._parts = (library, engines, tasks, window)
        self._window = window
        self._arrivals: ArrivalsWiring | None = None
        window.model_dropped.connect(self._on_model_dropped)

    def _on_model_dropped(self, path: str) -> None:
        """Take it; dropped on the chat, it is there to be talked with."""
        if self._arrivals is None:
            from desktop.views.arrivals_wiring import ArrivalsWiring  # noqa: PLC0415  see the class

            self._arrivals = ArrivalsWiring(*self._parts)
        self._arrivals.take(path, load=self._window.current_page() == "chat")
