"""How fast a download is, as a person wants to see it: the mean of the last seconds."""

from __future__ import annotations

import time
from collections import deque

_WINDOW_S = 5.0
_STEP_S = 0.25


class SpeedMeter:
    """Counts bytes over a sliding window."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, count: int, now: float | None = None) -> None:
        """Count bytes that have just come; ``now`` is in seconds of ``time.monotonic``."""
        now = time.monotonic() if now is None else now
        self._total += count
        if not self._points or now - self._points[-1][0] >= _STEP_S:
            self._points.append((now, self._total))
        while len(self._points) > 2 and now - self._points[1][0] > _WINDOW_S:
            self._points.popleft()

    def rate(self, now: float | None = None) -> float:
        """Return bytes per second; 0 before there is something to say and after a silence."""
        now = time.monotonic() if now is None else now
        if not self._points or now - self._points[-1][0] > _WINDOW_S:
            return 0.0
        since, before = self._points[0]
        return (self._total - before) / (now - since) if now - since >= _STEP_S else 0.0

    def reset(self) -> None:
        """Forget, because the download stopped."""
        self._points.clear()
        self._total = 0
