"""The values of a download: what a hub lists, what will be fetched, how far it is."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal[
    "queued", "checking", "downloading", "waiting", "paused", "finished", "failed", "cancelled"
]
"""``checking`` reads what is there already; ``waiting`` lasts until the next try."""


class RemoteFile(msgspec.Struct, frozen=True):
    r"""A file as the hub publishes it; the hashes are lower-case hexadecimal or empty.

    Attributes:
        path: Relative to the repository, with ``/``.
        size_bytes: Length in bytes.
        sha256: Of the content; the hub has it for large (LFS) files.
        git_sha1: Of git's blob, ``sha1("blob <size>\0" + content)``; for the small ones.
    """

    path: str
    size_bytes: int
    sha256: str = ""
    git_sha1: str = ""

    @property
    def has_hash(self) -> bool:
        """Whether what arrives can be told from something else."""
        return bool(self.sha256 or self.git_sha1)

    @property
    def identity(self) -> str:
        """What tells this content from another of the same name."""
        return self.sha256 or self.git_sha1 or f"size{self.size_bytes}"


class Listing(msgspec.Struct, frozen=True):
    """One commit of a repository.

    Attributes:
        repo: ``org/name`` as the hub writes it now, also for a renamed repository.
        revision: The commit, 40 hexadecimal digits.
        files: All files of that commit.
        endpoint: The hub's address, no slash at its end.
        gated: Empty, ``auto`` (terms to accept) or ``manual`` (authors decide).
        license: SPDX-like name as its authors give it, or empty.
    """

    repo: str
    revision: str
    files: tuple[RemoteFile, ...]
    endpoint: str
    gated: str = ""
    license: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What a download will fetch, and where to.

    Attributes:
        repo: ``org/name``.
        revision: The commit.
        endpoint: The hub's address.
        folder: Absolute folder that receives the files, ``<models folder>/org/name``.
        files: All files of the model, those that are there already included.
        main: The file that stands for the model; empty for a checkpoint (the folder does).
        license: As the hub says.
        title: What the person calls it; empty where only the repository's name is known.
    """

    repo: str
    revision: str
    endpoint: str
    folder: str
    files: tuple[RemoteFile, ...]
    main: str = ""
    license: str = ""
    title: str = ""

    @property
    def total_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def model_path(self) -> str:
        """The ``.gguf`` file or the folder, as an engine takes it."""
        return f"{self.folder}/{self.main}" if self.main else self.folder


class JobView(msgspec.Struct, frozen=True):
    """A download as it stands, for a row in a list.

    Attributes:
        id: Stable as long as the download is in the queue.
        repo: ``org/name``.
        name: The file, or the repository for a checkpoint of several files.
        state: See ``State``.
        done_bytes: Bytes on this disk.
        total_bytes: Bytes of all its files.
        bytes_per_s: Mean of the last seconds; 0 when nothing moves.
        remaining_s: Seconds left at that speed; ``None`` when not known.
        file: The file that moved last.
        file_done_bytes: Of that file.
        file_total_bytes: Of that file.
        note: A sentence about what it waits for or did by itself, or empty.
        error: Class of the error without ``Error`` when it failed.
        message: Sentence of the error.
        hint: Next step of the error.
        path: Where the model is, or will be.
        sha256: Of the main file once finished; empty for several files.
        title: What the person calls it, or empty.
        detail: Technical text of the error.
        since: When the state last changed, in seconds since the epoch.
        spent_s: Seconds that were spent on it, pauses left out.
        retry_at: When the next try is, in seconds since the epoch; 0 when none is waited for.
        goes_on: Whether it was under way, so that a restart may go on with it.
        files_done: Files that are here and checked.
        files_total: All its files.
    """

    id: str
    repo: str
    name: str
    state: State
    done_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0
    remaining_s: float | None = None
    file: str = ""
    file_done_bytes: int = 0
    file_total_bytes: int = 0
    note: str = ""
    error: str = ""
    message: str = ""
    hint: str = ""
    path: str = ""
    sha256: str = ""
    title: str = ""
    detail: str = ""
    since: float = 0.0
    spent_s: float = 0.0
    retry_at: float = 0.0
    goes_on: bool = False
    files_done: int = 0
    files_total: int = 1
