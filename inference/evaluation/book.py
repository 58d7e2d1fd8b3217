"""Results that were measured before, and the hashes of models' files; one JSON file.

Losing it costs time only. A file that cannot be read is begun anew.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from inference.evaluation.identity import model_hash
from inference.evaluation.result import Result
from inference.files import replace_file
from inference.library.scan import stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.cancel import CancelToken
    from inference.evaluation.result import Key
    from inference.library.scan import Stamp

_log = logging.getLogger(__name__)
FILE: Final = "evaluations.json"
_MOST: Final = 400
"""Results kept; the oldest go first. One takes some two kilobytes."""


class _Hash(msgspec.Struct, frozen=True):
    stamp: tuple[str | int, ...]
    sha256: str


class _Content(msgspec.Struct):
    results: list[Result] = []
    hashes: dict[str, _Hash] = {}


class ResultBook:
    """All results kept. May be used from several threads.

    Args:
        path: The file, ``<data>/evaluations.json``; made by the first result.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._content: _Content | None = None
        self._stamp: Stamp = ()

    def of_text(self, text: str) -> tuple[Result, ...]:
        """Return the results on a text, by its hash, the newest first."""
        with self._lock:
            return tuple(one for one in reversed(self._read().results) if one.key.text == text)

    def find(self, key: Key) -> Result | None:
        """Return the newest result of that kind."""
        return next((one for one in self.of_text(key.text) if one.key == key), None)

    def keep(self, result: Result) -> None:
        """Put a result in the place of an older one of its kind; never raises."""
        with self._lock:
            content = self._read()
            content.results = [one for one in content.results if one.key != result.key]
            content.results = [*content.results, result][-_MOST:]
            self._write(content)

    def known_hash(self, path: Path) -> str:
        """Return the hash of a model's files; empty where it would take reading them."""
        stamp = stamp_of(path)
        with self._lock:
            known = self._read().hashes.get(str(path))
        return known.sha256 if known is not None and stamp and known.stamp == stamp else ""

    def hash_of(self, path: Path, cancel: CancelToken, progress: Callable[[float], None]) -> str:
        """Return the hash of a model's files, read again only where they have changed.

        Of files that are gone nothing is kept.

        Raises:
            StoppedError: Cancelled.
            InferenceError: A file cannot be read.
        """
        stamp, known = stamp_of(path), self.known_hash(path)
        if known:
            return known
        found = model_hash(path, cancel, progress)
        with self._lock:
            content = self._read()
            content.hashes = {
                place: known for place, known in content.hashes.items() if stamp_of(Path(place))
            }
            content.hashes[str(path)] = _Hash(stamp, found)
            self._write(content)
        return found

    def _read(self) -> _Content:
        """Return the content, read again where another process has written it."""
        stamp = stamp_of(self._path)
        if self._content is None or stamp != self._stamp:
            self._content, self._stamp = _Content(), stamp
            try:
                self._content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
            except FileNotFoundError:
                pass
            except (OSError, msgspec.DecodeError) as exc:
                _log.info("results from before are not used: %s", exc)
        return self._content

    def _write(self, content: _Content) -> None:
        try:
            replace_file(self._path, msgspec.json.encode(content))
            self._stamp = stamp_of(self._path)
        except (OSError, UnicodeEncodeError) as exc:  # a full disk must not cost a measurement
            _log.info("a result was not kept: %s", exc)
