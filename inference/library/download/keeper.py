"""Small work on the disk that nobody waits for, done in order by one thread.

A window may pause or cancel a download from its own thread; saving the list and removing gigabytes
take their time elsewhere. The thread starts with the first piece of work and ends with the last.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Keeper:
    """Runs pieces of work one after another; may be used from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, Callable[[], None]] = {}
        self._thread: threading.Thread | None = None

    def later(self, key: Hashable, work: Callable[[], None]) -> None:
        """Do ``work`` soon; what waits under the same key already is done once, not twice."""
        with self._changed:
            self._waiting.setdefault(key, work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="download keeper")
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is left to do; return whether that came true in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout_s)

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException:
                with self._changed:
                    self._thread = None  # the next piece starts a new thread
                    self._changed.notify_all()
                raise

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            if not self._waiting:
                self._thread = None
                self._changed.notify_all()
                return None
            return self._waiting.pop(next(iter(self._waiting)))
