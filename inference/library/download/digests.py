"""Hashes of a file while it streams, in a thread of their own: hashing must not slow the network.

hashlib lets go of the interpreter for large blocks, so that both really run at once.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.library.download.values import RemoteFile

BLOCK = 1 << 20
"""Bytes read, written and hashed at a time."""

_WAITING = 4
"""Blocks that may wait for the hash; the memory of a download is a few of them."""


class Digests:
    """The hashes of the first ``offset`` bytes of a file.

    Args:
        size_bytes: Length of the whole file; git's hash begins with it.
    """

    def __init__(self, size_bytes: int) -> None:
        self.offset = 0
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
        self._with_git = size_bytes <= BLOCK * 16  # only small files are published by git's hash

    def update(self, data: bytes | bytearray) -> None:
        """Add bytes."""
        self._sha256.update(data)
        if self._with_git:
            self._git.update(data)
        self.offset += len(data)

    def copy(self) -> Digests:
        """Return hashes that go on from here on their own."""
        twin = Digests.__new__(Digests)
        twin.offset, twin._with_git = self.offset, self._with_git  # noqa: SLF001  own class
        twin._sha256, twin._git = self._sha256.copy(), self._git.copy()  # noqa: SLF001  own class
        return twin

    @property
    def sha256(self) -> str:
        """Of everything so far."""
        return self._sha256.hexdigest()

    def match(self, file: RemoteFile) -> bool:
        """Tell whether this is the whole published content."""
        if self.offset != file.size_bytes:
            return False
        if file.sha256:
            return self.sha256 == file.sha256
        if file.git_sha1 and self._with_git:
            return self._git.hexdigest() == file.git_sha1
        return True


class HashThread:
    """Feeds blocks to ``Digests`` beside the caller; ``close`` ends the thread.

    Args:
        digests: Where to go on from.
    """

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._blocks: queue.Queue[bytes | bytearray | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="download hash", daemon=True)
        self._thread.start()

    def feed(self, data: bytes | bytearray) -> None:
        """Add bytes, which the caller may not change afterwards; waits when too many wait."""
        self._blocks.put(data)

    def settled(self) -> Digests:
        """Wait until everything is hashed and return the hashes."""
        self._blocks.join()
        return self._digests

    def close(self) -> None:
        """Finish what waits and end the thread."""
        self._blocks.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (data := self._blocks.get()) is not None:
            self._digests.update(data)
            self._blocks.task_done()
        self._blocks.task_done()
