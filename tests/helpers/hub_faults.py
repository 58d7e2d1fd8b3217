"""What can go wrong on the way of a file, as switches of the local hub."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

Place = Literal["api", "resolve", "file"]
Kind = Literal[
    "status",
    "refuse",
    "disconnect",
    "stall",
    "slow",
    "corrupt",
    "wrong_length",
    "ignore_range",
    "wrong_range",
    "changed",
    "gzip",
    "bare",
]


@dataclass(frozen=True)
class Fault:
    """One request's trouble.

    Attributes:
        kind: ``status`` answers with ``status`` and ``headers``; ``refuse`` closes without an
            answer; ``disconnect`` cuts after ``at`` body bytes; ``stall`` goes silent there (in
            front of an answer without a file) for ``seconds``; ``slow`` sends ``at`` bytes a
            second; ``corrupt`` flips the file's byte ``at``; ``wrong_length`` announces and sends a
            file that is ``at`` bytes longer (or shorter); ``ignore_range`` answers 200 with the
            whole; ``wrong_range`` answers 206 from another place; ``changed`` names another ETag on
            the resolve hop; ``gzip`` compresses against the request's wish; ``bare`` leaves out all
            X- headers, as plain mirrors do.
        place: ``api`` is the JSON surface, ``resolve`` the hop on the hub, ``file`` the bytes.
    """

    kind: Kind
    place: Place = "file"
    at: int = 0
    seconds: float = 0.0
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()


class FaultPlan:
    """Faults in the order of requests, or lasting ones; used from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[Place, deque[Fault | None]] = {
            "api": deque(),
            "resolve": deque(),
            "file": deque(),
        }
        self._lasting: dict[Place, Fault] = {}

    def next(self, *faults: Fault | None) -> None:
        """Let the next requests at each fault's place suffer it; ``None`` lets a file pass."""
        with self._lock:
            for fault in faults:
                self._next[fault.place if fault else "file"].append(fault)

    def always(self, fault: Fault) -> None:
        """Let every request at its place suffer it."""
        with self._lock:
            self._lasting[fault.place] = fault

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._lasting.clear()
            for waiting in self._next.values():
                waiting.clear()

    def take(self, place: Place) -> Fault | None:
        """Return the fault of a request that has just come."""
        with self._lock:
            if self._next[place]:
                return self._next[place].popleft()
            return self._lasting.get(place)
