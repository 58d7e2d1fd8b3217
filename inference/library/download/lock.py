"""One writer per part file, across processes; the system lets go when a process dies."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def take_lock(path: Path) -> IO[bytes] | None:
    """Lock a file made for that purpose; return it, or ``None`` when somebody else has it.

    Closing it lets go. The file itself stays: removing it while others open it would give two of
    them a lock.
    """
    handle = path.open("ab")
    try:
        _lock(handle)
    except OSError:
        handle.close()
        return None
    return handle


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: IO[bytes]) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: IO[bytes]) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
