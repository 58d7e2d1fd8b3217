"""Keeps all downloads together below a speed; several threads may pass through it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.cancel import CancelToken


_SLICE_S = 0.2
"""A wait looks this often whether the limit is another one now."""


class Brake:
    """Lets so many bytes pass in a second; without a limit it costs nothing.

    Args:
        bytes_per_s: The limit, 0 for none.
    """

    def __init__(self, bytes_per_s: int = 0) -> None:
        self._lock = threading.Lock()
        self._limit = bytes_per_s
        self._free_at = 0.0

    def set_limit(self, bytes_per_s: int) -> None:
        """Set another limit, 0 for none; it holds from the next bytes on."""
        with self._lock:
            self._limit, self._free_at = bytes_per_s, 0.0

    def passed(self, count: int, cancel: CancelToken) -> None:
        """Wait until the bytes that have just come are paid for; a cancel ends the wait."""
        if not self._limit:
            return
        with self._lock:
            if not self._limit:
                return
            limit = self._limit
            due = max(time.monotonic(), self._free_at) + count / limit
            self._free_at = due
        while (left := due - time.monotonic()) > 0 and self._limit == limit:
            if cancel.wait(min(left, _SLICE_S)):
                return
