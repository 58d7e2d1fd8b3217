"""llama.cpp as a shared library: started once, and what it says is kept.

The one place that imports ``llama_cpp``; the other modules of this room take ``api`` from here.
Knows nothing of models.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from inference.errors import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import llama_cpp
    from llama_cpp import llama_cpp as api
except (ImportError, OSError, RuntimeError) as exc:
    raise BackendUnavailableError(
        "The GGUF engine is not available: llama.cpp could not be started on this computer.",
        "Set the app up again with packaging/bootstrap.py, or use a model in the native format.",
        f"{type(exc).__name__}: {exc}",
    ) from exc

__all__ = ["VERSION", "LogRing", "api", "log", "start"]

VERSION: Final[str] = llama_cpp.__version__
"""Version of llama-cpp-python; the C API changes between releases."""

_DEBUG: Final = 1
_WARN: Final = 3
_CONTINUED: Final = 5
_KEPT_LINES: Final = 400


class LogRing:
    """The last lines llama.cpp said, whole lines only, debug chatter left out.

    Lines may arrive from any thread. Warnings and errors are also written to ``sys.stderr``, so
    that they outlive a process that a damaged file kills.
    """

    def __init__(self, kept_lines: int = _KEPT_LINES) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=kept_lines)
        self._partial = ""
        self._level = 0
        self._count = 0
        self._lock = threading.Lock()

    def write(self, level: int, text: str) -> None:
        """Take a piece of log text of a ggml log level; it may be part of a line."""
        with self._lock:
            if level != _CONTINUED:
                self._level = level
            if self._level <= _DEBUG:
                return
            *lines, self._partial = (self._partial + text).split("\n")
            for line in lines:
                self._keep(line.rstrip())

    def mark(self) -> int:
        """Return a place in the log; ``since`` gives what was said after it."""
        with self._lock:
            return self._count

    def since(self, mark: int) -> tuple[str, ...]:
        """Return the lines said since ``mark``, as far as they are still kept."""
        with self._lock:
            new = min(self._count - mark, len(self._lines))
            return tuple(line for _, line in list(self._lines)[len(self._lines) - new :])

    def troubles(self, mark: int) -> tuple[str, ...]:
        """Return the warnings and errors said since ``mark``."""
        with self._lock:
            new = min(self._count - mark, len(self._lines))
            recent = list(self._lines)[len(self._lines) - new :]
            return tuple(line for level, line in recent if level >= _WARN)

    def __iter__(self) -> Iterator[str]:
        """Iterate over all kept lines, oldest first."""
        return iter(self.since(0))

    def _keep(self, line: str) -> None:
        if not line.strip(". "):  # progress dots
            return
        self._lines.append((self._level, line))
        self._count += 1
        if self._level >= _WARN and sys.stderr is not None:
            sys.stderr.write(line + "\n")


log: Final = LogRing()
"""What llama.cpp says in this process."""

_started = threading.Lock()
_running = False


def _on_log(level: int, text: bytes, _user_data: object) -> None:
    log.write(level, text.decode("utf-8", "replace"))


_ON_LOG: Final = api.llama_log_callback(_on_log)  # C keeps a pointer to it


def start() -> None:
    """Start llama.cpp and route its log to ``log``; later calls do nothing."""
    global _running  # noqa: PLW0603  the C library's state is global to the process as well
    with _started:
        if _running:
            return
        api.llama_log_set(_ON_LOG, None)
        api.llama_backend_init()
        # A line said while Python shuts down would call into an interpreter that is gone.
        atexit.register(lambda: api.llama_log_set(api.llama_log_callback(0), None))
        _running = True
