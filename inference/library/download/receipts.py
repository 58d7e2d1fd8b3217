"""What is known about downloaded files: where they are from, and their published hashes.

One hidden JSON file in each model's folder, so that it moves with the files.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from inference.files import replace_file
from inference.library.download.values import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from inference.library.download.values import Plan

NAME = ".glasshouse.json"
_writing = threading.Lock()
"""Downloads of one repository may finish at once."""


class Stored(msgspec.Struct, frozen=True):
    """A file as it was when it got its name.

    Attributes:
        published: What the hub says it is.
        sha256: Computed here.
        mtime_ns: Modification time then; another one means somebody changed the file.
        checked_at: When, ISO 8601 in UTC.
        revision: The commit it is from.
    """

    published: RemoteFile
    sha256: str
    mtime_ns: int
    checked_at: str
    revision: str


class Receipt(msgspec.Struct, frozen=True):
    """What a folder holds from a hub."""

    repo: str
    endpoint: str
    license: str = ""
    files: dict[str, Stored] = {}
    schema_version: int = 1


def read_receipt(folder: Path) -> Receipt | None:
    """Return what is known about a folder's files, ``None`` where they came from elsewhere."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError):
        return None


def find_receipt(path: Path) -> tuple[Path, Receipt] | None:
    """Return the folder and the receipt that a model's file or folder belongs to."""
    start = path if path.is_dir() else path.parent
    for folder in (start, *list(start.parents)[:3]):
        receipt = read_receipt(folder)
        if receipt is not None:
            return folder, receipt
    return None


def unchanged(folder: Path, file: RemoteFile) -> Stored | None:
    """Return the record of a file that is here as published and untouched since."""
    receipt = read_receipt(folder)
    stored = receipt.files.get(file.path) if receipt else None
    if stored is None or not file.has_hash or stored.published.identity != file.identity:
        return None
    try:
        facts = (folder / file.path).stat()
    except OSError:
        return None
    same = facts.st_size == file.size_bytes and facts.st_mtime_ns == stored.mtime_ns
    return stored if same else None


def record(plan: Plan, folder: Path, hashes: Mapping[str, str]) -> None:
    """Write down the files of a finished download; raises OSError."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    stored = {
        file.path: Stored(
            file,
            hashes[file.path],
            (folder / file.path).stat().st_mtime_ns,
            now,
            plan.revision,
        )
        for file in plan.files
    }
    with _writing:
        before = read_receipt(folder)
        files = (before.files if before else {}) | stored
        receipt = Receipt(plan.repo, plan.endpoint, plan.license, files)
        replace_file(folder / NAME, msgspec.json.format(msgspec.json.encode(receipt)))


def follow(files: Iterable[tuple[Path, Path]], place: Path) -> None:
    """Let what is known of files go with them to another folder; raises OSError.

    Only for files that lie in their repository as they will lie in the folder; a receipt that is
    there about another repository stays as it is.

    Args:
        files: Where each was, and where it is.
        place: The model's new folder.
    """
    origin: Receipt | None = None
    known: dict[str, Stored] = {}
    for before, now in files:
        found = find_receipt(before)
        name = now.relative_to(place).as_posix()
        if found is None or before != found[0] / name or name not in found[1].files:
            continue
        origin = found[1]
        known[name] = found[1].files[name]
    if origin is None:
        return
    with _writing:
        there = read_receipt(place)
        if there is not None and there.repo != origin.repo:
            return
        files_known = (there.files if there else {}) | known
        receipt = Receipt(origin.repo, origin.endpoint, origin.license, files_known)
        replace_file(place / NAME, msgspec.json.format(msgspec.json.encode(receipt)))


def forget(folder: Path, names: Iterable[str]) -> None:
    """Drop what is known of files that have left a folder, and an empty receipt; raises OSError."""
    with _writing:
        receipt = read_receipt(folder)
        if receipt is None:
            return
        gone = set(names)
        files = {name: stored for name, stored in receipt.files.items() if name not in gone}
        if files == receipt.files:
            return
        if not files:
            (folder / NAME).unlink()
            return
        rest = Receipt(receipt.repo, receipt.endpoint, receipt.license, files)
        replace_file(folder / NAME, msgspec.json.format(msgspec.json.encode(rest)))
