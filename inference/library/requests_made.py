"""Every network request of this process, for whoever wants to see what the app asks, and of whom.

Hosts and paths only: what stands behind a question mark may be a signature. Kept in memory and
never written down.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_KEPT = 500


class RequestMade(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        number: Counts from 1.
        at: Seconds since the epoch.
        method: ``GET`` or ``HEAD``.
        host: With its port, where one was named.
        path: Without its query.
    """

    number: int
    at: float
    method: str
    host: str
    path: str


_lock = threading.Lock()
_made: deque[RequestMade] = deque(maxlen=_MOST_KEPT)
_listeners: list[Callable[[], None]] = []
_count = 0


def note(method: str, url: str) -> None:
    """Remember a request that is about to be made; called by whatever makes it."""
    global _count  # noqa: PLW0603  of the process, like its connections
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # an address may carry a password
    with _lock:
        _count += 1
        _made.append(RequestMade(_count, time.time(), method, host, parts.path))
        listeners = tuple(_listeners)
    for tell in listeners:
        tell()


def made() -> tuple[RequestMade, ...]:
    """Return the latest requests, oldest first."""
    with _lock:
        return tuple(_made)


def count() -> int:
    """Return how many there were, those that are no longer kept included."""
    return _count


def listen(tell: Callable[[], None]) -> Callable[[], None]:
    """Call ``tell`` with each request, in the thread that makes it; return what ends that."""
    with _lock:
        _listeners.append(tell)

    def end() -> None:
        with _lock:
            _listeners.remove(tell)

    return end
