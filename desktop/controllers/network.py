"""What the window knows of the network: the requests that were made, and the access token."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.problems import store_problem
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from inference.library.requests_made import RequestMade

TokenPlace = Literal["none", "keyring", "environment", "no_keyring"]
_BATCH_MS = 200


@dataclass(frozen=True, slots=True)
class _Made:
    """A request was made."""


class NetworkController(QObject):
    """Counts requests and keeps the token in the system's keyring; lives in the GUI thread.

    Args:
        bridge: Where threads that make requests post.
        tasks: The keyring's programs may take their time.
        parent: Qt parent.

    Signals:
        counted: How many requests there were so far.
        token_found: Where the access token is, a ``TokenPlace``.
        token_stored: There is another token from now on, or none.
        token_refused: With a ``Problem``.
    """

    counted = Signal(int)
    token_found = Signal(str)
    token_stored = Signal()
    token_refused = Signal(object)

    def __init__(
        self, bridge: EventBridge, tasks: TaskRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._tasks = tasks
        self._told = threading.Event()
        self._end_listening: Callable[[], None] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._count)
        bridge.batch_received.connect(self._on_batch)

    def begin(self) -> None:
        """Count from now on; nothing made a request before."""
        from inference.library import requests_made  # noqa: PLC0415  not before the paint

        self._end_listening = requests_made.listen(self._on_request)

    def requests(self) -> tuple[RequestMade, ...]:
        """Return the latest requests, oldest first."""
        from inference.library import requests_made  # noqa: PLC0415  see above

        return requests_made.made()

    def find_token(self) -> None:
        """Look where the access token is; ``token_found`` tells."""
        self._tasks.run(
            Task(lambda _cancel, _progress: _token_place()).on_success(self._emit_found)
        )

    def store_token(self, token: str) -> None:
        """Put a token into the keyring, or take it away with an empty one."""
        from inference.library import keyring  # noqa: PLC0415  see above

        task = Task(lambda _cancel, _progress: keyring.store_token(token.strip()))
        self._tasks.run(task.on_success(self._on_stored).on_failure(self._on_refused))

    def shutdown(self) -> None:
        """Count no more."""
        self._soon.stop()
        if self._end_listening is not None:
            self._end_listening()
            self._end_listening = None

    def _on_request(self) -> None:
        """Take news from whichever thread; one event at a time is on its way."""
        if not self._told.is_set():
            self._told.set()
            self._bridge.post(_Made())

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        if any(isinstance(event, _Made) for event in batch) and not self._soon.isActive():
            self._soon.start(_BATCH_MS)

    def _count(self) -> None:
        from inference.library import requests_made  # noqa: PLC0415  see above

        self._told.clear()  # first, or one of the meantime would not be told
        self.counted.emit(requests_made.count())

    def _on_stored(self, _none: None) -> None:
        self.token_stored.emit()
        self.find_token()

    def _on_refused(self, error: Exception) -> None:
        if not isinstance(error, InferenceError):
            raise error
        self.token_refused.emit(store_problem(error))

    def _emit_found(self, place: TokenPlace) -> None:
        self.token_found.emit(place)


def _token_place() -> TokenPlace:
    from inference.library import keyring  # noqa: PLC0415  see above

    if os.environ.get("HF_TOKEN"):
        return "environment"
    if not keyring.available():
        return "no_keyring"
    return "keyring" if keyring.read_token() else "none"
