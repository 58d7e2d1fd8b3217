"""The folder of kept work as files: names, sizes, what goes first. Opens none of them.

Light enough for the window: no numpy, no engine. Any process may add and remove files at any time.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from inference.past.identity import short_digest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_log = logging.getLogger(__name__)

_ENDING: Final = ".safetensors"
_UNFINISHED: Final = ".part"
_ABANDONED_S: Final = 600.0
_FREE_BYTES: Final = 1 << 30
"""So much of the disk is left to others."""


def file_name(identity: str, chat: str) -> str:
    """Make a name that no other file has.

    Args:
        identity: ``Identity.short``.
        chat: ``short_digest`` of the chat's key.
    """
    return f"{identity}-{chat}-{uuid.uuid4().hex[:12]}{_ENDING}"


def files(folder: Path, chat: str = "*") -> list[tuple[Path, int]]:
    """Return files and their sizes, the one not used for the longest time first.

    Args:
        folder: May be absent.
        chat: Only those of one chat; ``short_digest`` of its key.
    """
    found: list[tuple[float, Path, int]] = []
    with suppress(OSError):
        for path in folder.glob(f"*-{chat}-*{_ENDING}"):
            with suppress(OSError):  # another process was quicker
                about = path.stat()
                found.append((about.st_mtime, path, about.st_size))
    return [(path, size) for _used, path, size in sorted(found)]


def used_bytes(folder: Path) -> int:
    """Return what all kept work takes on the disk."""
    return sum(size for _path, size in files(folder))


def mark_used(path: Path) -> None:
    """Let a file be the last to go."""
    with suppress(OSError):
        os.utime(path)


def remove(path: Path) -> bool:
    """Delete a file; ``False`` where the system holds on to it, as Windows does while it is mapped.

    Nothing is raised: a file that stays is tried again when room is needed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        _log.info("kept work stays for now, %s: %s", path.name, exc)
        return False
    return True


def forget(folder: Path, keys: Iterable[str]) -> None:
    """Delete the kept work of some chats, of every model."""
    for key in keys:
        for path, _size in files(folder, short_digest(key)):
            remove(path)


def clear(folder: Path) -> None:
    """Delete all kept work, also what was left unfinished."""
    for path, _size in files(folder):
        remove(path)
    _sweep(folder, older_than_s=0.0)


def make_room(folder: Path, size: int, limit: int) -> bool:
    """Delete what was not used for the longest time until a new file fits.

    Args:
        folder: Made where it is absent.
        size: Bytes of the new file.
        limit: Bytes that all files together may have.

    Returns:
        Whether there is room now.

    Raises:
        OSError: The folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, older_than_s=_ABANDONED_S)
    if size > limit or shrink(folder, limit - size) > limit - size:
        return False
    return shutil.disk_usage(folder).free - size >= _FREE_BYTES


def shrink(folder: Path, limit: int) -> int:
    """Delete what was not used for the longest time until the rest is within a limit.

    Returns:
        Bytes that are left: more than the limit where files could not be deleted.
    """
    kept = files(folder)
    total = sum(size for _path, size in kept)
    for path, size in kept:
        if total <= limit:
            break
        total -= size if remove(path) else 0
    return total


def unfinished(path: Path) -> Path:
    """Return the name that a file has until it is whole."""
    return path.with_name(path.name + _UNFINISHED)


def _sweep(folder: Path, older_than_s: float) -> None:
    """Delete what processes that died in the middle of writing have left."""
    now = time.time()
    with suppress(OSError):
        for path in folder.glob(f"*{_UNFINISHED}"):
            with suppress(OSError):
                if now - path.stat().st_mtime >= older_than_s:
                    path.unlink()
