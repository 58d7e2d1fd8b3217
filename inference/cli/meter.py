"""How far a long work is: JSON lines, or one line that changes on a terminal."""

from __future__ import annotations

import sys
import time

from inference.cli import console

_REPORT_S = 0.25


class Meter:
    """Says it at most four times a second, and only where somebody looks.

    Args:
        as_json: Every report becomes an object on standard output.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._terminal = sys.stderr.isatty() and not as_json
        self._told = 0.0
        self._width = 0

    def tell(self, text: str, event: console.Json) -> None:
        """Report; ``event`` is the same for programs."""
        now = time.monotonic()
        if self._as_json:
            console.json_line(event)
        elif now - self._told > _REPORT_S:
            self._told = now
            self.show(text)

    def show(self, text: str) -> None:
        """Change the line at once, if there is a terminal."""
        if self._terminal:
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = max(self._width, len(text))

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self.show("")
            print("\r", end="", file=sys.stderr, flush=True)
            self._width = 0
