"""One download in the queue: its files, its state, what a row shows of it.

Only the queue touches a job, holding its lock.
"""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from inference.cancel import CancelToken
from inference.errors import wire_name
from inference.library.download import receipts
from inference.library.download.names import check_distinct, safe_path
from inference.library.download.parts import PartFile
from inference.library.download.speed import SpeedMeter
from inference.library.download.values import JobView, Plan, State

if TYPE_CHECKING:
    from inference.errors import InferenceError
    from inference.library.download.values import RemoteFile

ENDED: tuple[State, ...] = ("finished", "failed", "cancelled")


class SavedJob(msgspec.Struct, frozen=True):
    """What outlives the app: the bytes say the rest.

    ``goes_on`` is true for what was under way: nobody paused it, the app ended.
    """

    id: str
    plan: Plan
    state: State = "paused"
    error: str = ""
    message: str = ""
    hint: str = ""
    detail: str = ""
    goes_on: bool = False
    since: float = 0.0
    spent_s: float = 0.0


class Job:
    """A plan on its way.

    Args:
        job_id: Stable id.
        plan: What to fetch.
    """

    def __init__(self, job_id: str, plan: Plan) -> None:
        self.id = job_id
        self.plan = plan
        self.state: State = "queued"
        self.cancel = CancelToken()
        self.hashes: dict[str, str] = {}
        self.note = ""
        self.error = self.message = self.hint = self.detail = ""
        self.goes_on = True
        self.since = time.time()
        self.spent_s = 0.0
        self.retry_at = 0.0
        self.file = ""
        self._moving_since = 0.0
        self.active: set[str] = set()
        self.pending: list[RemoteFile] = list(plan.files)
        self._meter = SpeedMeter()
        self._sizes = {file.path: file.size_bytes for file in plan.files}
        self._done = {file.path: bytes_here(plan, file) for file in plan.files}

    @classmethod
    def restored(cls, saved: SavedJob) -> Job:
        """Make a job from what was saved; raises ``UnsafeNameError`` if that was tampered with."""
        check_distinct([safe_path(file.path) for file in saved.plan.files])
        job = cls(saved.id, saved.plan)
        job.state = saved.state
        job.error, job.message, job.hint = saved.error, saved.message, saved.hint
        job.detail, job.goes_on = saved.detail, saved.goes_on
        job.since, job.spent_s = saved.since, saved.spent_s
        return job

    def saved(self) -> SavedJob:
        """Return what to keep: whatever was moving is paused after a restart."""
        state: State = self.state if self.state in ("failed", "finished") else "paused"
        return SavedJob(
            self.id,
            self.plan,
            state,
            self.error,
            self.message,
            self.hint,
            self.detail,
            self.goes_on,
            self.since,
            self._spent(),
        )

    def is_for(self, plan: Plan) -> bool:
        """Whether this job brings the same files to the same place and is still listed."""
        same = self.plan.folder == plan.folder and self.plan.files == plan.files
        return same and self.state not in ("cancelled", "finished")

    @property
    def has_work(self) -> bool:
        """Whether a thread could take one of its files now."""
        return bool(self.pending) and self.state not in (*ENDED, "paused")

    @property
    def complete(self) -> bool:
        """Whether all files are here and none has its name yet."""
        return len(self.hashes) == len(self.plan.files) and self.state not in ENDED

    def begin(self) -> None:
        """Go on from wherever it stands."""
        self.state = "queued"
        self.cancel = CancelToken()
        self.note = self.error = self.message = self.hint = self.detail = ""
        self.goes_on = True
        self.since = time.time()
        self._meter.reset()

    def stop(self, state: State, *, goes_on: bool = False) -> None:
        """End all its threads; they look at the token they were given."""
        self.spent_s, self._moving_since = self._spent(), 0.0
        self.state = state
        self.note = ""
        self.goes_on = goes_on
        self.since = time.time()
        self.retry_at = 0.0
        self.cancel.cancel()
        self._meter.reset()

    def _spent(self) -> float:
        moving = time.monotonic() - self._moving_since if self._moving_since else 0.0
        return self.spent_s + moving

    def fail(self, error: InferenceError) -> None:
        """Stop with a reason."""
        self.stop("failed")
        self.error, self.message, self.hint = wire_name(error), error.message, error.hint
        self.detail = error.detail

    def progress(self, path: str, done_bytes: int, state: State) -> None:
        """A file moved."""
        if state == "downloading":
            self._meter.add(max(0, done_bytes - self._done[path]))
        self._done[path] = done_bytes
        self.file = path
        if self.state not in (*ENDED, "paused"):
            self._moving_since = self._moving_since or time.monotonic()
            self.state = state
            self.retry_at = self.retry_at if state == "waiting" else 0.0
            self.note = "" if state == "downloading" else self.note

    def recount(self, path: str, done_bytes: int) -> None:
        """A file stopped, and this is what the disk has of it."""
        self._done[path] = done_bytes

    def view(self) -> JobView:
        """Return the row."""
        plan = self.plan
        done, total = sum(self._done.values()), plan.total_bytes
        rate = self._meter.rate() if self.state == "downloading" else 0.0
        single = len(plan.files) == 1
        main = plan.main or plan.repo
        return JobView(
            id=self.id,
            repo=plan.repo,
            name=PurePosixPath(main).name if plan.main else main,
            state=self.state,
            done_bytes=done,
            total_bytes=total,
            bytes_per_s=rate,
            remaining_s=(total - done) / rate if rate else None,
            file=self.file,
            file_done_bytes=self._done.get(self.file, 0),
            file_total_bytes=self._sizes.get(self.file, 0),
            note=self.note,
            error=self.error,
            message=self.message,
            hint=self.hint,
            path=plan.model_path,
            sha256=self.hashes.get(plan.files[0].path, "") if single else "",
            title=plan.title,
            detail=self.detail,
            since=self.since,
            spent_s=self._spent(),
            retry_at=self.retry_at,
            goes_on=self.goes_on,
            files_done=sum(self._done[name] >= size for name, size in self._sizes.items()),
            files_total=len(plan.files),
        )


def bytes_here(plan: Plan, file: RemoteFile) -> int:
    """Return how many bytes of a file are on this disk, finished or not."""
    folder = Path(plan.folder)
    if receipts.unchanged(folder, file) is not None:
        return file.size_bytes
    return PartFile(folder, file).size_on_disk()
