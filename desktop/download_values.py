"""What is asked of downloads and what they say: plain frozen values. Knows no Qt and no threads."""

from __future__ import annotations

from typing import Literal

import msgspec

RowState = Literal[
    "asking",  # the hub is asked what there is
    "queued",
    "checking",  # what is here already is read and hashed
    "downloading",
    "waiting",  # until the next try; see ``retry_at``
    "paused",
    "failed",
    "aside",  # arrived twice with other bytes than published; kept, not used
    "finished",
]
Group = Literal["now", "needs_you", "waiting", "done"]

MOVING: frozenset[RowState] = frozenset({"asking", "checking", "downloading"})
"""Something happens right now."""

UNDER_WAY: frozenset[RowState] = MOVING | {"queued", "waiting"}
"""It goes on by itself."""

_GROUPS: dict[RowState, Group] = {
    "asking": "now",
    "checking": "now",
    "downloading": "now",
    "failed": "needs_you",
    "aside": "needs_you",
    "queued": "waiting",
    "waiting": "waiting",
    "paused": "waiting",
    "finished": "done",
}


class Wanted(msgspec.Struct, frozen=True):
    """Download this.

    Attributes:
        repo: ``org/name`` on the hub.
        wanted: A file of it, a part of a GGUF file's name such as ``Q4_K_M``, or empty: the usual
            choice, and for a repository without GGUF the safetensors with what belongs to them.
        revision: Branch, tag or commit; empty means the newest.
        name: What the person calls it; empty takes the repository's name.
        size_bytes: About how large, until the hub has said it; 0 when not known.
        load: Whether it is loaded as soon as it is there.
    """

    repo: str
    wanted: str = ""
    revision: str = ""
    name: str = ""
    size_bytes: int = 0
    load: bool = False


class DownloadRow(msgspec.Struct, frozen=True):
    """One download as it stands.

    Attributes:
        id: Stable for as long as it is listed.
        repo: ``org/name``.
        name: What the person calls it.
        file: The file that stands for it, or the repository for several.
        wanted: What was asked for of the repository, where the hub has not answered yet.
        state: See ``RowState``.
        done_bytes: On this disk.
        total_bytes: Of all its files; 0 when not known yet.
        bytes_per_s: Mean of the last seconds.
        remaining_s: At that speed; ``None`` when not known.
        retry_at: Seconds since the epoch of the next try; 0 when there is none.
        note: A sentence about what it waits for, or empty.
        title: In a few words, what stopped it.
        message: The sentence behind that.
        hint: What to do.
        detail: Technical text.
        error: Wire name of the error, or empty.
        path: Where the model is, or will be.
        since: When the state last changed, in seconds since the epoch.
        spent_s: Seconds it took, pauses left out.
        files_done: Files that are here.
        files_total: All its files.
        sha256: Of the main file once finished; empty for several.
        by_person: Whether it was the person who paused it; else the app ended meanwhile.
    """

    id: str
    repo: str
    name: str
    file: str
    state: RowState
    wanted: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0
    remaining_s: float | None = None
    retry_at: float = 0.0
    note: str = ""
    title: str = ""
    message: str = ""
    hint: str = ""
    detail: str = ""
    error: str = ""
    path: str = ""
    since: float = 0.0
    spent_s: float = 0.0
    files_done: int = 0
    files_total: int = 1
    sha256: str = ""
    by_person: bool = False

    @property
    def group(self) -> Group:
        """Under which heading it stands."""
        return _GROUPS[self.state]

    @property
    def is_busy(self) -> bool:
        """Whether figures change by themselves, with or without news."""
        return self.state in MOVING or self.state == "waiting"

    @property
    def fraction(self) -> float:
        """How much of it is here, 0 to 1."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else 0.0

    @property
    def can_pause(self) -> bool:
        """Whether it goes on by itself until told otherwise."""
        return self.state in UNDER_WAY

    @property
    def can_resume(self) -> bool:
        """Whether it can go on, or be tried again."""
        return self.state in {"paused", "failed", "aside"}


class DownloadTotals(msgspec.Struct, frozen=True):
    """All rows together.

    Attributes:
        running: Downloads that move right now.
        bytes_per_s: Their speed.
        left_bytes: Bytes that are missing of everything that goes on by itself.
        remaining_s: At that speed; ``None`` when not known.
        planned_bytes: Bytes that are missing of everything listed and not finished.
    """

    running: int = 0
    bytes_per_s: float = 0.0
    left_bytes: int = 0
    remaining_s: float | None = None
    planned_bytes: int = 0


class DiskUse(msgspec.Struct, frozen=True):
    """The disk of the models folder, in bytes."""

    folder: str
    free_bytes: int
    total_bytes: int
    models_bytes: int


def totals(rows: tuple[DownloadRow, ...]) -> DownloadTotals:
    """Add the rows up."""
    speed = sum(row.bytes_per_s for row in rows)
    left = sum(_missing(row) for row in rows if row.state in UNDER_WAY)
    return DownloadTotals(
        running=sum(row.state in MOVING for row in rows),
        bytes_per_s=speed,
        left_bytes=left,
        remaining_s=left / speed if speed and left else None,
        planned_bytes=sum(_missing(row) for row in rows if row.state != "finished"),
    )


def _missing(row: DownloadRow) -> int:
    return max(0, row.total_bytes - row.done_bytes)
