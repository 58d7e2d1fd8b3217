"""``DownloadController``: everything that is fetched, from the click to the model on the disk.

Around ``inference.library.download``: the hub is asked in worker threads, the queue works in its
own, and news come into the GUI thread in batches. Nothing is imported or read before it is needed;
nothing is fetched that nobody clicked.
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task, TaskRunner
from inference.errors import InferenceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskHandle
    from desktop.controllers.asked_downloads import Asked
    from desktop.controllers.download_rooms import DownloadRooms
    from desktop.download_values import DiskUse, DownloadRow, DownloadTotals, Wanted
    from desktop.store.settings import DownloadSettings, Settings
    from inference.library.download.patience import Patience

HISTORY_S: Final = 60
_TICK_MS: Final = 1_000
_BATCH_MS: Final = 100
_UNDO_MS: Final = 10_000
_CLOSE_S: Final = 3.0
_ASK_CLOSE_S: Final = 0.5
_FINISHED_KEPT: Final = 20


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
        removed: A ``DownloadRow`` that has left the list; ``bring_back`` undoes it for a while.
        disk_changed: A ``DiskUse``, after ``ask_disk``.
        token_changed: There is another access token; whoever keeps one looks again.
    """

    rows_changed = Signal()
    finished = Signal(object)
    failed = Signal(object)
    left_found = Signal(int)
    removed = Signal(object)
    disk_changed = Signal(object)
    token_changed = Signal()

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
        self._places = (models, data, patience)
        self._bridge = bridge
        self._settings = settings
        self._gui = threading.get_ident()
        self._rows: tuple[DownloadRow, ...] = ()
        self._asked: dict[str, Asked] = {}
        self._queued: set[str] = set()  # ids that the queue has
        self._asking: dict[str, TaskHandle] = {}
        self._dropped: set[str] = set()  # cancelled while the hub was asked
        self._removed: dict[str, bool] = {}  # off the list for now; whether it was under way
        self._forgetting = _single_shot(self, self._forget_removed)
        self._loads: set[str] = set()  # to be loaded as soon as they are there
        self._told = threading.Event()
        self._closed = False
        self._soon = _single_shot(self, self._refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        bridge.batch_received.connect(self._on_batch)

    @functools.cached_property
    def _rooms(self) -> DownloadRooms:
        """The worker side, imported when it is first needed: the window is painted by then."""
        from desktop.controllers.download_rooms import DownloadRooms  # noqa: PLC0415

        models, data, patience = self._places
        return DownloadRooms(models, data, self._on_news, patience)

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
        from desktop.download_values import totals  # noqa: PLC0415  not before the paint

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
        self._set_asked(row_id, self._rooms.request(wanted))
        self._ask(row_id)
        return row_id

    def pause(self, row_id: str) -> None:
        """Stop for now; what arrived is kept."""
        asked = self._unanswered(row_id)
        if asked is None:
            self._rooms.with_queue(lambda queue: queue.pause(row_id))
        elif asked.state == "asking":
            self._stop_asking(row_id)
            self._set_asked(row_id, asked.stopped())

    def resume(self, row_id: str) -> None:
        """Go on, or try again."""
        asked = self._unanswered(row_id)
        self._rooms.forget_token()  # there may be another one now
        if asked is None:
            self._rooms.with_queue(lambda queue: queue.resume(row_id))
        elif asked.state != "asking":
            self._set_asked(row_id, asked.again())
            self._ask(row_id)

    def cancel(self, row_id: str) -> None:
        """Take it off the list, and what arrived off the disk; a finished model stays."""
        self._loads.discard(row_id)
        if self._unanswered(row_id) is not None:
            self._dropped.add(row_id)
            self._stop_asking(row_id)
            self._set_asked(row_id, None)
        else:
            self._rooms.with_queue(lambda queue: queue.cancel(row_id))

    def remove(self, row_id: str) -> None:
        """Take it off the list; what arrived stays on the disk for as long as it can come back."""
        row = self.row(row_id)
        if row is None:
            return
        self.pause(row_id)
        self._removed[row_id] = row.can_pause
        self._forgetting.start(_UNDO_MS)
        self._refresh()
        if row.state != "finished":
            self._emit_removed(row)

    def bring_back(self) -> None:
        """Put what was removed last back into the list; it goes on if it was under way."""
        if self._removed:
            row_id, was_under_way = self._removed.popitem()
            self._refresh()
            if was_under_way:
                self.resume(row_id)

    def _forget_removed(self) -> None:
        removed, self._removed = self._removed, {}
        for row_id in removed:
            self.cancel(row_id)

    def move(self, row_id: str, position: int) -> None:
        """Put a download at a place in the order of rows, 0 is first."""
        self._rooms.with_queue(lambda queue: queue.move(row_id, position))

    def pause_all(self) -> None:
        """Stop everything that goes on by itself."""
        for row in self._rows:
            if row.can_pause:
                self.pause(row.id)

    def go_on(self) -> None:
        """Go on with what was under way when the app ended, not with what a person paused."""
        for row in self._rows:
            if row.state == "paused" and not row.by_person:
                self.resume(row.id)

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

    def ask_disk(self) -> None:
        """Look at the disk of the models folder; ``disk_changed`` tells."""
        task = Task(lambda _cancel, _progress: self._rooms.disk_use())
        self.tasks.run(task.on_success(self._emit_disk).on_failure(_unless_a_bug))

    def apply(self, settings: DownloadSettings) -> None:
        """Follow the settings."""
        self._rooms.apply(settings)

    def retry_gated(self) -> None:
        """Try again what the hub refused for want of a token: there is another one now."""
        self._rooms.forget_token()
        self.token_changed.emit()
        for row in self._rows:
            if row.state == "failed" and row.error == "GatedModel":
                self.resume(row.id)

    def _unanswered(self, row_id: str) -> Asked | None:
        """Return the request of a row that the queue does not have yet."""
        return None if row_id in self._queued else self._asked.get(row_id)

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
        self._removed.pop(queued_id, None)  # taken off the list, and asked for again
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
            self._set_asked(row_id, asked.refused(error))

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
        left = [row for row in self._rows if row.state == "paused" and not row.by_person]
        if settings.go_on:
            self.go_on()
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
        self._queued = {job.id for job in jobs}
        for job_id in self._dropped & self._queued:
            self._dropped.discard(job_id)
            self.cancel(job_id)
        for job_id in self._queued & set(self._asked):
            if self._asked[job_id].state == "paused":  # while the answer was on its way
                self._asked.pop(job_id)
                self.pause(job_id)
        listed = self._rooms.rows(self._asked)
        before, self._rows = self._rows, tuple(r for r in listed if r.id not in self._removed)
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
        busy = any(row.is_busy for row in self._rows)
        if busy and not self._tick.isActive():
            self.history.clear()
            self._tick.start()
        elif not busy:
            self._tick.stop()

    def _emit_removed(self, row: DownloadRow) -> None:
        self.removed.emit(row)

    def _emit_disk(self, use: DiskUse) -> None:
        self.disk_changed.emit(use)

    def _emit_left(self, count: int) -> None:
        self.left_found.emit(count)

    def shutdown(self) -> None:
        """Pause everything, remember it, end the threads; nothing is told any more."""
        if self._closed:
            return
        self._forget_removed()
        self._closed = True
        self._forgetting.stop()
        self._tick.stop()
        self._soon.stop()
        for handle in self._asking.values():
            handle.cancel()
        if "_rooms" in self.__dict__:
            self._rooms.close(_CLOSE_S)
        self.tasks.close(_ASK_CLOSE_S)


def _unless_a_bug(error: Exception) -> None:
    """Say nothing of a folder that is away: a download into it says it."""
    if not isinstance(error, InferenceError):
        raise error


def _single_shot(parent: QObject, call: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    return timer
