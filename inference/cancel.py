"""A flag by which one thread asks another to stop."""

from __future__ import annotations

import threading


class CancelToken:
    """Set once by anyone, looked at by the worker between steps."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop; may be called from any thread and more than once."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until cancelled or ``timeout_s`` passed; return whether it was cancelled."""
        return self._event.wait(timeout_s)
