"""One writer per part file, across processes; the system lets go when a process dies."""

from __future__ import annotations

import sys
from typing import IO

_FAR = 1 << 62
"""Windows locks bytes, and keeps others from reading them: lock one where no file reaches."""


def try_lock(file: IO[bytes]) -> bool:
    """Lock an open file for this process until it is closed; tell whether that worked."""
    try:
        _lock(file)
    except OSError:
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        place = file.tell()
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(place)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
