"""Fetch one file into its part file, whatever the network does on the way.

Story: open the part and hash what is there; ask for the rest; write what comes; on trouble wait
and ask again from where it stands; when everything is there, compare the hash; a wrong hash means
once more from the start, and after that the bytes are kept aside and the person is told.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, Protocol

from inference.errors import HashMismatchError, NetworkError
from inference.library.download.answers import (
    accepted_start,
    check_identity,
    trouble_of_status,
)
from inference.library.download.digests import BLOCK
from inference.library.download.patience import StoppedError, TryAgainError
from inference.library.download.wire import origin

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.library.download.parts import PartFile
    from inference.library.download.patience import Patience
    from inference.library.download.values import RemoteFile
    from inference.library.download.wire import Answer, Wire

_log = logging.getLogger(__name__)
_REPORT_S = 0.1
_FLUSH_S = 0.02  # what a kill can cost; short, because a slow network makes small blocks


class Report(Protocol):
    """Who wants to know; called from the downloading thread."""

    def checked(self, done_bytes: int) -> None:
        """Bytes that were there are read and good."""

    def received(self, done_bytes: int) -> None:
        """The part file has so many bytes now."""

    def waiting(self, reason: str, wait_s: float) -> None:
        """The next try is in ``wait_s`` seconds; ``reason`` is a sentence."""

    def noted(self, sentence: str) -> None:
        """Something happened that was mended."""


class Fetch:
    """One file on its way.

    Args:
        wire: Connections.
        url: Where the hub has the file, at a fixed commit.
        file: What is published.
        part: Where it goes; opened and closed here.
        report: Who wants to know.
        cancel: Stops within a fraction of a second.
        patience: How long to bear with the network.
    """

    def __init__(
        self,
        wire: Wire,
        url: str,
        file: RemoteFile,
        part: PartFile,
        *,
        report: Report,
        cancel: CancelToken,
        patience: Patience,
    ) -> None:
        self._wire = wire
        self._url = url
        self._hub = origin(url)
        self._file = file
        self._part = part
        self._report = report
        self._cancel = cancel
        self._patience = patience
        self._plain = False  # the server does not do ranges

    def run(self) -> str:
        """Fetch, check and mark as whole; return the sha256.

        Raises:
            DownloadError: One of its children; what arrived is kept.
            StoppedError: Cancelled; what arrived is kept.
        """
        try:
            self._part.open(self._cancel, self._report.checked)
            for last in (False, True):
                self._fill()
                if self._part.matches():
                    return self._part.finish()
                if not last:
                    self._report.noted("What arrived was damaged; it is fetched once more.")
                    self._part.restart()
                    self._report.received(0)
            raise self._mismatch()
        finally:
            self._part.close()

    def _mismatch(self) -> HashMismatchError:
        arrived = self._part.prefix_sha256()
        kept = self._part.keep_aside()
        return HashMismatchError(
            f"{self._file.path} arrived twice with other bytes than were published.",
            "Try again later or from another network. The bytes are kept as "
            f"{kept.name} in {kept.parent}, and are not used.",
            f"published: {self._file.identity}\narrived: sha256 {arrived}",
        )

    def _fill(self) -> None:
        """Ask until all bytes are here."""
        failures = 0
        while self._part.offset < self._file.size_bytes:
            before = self._part.offset
            try:
                self._ask()
            except TryAgainError as trouble:
                failures = 1 if self._part.offset > before else failures + 1
                _log.info("%s: %s %s", self._file.path, trouble.reason, trouble.detail)
                self._wait(trouble, failures)

    def _wait(self, trouble: TryAgainError, failures: int) -> None:
        """Wait for the next try, or give up."""
        if failures >= (trouble.most or self._patience.tries):
            raise NetworkError(
                f"{trouble.reason} It was tried {failures} times.",
                "What has arrived is kept: check the network and go on.",
                trouble.detail,
            ) from trouble
        asked = trouble.asked_s
        if asked is not None and asked > self._patience.longest_asked_s:
            raise NetworkError(
                f"The server asks to wait {asked / 60:.0f} minutes before going on.",
                "What has arrived is kept: go on later.",
                trouble.detail,
            ) from trouble
        wait_s = self._patience.wait_s(failures) if asked is None else asked
        self._report.waiting(trouble.reason, wait_s)
        if self._cancel.wait(wait_s):
            raise StoppedError

    def _ask(self) -> None:
        """Make one request and write what it brings."""
        have = self._part.offset
        with self._wire.get(self._url, have if have and not self._plain else None) as answer:
            check_identity(answer, self._hub, self._file)
            trouble = trouble_of_status(answer, self._hub, self._file)
            if trouble is not None:
                self._plain = self._plain or answer.status == 416
                raise trouble
            start = accepted_start(answer, have, self._file)
            if start is None:
                self._plain = True
                raise TryAgainError("The server answered with another part of the file.", most=3)
            self._receive(answer, have - start)
        if self._part.offset < self._file.size_bytes:
            raise TryAgainError("The connection ended early.")

    def _receive(self, answer: Answer, known: int) -> None:
        """Write the body; its first ``known`` bytes are here already and only compared."""
        body = _Body(self._part, self._file.size_bytes, known)
        quiet = _StallWatch(self._patience)
        reported = 0.0
        try:
            for chunk in answer.chunks():
                if self._cancel.cancelled:
                    raise StoppedError
                now = time.monotonic()
                body.add(chunk, now)
                quiet.add(len(chunk), now)
                if now - reported >= _REPORT_S:
                    reported = now
                    self._report.received(self._part.offset)
        finally:
            body.flush()
            self._report.received(self._part.offset)


class _Body:
    """Gathers small chunks into blocks for the disk, and compares what is known."""

    def __init__(self, part: PartFile, size_bytes: int, known: int) -> None:
        self._part = part
        self._room = size_bytes - part.offset
        self._known = known
        self._seen = hashlib.sha256() if known else None
        self._block = bytearray()
        self._flushed = time.monotonic()

    def add(self, chunk: bytes, now: float) -> None:
        if self._known:
            chunk = self._compare(chunk)
        if len(chunk) > self._room:
            raise TryAgainError("The file on the server is longer than it was announced.", most=2)
        self._room -= len(chunk)
        self._block += chunk
        if len(self._block) >= BLOCK or now - self._flushed > _FLUSH_S:
            self.flush()
            self._flushed = now

    def flush(self) -> None:
        if self._block:
            block, self._block = self._block, bytearray()
            self._part.append(block)

    def _compare(self, chunk: bytes) -> bytes:
        """Take known bytes off; when all were seen, they have to be the ones on the disk."""
        assert self._seen is not None  # noqa: S101  known bytes are counted together with it
        old, new = chunk[: self._known], chunk[self._known :]
        self._seen.update(old)
        self._known -= len(old)
        if not self._known and self._seen.hexdigest() != self._part.prefix_sha256():
            self._part.restart()
            raise TryAgainError("The file on the server is another one now.", most=2)
        return new


class _StallWatch:
    """Finds connections that drip: alive, but bringing nothing."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._bytes = 0

    def add(self, count: int, now: float) -> None:
        self._bytes += count
        if now - self._since < self._patience.stall_s:
            return
        if self._bytes < self._patience.stall_bytes:
            raise TryAgainError("The download stalled.", f"{self._bytes} bytes")
        self._since, self._bytes = now, 0
