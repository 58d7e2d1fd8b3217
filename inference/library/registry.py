"""The list of models that a person added from elsewhere: links, never copies.

One JSON file in the data folder, always replaced as a whole.
"""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING

import msgspec

from inference.errors import DiskFullError, ReadOnlyFolderError
from inference.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from inference.errors import StoreError

_log = logging.getLogger(__name__)
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows knows no quota error


class Added(msgspec.Struct, frozen=True):
    """One added model: its id for good, and where it lies."""

    id: str
    path: str


class Moved(msgspec.Struct, frozen=True):
    """A model that was moved into a models folder, and its way back.

    Attributes:
        now: Its file or folder.
        before: Where that was.
        files: Every file now and before.
        moved_at: When, in seconds since the epoch.
    """

    now: str
    before: str
    files: tuple[tuple[str, str], ...]
    moved_at: float = 0.0


class Entries(msgspec.Struct, frozen=True):
    """What the file holds; ``forgotten`` and ``moved`` ones can be brought back."""

    schema_version: int = 1
    added: tuple[Added, ...] = ()
    forgotten: tuple[Added, ...] = ()
    moved: tuple[Moved, ...] = ()


class Registry:
    """Reads and replaces the list; a list that cannot be read counts as empty and is kept aside.

    Args:
        path: The JSON file; it and its folder are made when something is saved.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._complained = False

    def load(self) -> Entries:
        """Return the list; empty when there is none yet."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Entries)
        except (FileNotFoundError, NotADirectoryError):
            return Entries()
        except (OSError, msgspec.DecodeError) as exc:
            if not self._complained:
                _log.warning("the list of added models cannot be read: %s", exc)
            self._complained = True
            return Entries()

    def save(self, entries: Entries) -> None:
        """Replace the list.

        Raises:
            StoreError: The folder cannot be written, or the disk is full; the old list stays.
        """
        try:
            self._keep_unreadable()
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(entries)))
        except OSError as exc:
            raise store_error(exc, self._path.parent) from exc

    def _keep_unreadable(self) -> None:
        try:
            msgspec.json.decode(self._path.read_bytes(), type=Entries)
        except FileNotFoundError:
            return
        except msgspec.DecodeError:
            self._path.replace(self._path.with_suffix(".damaged.json"))


def disk_is_full(error: OSError) -> bool:
    """Say whether a disk or a quota is full."""
    return error.errno in _FULL


def store_error(error: OSError, folder: Path) -> StoreError:
    """Say what keeps a folder from being changed."""
    if disk_is_full(error):
        return DiskFullError(
            f"The disk of {folder} is full, so the list of models was not changed.",
            "Free some space and try again.",
            str(error),
        )
    return ReadOnlyFolderError(
        f"The folder {folder} cannot be changed.",
        "Check that you may write there and that no program has its files open. A loaded model "
        "has to be unloaded first.",
        str(error),
    )
