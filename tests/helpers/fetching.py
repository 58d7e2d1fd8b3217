"""Fetch a file of the local hub in this process, and keep what was said on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.library.download.parts import PartFile
from inference.library.download.store_files import bring, place
from inference.library.download.values import Plan, RemoteFile
from inference.library.download.wire import Wire

if TYPE_CHECKING:
    from inference.library.download.patience import Patience
    from tests.helpers.local_hub import LocalHub


@dataclass
class Heard:
    """A report that remembers; ``stop_at`` cancels once so many bytes have arrived."""

    cancel: CancelToken = field(default_factory=CancelToken)
    stop_at: int | None = None
    checked_bytes: int = 0
    received_bytes: int = 0
    waits: list[tuple[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def checked(self, done_bytes: int) -> None:
        self.checked_bytes = done_bytes

    def received(self, done_bytes: int) -> None:
        self.received_bytes = done_bytes
        if self.stop_at is not None and done_bytes >= self.stop_at:
            self.cancel.cancel()

    def waiting(self, reason: str, wait_s: float) -> None:
        self.waits.append((reason, wait_s))

    def noted(self, sentence: str) -> None:
        self.notes.append(sentence)


def plan_of(hub: LocalHub, repo_id: str, models: Path, revision: str = "main") -> Plan:
    """Plan all files of a repository as the hub lists them."""
    repo = hub.repos[repo_id]
    sha = repo.resolve(revision)
    assert sha is not None
    files = tuple(
        RemoteFile(name, blob.size, blob.sha256 if blob.large else "", "" if blob.large else
                   blob.git_sha1)
        for name, blob in sorted(repo.commits[sha].items())
    )  # fmt: skip
    return Plan(repo_id, sha, hub.endpoint, str(models / repo_id), files, files[0].path)


def fetch(plan: Plan, patience: Patience, heard: Heard | None = None, token: str = "") -> Path:
    """Bring and place the files of a plan; return the main one."""
    heard = heard or Heard()
    hashes = {}
    wire = Wire(plan.endpoint, token, patience, heard.cancel)
    try:
        for file in plan.files:
            hashes[file.path] = bring(
                plan, file, wire, report=heard, cancel=heard.cancel, patience=patience
            )
    finally:
        wire.close()
    place(plan, hashes)
    return Path(plan.model_path)


def part_of(plan: Plan) -> PartFile:
    """Return the part file of a plan's first file."""
    return PartFile(Path(plan.folder), plan.files[0])
