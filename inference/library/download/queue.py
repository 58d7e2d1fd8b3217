"""Downloads in order: a few files at a time, each pausable, all of them surviving a restart.

Worker threads start when there is work and end when there is none. They hold plain values; who
listens is told that something moved and asks for the rows when it wants to paint.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING

import msgspec

from inference.errors import DownloadError, InferenceError
from inference.files import replace_file
from inference.library.download.brake import Brake
from inference.library.download.jobs import ENDED, Job, SavedJob, bytes_here
from inference.library.download.keeper import Keeper
from inference.library.download.patience import Patience, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inference.cancel import CancelToken
    from inference.library.download.values import JobView, Plan, RemoteFile, State

_log = logging.getLogger(__name__)
_LONGEST_END_S = 20.0
_REPORT_S = 0.1


class DownloadQueue:
    """All downloads of one window or command; may be used from any thread.

    Args:
        find_token: Returns the access token when a download starts; called in worker threads.
        on_change: Called from worker threads, often: something about a job changed.
        state_file: Where the queue outlives the app; ``None`` keeps it in memory.
        parallel: Files fetched at once.
        patience: How long to bear with the network.
    """

    def __init__(
        self,
        find_token: Callable[[], str],
        on_change: Callable[[str], None] = lambda job_id: None,
        *,
        state_file: Path | None = None,
        parallel: int = 2,
        patience: Patience | None = None,
    ) -> None:
        self._find_token = find_token
        self._on_change = on_change
        self._state_file = state_file
        self._parallel = parallel
        self._patience = patience or Patience()
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._jobs: list[Job] = []
        self._threads: set[threading.Thread] = set()
        self._closed = False
        self._keeper = Keeper()
        self._brake = Brake()
        self._load()

    def jobs(self) -> tuple[JobView, ...]:
        """Return all rows in order."""
        with self._lock:
            return tuple(job.view() for job in self._jobs)

    def job(self, job_id: str) -> JobView | None:
        """Return one row."""
        with self._lock:
            return next((job.view() for job in self._jobs if job.id == job_id), None)

    def add(self, plan: Plan, job_id: str = "") -> str:
        """Put a download at the end and start it when its turn comes; return its id.

        One that is in the queue already goes on instead.

        Args:
            plan: What to fetch.
            job_id: An id that the caller knows it by already; empty makes one.
        """
        job = Job(job_id or uuid.uuid4().hex, plan)
        with self._lock:
            same = [one for one in self._jobs if one.is_for(plan)]
            if not same:
                self._jobs.append(job)
        if same:
            self.resume(same[0].id)
            return same[0].id
        self._changed(job)
        self._start_threads()
        return job.id

    def pause(self, job_id: str) -> None:
        """Stop within a fraction of a second; nothing that arrived is lost."""
        with self._lock:
            job = self._find(job_id)
            if job is None or job.state in (*ENDED, "paused"):
                return
            job.stop("paused")
        self._changed(job)

    def resume(self, job_id: str) -> None:
        """Go on with one that is paused or failed; also the way to try again."""
        with self._lock:
            job = self._find(job_id)
            if job is None or job.state not in ("paused", "failed"):
                return
            job.begin()
        self._changed(job)
        self._start_threads()

    def go_on(self) -> None:
        """Go on with everything that was under way when the app ended."""
        with self._lock:
            left = [job for job in self._jobs if job.state == "paused" and job.goes_on]
            for job in left:
                job.begin()
        for job in left:
            self._changed(job)
        self._start_threads()

    def cancel(self, job_id: str) -> None:
        """Stop, and remove what arrived; a finished one only leaves the list."""
        with self._lock:
            job = self._find(job_id)
            if job is None:
                return
            if job.state != "finished":
                job.stop("cancelled")
            if not job.active:
                self._drop(job)
        self._changed(job)

    def move(self, job_id: str, position: int) -> None:
        """Put a download at a place in the order, 0 is first; running ones go on running."""
        with self._lock:
            job = self._find(job_id)
            if job is None:
                return
            self._jobs.remove(job)
            self._jobs.insert(max(0, position), job)
        self._changed(job)

    def set_parallel(self, parallel: int) -> None:
        """Change how many files are fetched at once."""
        with self._lock:
            self._parallel = max(1, parallel)
        self._start_threads()

    def set_limit(self, bytes_per_s: int) -> None:
        """Let all downloads together take no more than this; 0 = no limit."""
        self._brake.set_limit(bytes_per_s)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no thread works; return whether that came true in time."""
        with self._idle:
            done = self._idle.wait_for(lambda: not self._threads, timeout_s)
        return done and self._keeper.wait(timeout_s)

    def settle(self, timeout_s: float) -> bool:
        """Wait until the list is written down; return whether that came true in time."""
        return self._keeper.wait(timeout_s)

    def close(self, timeout_s: float = _LONGEST_END_S) -> None:
        """Pause everything, remember it, and end the threads.

        Args:
            timeout_s: Wait no longer; a thread that is just connecting ends by itself later.
        """
        end = time.monotonic() + timeout_s
        with self._lock:
            self._closed = True
            for job in self._jobs:
                if job.state not in (*ENDED, "paused"):
                    job.stop("paused", goes_on=True)
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._keeper.wait(max(0.0, end - time.monotonic()))
        self._save()

    # --- threads --------------------------------------------------------------------------------

    def _start_threads(self) -> None:
        with self._lock:
            files = sum(len(job.pending) for job in self._jobs if job.has_work)
            room = min(files, self._parallel - len(self._threads))
            if self._closed:
                return
            for _ in range(room):
                thread = threading.Thread(target=self._work, name="download", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _work(self) -> None:
        try:
            while taken := self._take():
                self._do(*taken)
        finally:
            with self._idle:
                self._threads.discard(threading.current_thread())
                self._idle.notify_all()

    def _take(self) -> tuple[Job, RemoteFile, CancelToken] | None:
        """Take the next file, first job first; None when there is nothing to do."""
        with self._lock:
            if self._closed or len(self._threads) > self._parallel:
                return None
            for job in self._jobs:
                if job.has_work:
                    file = job.pending.pop(0)
                    job.active.add(file.path)
                    return job, file, job.cancel
            # Leaving is decided under the same lock as adding, or a new job could be overlooked.
            self._threads.discard(threading.current_thread())
            return None

    def _do(self, job: Job, file: RemoteFile, cancel: CancelToken) -> None:
        try:
            sha256 = self._bring(job, file, cancel)
        except StoppedError:
            self._put_back(job, file)
        except InferenceError as exc:
            _log.info("download of %s stopped: %s %s", job.plan.repo, exc.message, exc.detail)
            self._put_back(job, file, exc)
        except BaseException:
            self._put_back(job, file, DownloadError("The download ended because of a mistake."))
            raise
        else:
            with self._lock:
                job.hashes[file.path] = sha256
                last = job.complete
            if last:
                self._place(job)
            with self._lock:
                job.active.discard(file.path)
                if job.state == "cancelled" and not job.active:
                    self._drop(job)
        self._changed(job)

    def _bring(self, job: Job, file: RemoteFile, cancel: CancelToken) -> str:
        # Not before the first download: the transport is slow to import, and a window is not.
        from inference.library.download.store_files import bring  # noqa: PLC0415
        from inference.library.download.wire import Wire  # noqa: PLC0415

        self._keeper.wait()  # it may still be removing what was cancelled under the same names
        wire = Wire(job.plan.endpoint, self._find_token(), self._patience, cancel, self._brake)
        report = _Report(self, job, file.path)
        try:
            return bring(
                job.plan, file, wire, report=report, cancel=cancel, patience=self._patience
            )
        finally:
            wire.close()

    def _put_back(self, job: Job, file: RemoteFile, error: InferenceError | None = None) -> None:
        here = bytes_here(job.plan, file)  # what a full disk took of the last block counts, too
        with self._lock:
            job.recount(file.path, here)
            job.active.discard(file.path)
            job.pending.insert(0, file)
            if error is not None and job.state not in ("cancelled", "paused"):
                job.fail(error)
            if job.state == "cancelled" and not job.active:
                self._drop(job)

    def _place(self, job: Job) -> None:
        from inference.library.download.store_files import place  # noqa: PLC0415  see above

        try:
            place(job.plan, job.hashes)
        except InferenceError as exc:
            with self._lock:
                job.pending, job.hashes = list(job.plan.files), {}
                job.fail(exc)
            return
        with self._lock:
            job.stop("finished")

    def _drop(self, job: Job) -> None:
        """Take a job off the list; what a cancelled one brought goes too."""
        if job in self._jobs:
            self._jobs.remove(job)
        if job.state == "cancelled":
            self._keeper.later(job.id, lambda: _clean(job.plan))

    # --- what changed ---------------------------------------------------------------------------

    def moved(
        self,
        job: Job,
        path: str,
        done_bytes: int,
        state: State,
        *,
        note: str = "",
        wait_s: float = 0.0,
    ) -> None:
        """Take a report from a worker thread."""
        with self._lock:
            job.progress(path, done_bytes, state)
            job.note = note or job.note
            if job.state == "waiting":
                job.retry_at = time.time() + wait_s
        self._on_change(job.id)

    def _changed(self, job: Job) -> None:
        if self._state_file is not None and not self._closed:
            self._keeper.later("save", self._save)
        self._on_change(job.id)

    def _find(self, job_id: str) -> Job | None:
        return next((job for job in self._jobs if job.id == job_id), None)

    def _load(self) -> None:
        if self._state_file is None:
            return
        try:
            saved = msgspec.json.decode(self._state_file.read_bytes(), type=tuple[SavedJob, ...])
            self._jobs = [Job.restored(one) for one in saved]
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError, InferenceError) as exc:
            _log.warning("the list of downloads cannot be read: %s", exc)

    def _save(self) -> None:
        if self._state_file is None:
            return
        with self._lock:
            saved = [job.saved() for job in self._jobs if job.state != "cancelled"]
        try:
            replace_file(self._state_file, msgspec.json.encode(saved))
        except OSError as exc:
            _log.warning("the list of downloads cannot be saved: %s", exc)


def _clean(plan: Plan) -> None:
    from inference.library.download.store_files import clean  # noqa: PLC0415  see above

    try:
        clean(plan)
    except InferenceError as exc:
        _log.warning("cannot remove a cancelled download: %s", exc.detail)


class _Report:
    """Carries one file's news to the queue."""

    def __init__(self, queue: DownloadQueue, job: Job, path: str) -> None:
        self._queue = queue
        self._job = job
        self._path = path
        self._done = 0
        self._told = 0.0

    def checked(self, done_bytes: int) -> None:
        self._done = done_bytes
        now = time.monotonic()
        if now - self._told < _REPORT_S:
            return
        self._told = now
        self._queue.moved(self._job, self._path, done_bytes, "checking")

    def received(self, done_bytes: int) -> None:
        self._done = done_bytes
        self._queue.moved(self._job, self._path, done_bytes, "downloading")

    def waiting(self, reason: str, wait_s: float) -> None:
        again = f"Trying again in {wait_s:.0f} s." if wait_s >= 1 else "Trying again."
        self._queue.moved(
            self._job, self._path, self._done, "waiting", note=f"{reason} {again}", wait_s=wait_s
        )

    def noted(self, sentence: str) -> None:
        self._queue.moved(self._job, self._path, self._done, "checking", note=sentence)
