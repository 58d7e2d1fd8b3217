"""An advisory lock on a file, let go by the system when the process ends, however it ends."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import TYPE_CHECKING

from desktop.store.failures import in_use, store_error

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

# What the systems answer when someone else holds the lock.
_HELD_ERRNOS = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(handle: int) -> None:
        # flock, not lockf: it also tells apart two openings inside one process.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """Held from construction to ``release``.

    Args:
        path: The lock file; created where missing, never removed (removing would race).
        place: What the lock protects, named in the sentence.

    Raises:
        DatabaseLockedError: Another process, or another opening in this one, holds it.
        StoreError: The file cannot be created.
    """

    def __init__(self, path: Path, place: str) -> None:
        try:
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise store_error(exc, place) from exc
        try:
            _take(self._handle)
        except OSError as exc:
            if exc.errno in _HELD_ERRNOS:
                self.release()
                raise in_use(place, str(exc)) from exc
            # Some network folders know no locks; SQLite's own still keep the file whole.
            _log.info("no advisory lock for %s: %s", place, exc)

    def release(self) -> None:
        """Let go; harmless when already let go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
