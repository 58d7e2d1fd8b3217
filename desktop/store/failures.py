"""The one edge where sqlite3's and the file system's errors become sentences for a person."""

from __future__ import annotations

import errno
import sqlite3

from inference.errors import (
    DatabaseLockedError,
    DiskFullError,
    ReadOnlyFolderError,
    StoreError,
)

_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_READ_ONLY_ERRNOS = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT}
)


def store_error(exc: sqlite3.Error | OSError, place: str) -> StoreError:
    """Translate a foreign error.

    Args:
        exc: What sqlite3 or the file system said.
        place: The file or folder concerned, named in the sentence.
    """
    if isinstance(exc, OSError):
        return _from_os(exc, place)
    return _from_sqlite(exc, place)


def _from_os(exc: OSError, place: str) -> StoreError:
    detail = str(exc)
    if exc.errno in _FULL_ERRNOS:
        return disk_full(place, detail)
    if exc.errno in _READ_ONLY_ERRNOS:
        return read_only(place, detail)
    return StoreError(
        f"{_capital(place)} cannot be read or written.",
        "Look whether the disk is connected, then start Glasshouse again.",
        detail,
    )


def _from_sqlite(exc: sqlite3.Error, place: str) -> StoreError:
    # Extended codes carry the primary one in their low byte (sqlite.org/rescode.html).
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    detail = f"{getattr(exc, 'sqlite_errorname', type(exc).__name__)}: {exc}"
    if code == sqlite3.SQLITE_FULL:
        return disk_full(place, detail)
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return read_only(place, detail)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return in_use(place, detail)
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreError(
            f"{_capital(place)} is damaged and cannot be read.",
            "Move it to another folder and start Glasshouse again; a copy from a backup can be "
            "put in its place.",
            detail,
        )
    return StoreError(
        f"{_capital(place)} cannot be read or written.",
        "Look whether the disk is connected and has space left, then try again.",
        detail,
    )


def _capital(place: str) -> str:
    return place[:1].upper() + place[1:]


def disk_full(place: str, detail: str = "") -> DiskFullError:
    """There is no space left for ``place``."""
    return DiskFullError(
        f"The disk is full, so {place} cannot be saved.",
        "Free some space on that disk, then try again.",
        detail,
    )


def read_only(place: str, detail: str = "") -> ReadOnlyFolderError:
    """``place`` cannot be created or written."""
    return ReadOnlyFolderError(
        f"{_capital(place)} cannot be written, because its folder is read-only or not there.",
        "Give yourself permission to write there, or set GLASSHOUSE_HOME to another folder and "
        "start Glasshouse again.",
        detail,
    )


def in_use(place: str, detail: str = "") -> DatabaseLockedError:
    """Another window holds ``place``."""
    return DatabaseLockedError(
        f"Another Glasshouse window is using {place}.",
        "Close the other window, then start Glasshouse again here.",
        detail,
    )
