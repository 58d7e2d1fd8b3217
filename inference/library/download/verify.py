"""Read a model's files again and compare their hashes with what was published.

For files that came from elsewhere nothing was published that is known here; their hash is
remembered at the first check, so that a later one can tell whether they have changed since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from inference.files import replace_file
from inference.library import split_files
from inference.library.download.digests import BLOCK, Digests
from inference.library.download.patience import StoppedError
from inference.library.download.receipts import find_receipt
from inference.library.download.values import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from inference.cancel import CancelToken

MEMORY = "hashes.json"
"""The file in the data folder that keeps the hashes of files from elsewhere."""

Verdict = Literal["intact", "damaged", "missing", "unreadable", "first seen", "changed"]
"""``first seen`` and ``changed`` are for files that nobody published a hash of."""

_STORE_NAME = re.compile(r"(?:sha256-)?(?P<sha256>[0-9a-f]{64})")
"""Other apps' stores call a file by its hash: the Hugging Face cache and Ollama do."""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file: what was found and what was expected; hashes are empty where there are none."""

    path: str
    size_bytes: int
    verdict: Verdict
    sha256: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """All files of a model.

    Attributes:
        files: One by one.
        repo: Where they are from, or empty.
        revision: The commit of the files, or empty.
    """

    files: tuple[FileCheck, ...]
    repo: str = ""
    revision: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing speaks against the files."""
        return all(file.verdict in ("intact", "first seen") for file in self.files)

    @property
    def published(self) -> bool:
        """Whether every file was compared with a published hash."""
        return bool(self.files) and all(file.expected for file in self.files)


def verify(
    path: Path,
    memory: Path,
    cancel: CancelToken,
    on_progress: Callable[[str, int, int], None],
) -> Verification:
    """Hash a model's files.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        memory: JSON file that keeps the hashes of files from elsewhere.
        cancel: Ends the reading.
        on_progress: Told a file's name, bytes read and bytes in all.

    Raises:
        StoppedError: Cancelled.
        OSError: ``memory`` cannot be written.
    """
    found = find_receipt(path)
    folder, receipt = found if found else (path.parent, None)
    seen = _Memory(memory)
    checks: list[FileCheck] = []
    commits: set[str] = set()
    for file in _files(path):
        name = file.relative_to(folder).as_posix() if found else file.name
        stored = receipt.files.get(name) if receipt else None
        published = stored.published if stored else _named_by_hash(file)
        if stored:
            commits.add(stored.revision)
        try:
            digests = _hash(file, cancel, on_progress)
        except FileNotFoundError:
            checks.append(FileCheck(str(file), 0, "missing"))
            continue
        except OSError:
            checks.append(FileCheck(str(file), 0, "unreadable"))
            continue
        checks.append(_judge(file, digests, published, seen))
    seen.save()
    repo = receipt.repo if receipt and commits else ""
    return Verification(tuple(checks), repo, commits.pop() if len(commits) == 1 else "")


def moved(memory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Let remembered hashes follow files that were moved; raises OSError.

    Args:
        memory: See ``verify``.
        files: Where each was, and where it is.
    """
    seen = _Memory(memory)
    for before, now in files:
        seen.follow(before, now)
    seen.save()


class _Memory:
    """Hashes of files from elsewhere, by absolute path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False
        try:
            self._known = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            self._known = {}

    def compare(self, file: Path, sha256: str) -> tuple[Verdict, str]:
        """Return the verdict and the hash known before."""
        before = self._known.get(str(file), "")
        if before:
            return ("intact" if before == sha256 else "changed"), before
        self._known[str(file)] = sha256
        self._changed = True
        return "first seen", ""

    def follow(self, before: str, now: str) -> None:
        """Keep a file's hash under its new place."""
        if before in self._known:
            self._known[now] = self._known.pop(before)
            self._changed = True

    def save(self) -> None:
        if self._changed:
            replace_file(self._path, msgspec.json.encode(self._known))


def _files(path: Path) -> Iterator[Path]:
    """Give the files of a model, those that ought to be there included."""
    if not path.is_dir():
        yield from split_files.parts(path)
        return
    found = find_receipt(path)
    known = {found[0] / name for name in found[1].files} if found else set()
    inside = {one for one in known if one.is_relative_to(path) and one.suffix != ".gguf"}
    there = {one for one in path.iterdir() if one.is_file() and not one.name.startswith(".")}
    yield from sorted(inside | {one for one in there if one.suffix != ".gguf"})


def _named_by_hash(file: Path) -> RemoteFile | None:
    match = _STORE_NAME.fullmatch(file.resolve().name)
    if match is None or not file.exists():
        return None
    return RemoteFile(file.name, file.stat().st_size, sha256=match["sha256"])


def _hash(file: Path, cancel: CancelToken, on_progress: Callable[[str, int, int], None]) -> Digests:
    size = file.stat().st_size
    digests = Digests(size)
    with file.open("rb") as opened:
        while data := opened.read(BLOCK):
            if cancel.cancelled:
                raise StoppedError
            digests.update(data)
            on_progress(file.name, digests.offset, size)
    return digests


def _judge(file: Path, digests: Digests, published: RemoteFile | None, seen: _Memory) -> FileCheck:
    verdict: Verdict
    if published is not None and published.has_hash:
        verdict = "intact" if digests.match(published) else "damaged"
        expected = published.identity
    else:
        verdict, expected = seen.compare(file, digests.sha256)
    return FileCheck(str(file), digests.offset, verdict, digests.sha256, expected)
