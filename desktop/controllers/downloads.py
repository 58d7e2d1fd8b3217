"""``DownloadController``: everything that is fetched, from the click to the model on the disk.

Around ``inference.library.download``: the hub is asked in worker threads, the queue works in its
own, and news come into the GUI thread in batches. Nothing is imported or read before it is needed;
nothing is fetched that nobody clicked.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task, TaskRunner
from desktop.controllers import asked_downloads
from desktop.controllers.download_rooms import DownloadRooms
from desktop.controllers.problems import download_title
from desktop.download_values import MOVING, DownloadRow, DownloadTotals, totals
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskHandle
    from desktop.controllers.asked_downloads import Asked
    from desktop.download_values import Wanted
    from desktop.store.settings import DownloadSettings, Settings
    from inference.library.download.patience import Patience
    from inference.library.download.values import JobView

HISTORY_S: Final = 60
_TICK_MS: Final = 1_000
_BATCH_MS: Final = 100
_CLOSE_S: Final = 3.0
_ASK_CLOSE_S: Final = 0.5
_FINISHED_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class _Moved:
    """The queue has news."""


class DownloadController(QObject):
    """All downloads of the window; lives in the GUI thread.

    Args:
        models: The folder that receives models; asked when a download is planned.
        data: Where the list outlives the app; ``None`` keeps it in memory.
        bridge: Where the queue's threads post.
        settings: The settings as they are now.
        patience: How long to bear with the network; ``None`` takes the usual.
        parent: Qt parent.

    Signals:
        rows_changed: ``rows`` and ``totals`` say what is new.
        finished: A ``DownloadRow`` whose files have just got their names.
        failed: A ``DownloadRow`` that has just stopped and needs the person.
        left_found: After a start: how many downloads wait for the person to go on.
    """

    rows_changed = Signal()
    finished = Signal(object)
    failed = Signal(object)
    left_found = Signal(int)

    def __init__(
        self,
        models: Callable[[], Path],
        data: Path | None,
        bridge: EventBridge,
        settings: Callable[[], Settings],
        *,
        patience: Patience | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.tasks = TaskRunner(self)
        """Its own workers: a hub that does not answer must not keep the library waiting."""
        self.history: deque[float] = deque(maxlen=HISTORY_S)
        """Bytes per second, once a second while something moves."""
        self._rooms = DownloadRooms(models, data, self._on_news, patience)
        self._bridge = bridge
        self._settings = settings
        self._gui = threading.get_ident()
        self._rows: tuple[DownloadRow, ...] = ()
        self._asked: dict[str, Asked] = {}
        self._asking: dict[str, TaskHandle] = {}
        self._dropped: set[str] = set()  # cancelled while the hub was asked
        self._loads: set[str] = set()  # to be loaded as soon as they are there
        self._told = threading.Event()
        self._closed = False
        self._soon = _single_shot(self, self._refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        bridge.batch_received.connect(self._on_batch)

    # --- what views ask --------------------------------------------------------------------

    def rows(self) -> tuple[DownloadRow, ...]:
        """Return every download in the order of the queue."""
        return self._rows

    def row(self, row_id: str) -> DownloadRow | None:
        """Return one download."""
        return next((row for row in self._rows if row.id == row_id), None)

    def find(self, repo: str, file: str = "") -> DownloadRow | None:
        """Return the download of a repository, or of one file of it (path or part of its name)."""
        wanted = file.rpartition("/")[2].lower()
        for row in self._rows:
            if row.repo == repo and wanted in f"{row.file} {row.wanted}".lower():
                return row
        return None

    def totals(self) -> DownloadTotals:
        """Return all rows added up."""
        return totals(self._rows)

    def should_load(self, row_id: str) -> bool:
        """Tell whether a download was asked for to be loaded at once."""
        return row_id in self._loads

    # --- what the person does ----------------------------------------------------------------

    def begin(self) -> None:
        """Look at what the last run left; call it when the window has been painted."""
        if self._rooms.has_saved():
            self.tasks.run(
                Task(lambda _cancel, _progress: self._rooms.open()).on_success(self._on_opened)
            )

    def download(self, wanted: Wanted) -> str:
        """Ask the hub and fetch; return the row's id. What is listed already goes on instead."""
        for row_id, asked in self._asked.items():
            if asked.wanted.repo == wanted.repo and asked.wanted.wanted == wanted.wanted:
                self.resume(row_id)
                return row_id
        row_id = uuid.uuid4().hex
        if wanted.load:
            self._loads.add(row_id)
        self._set_asked(row_id, asked_downloads.asking(wanted))
        self._ask(row_id)
        return row_id

    def pause(self, row_id: str) -> None:
        """Stop for now; what arrived is kept."""
        asked = self._asked.get(row_id)
        if asked is None:
            self._rooms.with_queue(lambda queue: queue.pause(row_id))
        elif asked.state == "asking":
            self._stop_asking(row_id)
            self._set_asked(row_id, asked_downloads.stopped(asked))

    def resume(self, row_id: str) -> None:
        """Go on, or try again."""
        asked = self._asked.get(row_id)
        self._rooms.forget_token()  # there may be another one now
        if asked is None:
            self._rooms.with_queue(lambda queue: queue.resume(row_id))
        elif asked.state != "asking":
            self._set_asked(row_id, asked_downloads.asking(asked.wanted))
            self._ask(row_id)

    def cancel(self, row_id: str) -> None:
        """Take it off the list, and what arrived off the disk; a finished model stays."""
        self._loads.discard(row_id)
        if row_id in self._asked:
            self._dropped.add(row_id)
            self._stop_asking(row_id)
            self._set_asked(row_id, None)
        else:
            self._rooms.with_queue(lambda queue: queue.cancel(row_id))

    def move(self, row_id: str, position: int) -> None:
        """Put a download at a place in the order of rows, 0 is first."""
        self._rooms.with_queue(lambda queue: queue.move(row_id, position))

    def pause_all(self) -> None:
        """Stop everything that goes on by itself."""
        for row in self._rows:
            if row.can_pause:
                self.pause(row.id)

    def resume_all(self) -> None:
        """Go on with everything that is paused."""
        for row in self._rows:
            if row.state == "paused":
                self.resume(row.id)

    def clear_done(self) -> None:
        """Take finished downloads off the list; the models stay."""
        for row in self._rows:
            if row.state == "finished":
                self.cancel(row.id)

    def apply(self, settings: DownloadSettings) -> None:
        """Follow the settings."""
        self._rooms.apply(settings)

    def forget_token(self) -> None:
        """Look for the access token anew with the next request."""
        self._rooms.forget_token()

    # --- asking the hub ------------------------------------------------------------------------

    def _ask(self, row_id: str) -> None:
        wanted, settings = self._asked[row_id].wanted, self._settings().downloads

        task = Task(lambda cancel, _progress: self._rooms.bring(row_id, wanted, settings, cancel))
        task.on_success(lambda queued_id: self._on_planned(row_id, queued_id))
        task.on_failure(lambda error: self._on_refused(row_id, error))
        self._asking[row_id] = self.tasks.run(task)

    def _stop_asking(self, row_id: str) -> None:
        handle = self._asking.pop(row_id, None)
        if handle is not None:
            handle.cancel()

    def _on_planned(self, row_id: str, queued_id: str) -> None:
        self._asking.pop(row_id, None)
        if row_id != queued_id and row_id in self._loads:  # it was in the queue already
            self._loads.discard(row_id)
            self._loads.add(queued_id)
        self._set_asked(row_id, None)

    def _on_refused(self, row_id: str, error: Exception) -> None:
        self._asking.pop(row_id, None)
        asked = self._asked.get(row_id)
        if not isinstance(error, InferenceError):
            self._set_asked(row_id, None)
            raise error
        if asked is not None:
            self._set_asked(row_id, asked_downloads.refused(asked, error))

    def _set_asked(self, row_id: str, asked: Asked | None) -> None:
        if asked is None:
            self._asked.pop(row_id, None)
        else:
            self._asked[row_id] = asked
        self._rooms.save_asked(dict(self._asked))
        self._refresh()

    # --- news ------------------------------------------------------------------------------------

    def _on_opened(self, asked: dict[str, Asked]) -> None:
        settings = self._settings().downloads
        self._rooms.apply(settings)
        self._asked = {**asked, **self._asked}
        self._refresh()
        left = [row for row in self._rows if row.state == "paused"]
        if settings.go_on:
            self._rooms.with_queue(lambda queue: queue.go_on())
            for row_id in [key for key, one in asked.items() if one.goes_on]:
                self.resume(row_id)
        elif left:
            self._emit_left(len(left))

    def _on_news(self, _job_id: str) -> None:
        """Take news from whichever thread; one event at a time is on its way."""
        if self._closed or self._told.is_set():
            return
        self._told.set()
        if threading.get_ident() == self._gui:
            self._soon.start(0)
        else:
            self._bridge.post(_Moved())

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        if any(isinstance(event, _Moved) for event in batch) and not self._soon.isActive():
            self._soon.start(_BATCH_MS)

    def _on_tick(self) -> None:
        self._refresh()
        self.history.append(self.totals().bytes_per_s)

    def _refresh(self) -> None:
        """Look at the queue and tell what is new."""
        self._told.clear()  # first, or news of the meantime would be lost
        if self._closed:
            return
        jobs = self._rooms.jobs()
        for job_id in self._dropped & {job.id for job in jobs}:
            self._dropped.discard(job_id)
            self.cancel(job_id)
        listed = [_row(job) for job in jobs if job.state != "cancelled"]
        known = {row.id for row in listed}
        listed += [
            one.row(row_id, download_title(one.error))
            for row_id, one in self._asked.items()
            if row_id not in known
        ]
        before, self._rows = self._rows, tuple(listed)
        self._watch()
        if before != self._rows:
            self._tell(before)

    def _tell(self, before: tuple[DownloadRow, ...]) -> None:
        states = {row.id: row.state for row in before}
        self.rows_changed.emit()
        for row in self._rows:
            was = states.get(row.id)
            if was is None or was == row.state:
                continue
            if row.state == "finished":
                self.finished.emit(row)
                self._loads.discard(row.id)
            elif row.state in {"failed", "aside"}:
                self.failed.emit(row)
        done = sorted((r for r in self._rows if r.state == "finished"), key=lambda r: r.since)
        for row in done[:-_FINISHED_KEPT]:
            self.cancel(row.id)

    def _watch(self) -> None:
        """Look once a second while something moves or waits: a speed that stalls has no news."""
        busy = any(row.state in MOVING or row.state == "waiting" for row in self._rows)
        if busy and not self._tick.isActive():
            self.history.clear()
            self._tick.start()
        elif not busy:
            self._tick.stop()

    def _emit_left(self, count: int) -> None:
        self.left_found.emit(count)

    def shutdown(self) -> None:
        """Pause everything, remember it, end the threads; nothing is told any more."""
        if self._closed:
            return
        self._closed = True
        self._tick.stop()
        self._soon.stop()
        for handle in self._asking.values():
            handle.cancel()
        self._rooms.close(_CLOSE_S)
        self.tasks.close(_ASK_CLOSE_S)


def _single_shot(parent: QObject, call: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    return timer


def _row(job: JobView) -> DownloadRow:
    """Return a job of the queue as a row."""
    aside = job.state == "failed" and job.error == "HashMismatch"
    return DownloadRow(
        id=job.id,
        repo=job.repo,
        name=job.title or job.repo.rpartition("/")[2],
        file=job.name,
        state="aside" if aside else "paused" if job.state == "cancelled" else job.state,
        done_bytes=job.done_bytes,
        total_bytes=job.total_bytes,
        bytes_per_s=job.bytes_per_s,
        remaining_s=job.remaining_s,
        retry_at=job.retry_at,
        note=job.note,
        title=download_title(job.error) if job.error else "",
        message=job.message,
        hint=job.hint,
        detail=job.detail,
        error=job.error,
        path=job.path,
        since=job.since,
        spent_s=job.spent_s,
        files_done=job.files_done,
        files_total=job.files_total,
        sha256=job.sha256,
    )
