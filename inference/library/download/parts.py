"""A file that is still arriving: ``.part``, the sidecar beside it, and the way to its name.

A part lies in ``.download`` inside the folder that will receive the file, so that giving it its
name is one rename on one disk. Part of its own name is the identity of the content: bytes of two
versions can never meet in one file. The sidecar keeps hashes of the beginning, so that damage on
the disk (a power cut, a bad block) is found before more is fetched on top of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

import msgspec

from inference.errors import DownloadError, NoSpaceError
from inference.library.download.digests import BLOCK, Digests, HashThread
from inference.library.download.lock import take_lock
from inference.library.download.patience import StoppedError
from inference.library.download.values import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inference.cancel import CancelToken

STAGING = ".download"
_MARK_BYTES = 64 << 20
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class Mark(msgspec.Struct, frozen=True):
    """The sha256 of the first ``offset`` bytes."""

    offset: int
    sha256: str


class Sidecar(msgspec.Struct, frozen=True):
    """What a part file is a part of."""

    repo: str
    revision: str
    file: RemoteFile
    marks: tuple[Mark, ...] = ()
    schema_version: int = 1


class PartFile:
    """The bytes of one file so far. Used by one thread; ``open`` first, ``close`` last.

    Args:
        folder: The folder that will receive the file.
        file: What is published.
        repo: For the sidecar: where it comes from.
        revision: For the sidecar: the commit.
    """

    def __init__(self, folder: Path, file: RemoteFile, repo: str = "", revision: str = "") -> None:
        base = folder / STAGING / file.path
        stem = f"{base.name}.{file.identity[:16]}"
        self.path = base.with_name(f"{stem}.part")
        self.lock = base.with_name(f"{stem}.part.lock")
        self.whole = base.with_name(f"{stem}.whole")
        self.sidecar = base.with_name(f"{stem}.part.json")
        self.damaged = base.with_name(f"{stem}.damaged")
        self.offset = 0
        self._file = file
        self._origin = (repo, revision)
        self._handle: BinaryIO | None = None
        self._guard: IO[bytes] | None = None
        self._hashes: HashThread | None = None
        self._marks: list[Mark] = []

    def size_on_disk(self) -> int:
        """Return how many bytes are here, without looking at them."""
        for path in (self.whole, self.path):
            with contextlib.suppress(OSError):
                return min(path.stat().st_size, self._file.size_bytes)
        return 0

    def is_whole(self) -> bool:
        """Tell whether the file was fetched and checked before."""
        try:
            return self.whole.stat().st_size == self._file.size_bytes
        except OSError:
            return False

    def open(self, cancel: CancelToken, on_checked: Callable[[int], None]) -> None:
        """Open or make the part file and hash what is there.

        Args:
            cancel: Ends the reading.
            on_checked: Told how many bytes are read and good.

        Raises:
            DownloadError: Another process writes it, or the folder cannot be written.
            StoppedError: Cancelled.
        """
        with disk_trouble(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = take_lock(self.lock)
            if self._guard is None:
                raise DownloadError(
                    f"{Path(self._file.path).name} is being downloaded by another window or "
                    "command already.",
                    "Wait for it, or stop it there.",
                )
            self._handle = self.path.open("r+b" if self.path.exists() else "w+b", buffering=0)
            digests = self._read_back(cancel, on_checked)
            self._handle.truncate(digests.offset)
            self._handle.seek(digests.offset)
            self.offset = digests.offset
            self._hashes = HashThread(digests)
            self._save()

    def append(self, data: bytes | bytearray) -> None:
        """Write bytes at the end; ``data`` may not be changed afterwards."""
        handle, hashes = self._opened()
        with disk_trouble(self.path):
            view = memoryview(data)
            while view:
                view = view[handle.write(view) :]
        hashes.feed(data)
        self.offset += len(data)
        if self.offset - (self._marks[-1].offset if self._marks else 0) >= _MARK_BYTES:
            self._marks.append(Mark(self.offset, hashes.settled().sha256))
            self._save()

    def prefix_sha256(self) -> str:
        """Return the hash of what is here."""
        return self._opened()[1].settled().sha256

    def restart(self) -> None:
        """Throw away what is here."""
        handle, hashes = self._opened()
        hashes.close()
        with disk_trouble(self.path):
            handle.truncate(0)
            handle.seek(0)
        self.offset = 0
        self._marks.clear()
        self._hashes = HashThread(Digests(self._file.size_bytes))
        self._save()

    def matches(self) -> bool:
        """Tell whether everything is here and is what was published."""
        return self._opened()[1].settled().match(self._file)

    def finish(self) -> str:
        """Put the checked bytes safely on the disk, mark them as whole; return their sha256."""
        handle, hashes = self._opened()
        sha256 = hashes.settled().sha256
        with disk_trouble(self.path):
            os.fsync(handle.fileno())
            self._close_file()
            self.path.replace(self.whole)
            self.sidecar.unlink(missing_ok=True)
        self.close()
        return sha256

    def keep_aside(self) -> Path:
        """Give the bytes a name that nothing uses, for whoever wants to look; return it."""
        self._close_file()
        with disk_trouble(self.path):
            self.path.replace(self.damaged)
            self.sidecar.unlink(missing_ok=True)
        return self.damaged

    def close(self) -> None:
        """End the thread, close the file and let others have it; what was written stays."""
        self._close_file()
        if self._guard is not None:
            self._guard.close()
        self._guard = None

    def _close_file(self) -> None:
        if self._hashes is not None:
            self._hashes.close()
        if self._handle is not None:
            self._handle.close()
        self._hashes = self._handle = None

    def discard(self) -> None:
        """Remove everything of this file that lies in the staging folder."""
        with disk_trouble(self.path):
            for path in (self.path, self.sidecar, self.whole, self.damaged, self.lock):
                path.unlink(missing_ok=True)

    def _opened(self) -> tuple[BinaryIO, HashThread]:
        if self._handle is None or self._hashes is None:
            raise RuntimeError("the part file is not open")
        return self._handle, self._hashes

    def _read_back(self, cancel: CancelToken, on_checked: Callable[[int], None]) -> Digests:
        """Hash what is there, up to the first mark that does not agree."""
        handle = self._handle
        assert handle is not None  # noqa: S101  opened by the only caller
        digests = good = Digests(self._file.size_bytes)
        self._marks = []
        expected = {mark.offset: mark for mark in self._load_marks()}
        if self.path.stat().st_size > self._file.size_bytes or not self._file.has_hash:
            return digests  # these bytes could be anything
        for data in _blocks(handle, self._file.size_bytes, sorted(expected)):
            if cancel.cancelled:
                raise StoppedError
            digests.update(data)
            mark = expected.get(digests.offset)
            if mark and mark.sha256 != digests.sha256:
                return good
            if mark:
                good = digests.copy()
                self._marks.append(mark)
            on_checked(digests.offset)
        return digests

    def _load_marks(self) -> tuple[Mark, ...]:
        try:
            return msgspec.json.decode(self.sidecar.read_bytes(), type=Sidecar).marks
        except (OSError, msgspec.DecodeError):
            return ()  # the hash of the whole decides in the end

    def _save(self) -> None:
        sidecar = Sidecar(*self._origin, self._file, tuple(self._marks))
        temporary = self.sidecar.with_suffix(".tmp")
        with disk_trouble(self.sidecar):
            temporary.write_bytes(msgspec.json.format(msgspec.json.encode(sidecar)))
            temporary.replace(self.sidecar)  # not synced: losing it costs nothing but marks


def _blocks(handle: BinaryIO, size_bytes: int, stops: list[int]) -> Iterator[bytes]:
    """Read a file from its start in blocks that end at each stop, too."""
    place = 0
    for stop in (*stops, size_bytes):
        while place < stop:
            data = handle.read(min(BLOCK, stop - place))
            if not data:
                return
            place += len(data)
            yield data


@contextlib.contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Translate what a disk says: the one place where a download meets OSError."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise NoSpaceError(
                f"The disk of {path.parent} is full. The download stopped; what has arrived is "
                "kept.",
                "Free some space and go on.",
                str(exc),
            ) from exc
        if exc.errno == errno.EFBIG:
            raise DownloadError(
                f"The disk of {path.parent} does not hold files as large as this one.",
                "Sticks with FAT32 end at 4 GB: use a models folder on another disk.",
                str(exc),
            ) from exc
        raise DownloadError(
            f"The folder {path.parent} cannot be written ({exc.strerror or exc}).",
            "Check that the drive is there and that you may write to it, then go on.",
            str(exc),
        ) from exc
