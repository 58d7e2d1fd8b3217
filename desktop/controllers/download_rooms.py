"""What a ``DownloadController`` does outside the GUI thread: ask the hub, keep the queue.

Holds plain values and locks, no Qt. The queue, the hub and the transport are imported by the first
download.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from desktop.controllers import asked_downloads
from desktop.controllers.problems import download_title, hub_hint
from desktop.download_values import DiskUse, DownloadRow
from desktop.store.settings import DownloadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from desktop.controllers.asked_downloads import Asked
    from desktop.download_values import Wanted
    from inference.cancel import CancelToken
    from inference.library.download.patience import Patience
    from inference.library.download.queue import DownloadQueue
    from inference.library.download.values import JobView

_QUEUE = "downloads.json"
_ASKED = "downloads-asked.json"
_SETTLE_S = 5.0


class DownloadRooms:
    """The queue behind the window, made when it is first needed; any thread may call.

    Args:
        models: The folder that receives models.
        data: Where lists outlive the app; ``None`` keeps them in memory.
        on_news: Called from any thread: something about a job of this id changed.
        patience: How long to bear with the network.
    """

    def __init__(
        self,
        models: Callable[[], Path],
        data: Path | None,
        on_news: Callable[[str], None],
        patience: Patience | None = None,
    ) -> None:
        self._models = models
        self._data = data
        self._on_news = on_news
        self._patience = patience
        self._settings = DownloadSettings()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._token: str | None = None
        self._queue: DownloadQueue | None = None
        self._closed = False
        self._saves = threading.Condition()
        self._to_save: dict[str, Asked] | None = None
        self._saver: threading.Thread | None = None

    def has_saved(self) -> bool:
        """Tell whether the last run left something."""
        return self._data is not None and any(
            (self._data / name).exists() for name in (_QUEUE, _ASKED)
        )

    def open(self) -> dict[str, Asked]:
        """Read what the last run left; return the requests that the hub has not answered."""
        listed = {job.id for job in self._opened().jobs()}
        asked = asked_downloads.load(self._data / _ASKED) if self._data is not None else {}
        return {row_id: one for row_id, one in asked.items() if row_id not in listed}

    def rows(self, asked: Mapping[str, Asked]) -> tuple[DownloadRow, ...]:
        """Return the queue's rows, then the requests that it does not have yet."""
        jobs = self.jobs()
        queued = {job.id for job in jobs}
        return (
            *(row_of(job) for job in jobs if job.state != "cancelled"),
            *(one.row(row_id) for row_id, one in asked.items() if row_id not in queued),
        )

    def jobs(self) -> tuple[JobView, ...]:
        """Return the queue's rows; none before it was needed."""
        return self._queue.jobs() if self._queue is not None else ()

    def disk_use(self) -> DiskUse:
        """Look at the disk of the models folder; for worker threads."""
        from inference.library.download.plan import disk_space, size_of  # noqa: PLC0415

        folder = self._models()
        free, total = disk_space(folder)
        return DiskUse(str(folder), free, total, size_of(folder))

    def with_queue(self, call: Callable[[DownloadQueue], None]) -> None:
        """Do something with the queue, if there is one; quick enough for the GUI thread."""
        if self._queue is not None and not self._closed:
            call(self._queue)

    def bring(
        self, row_id: str, wanted: Wanted, settings: DownloadSettings, cancel: CancelToken
    ) -> str:
        """Ask the hub, plan, and put the plan into the queue; for worker threads.

        Returns:
            Its id there: the given one, or that of the same download if it was listed already.

        Raises:
            DownloadError: One of its children: the hub, the gate, names, the disk.
        """
        from msgspec.structs import replace  # noqa: PLC0415  this and more at the first download

        from inference.library.download.prepare import prepare  # noqa: PLC0415
        from inference.library.hub import Hub  # noqa: PLC0415

        self.apply(settings)
        hub = Hub(settings.endpoint, self._find_token())
        plan = prepare(hub, wanted.repo, self._models(), wanted.wanted, wanted.revision)
        if cancel.cancelled:
            return row_id
        queue = self._opened()
        queued_id = queue.add(replace(plan, title=wanted.name), row_id)
        queue.settle(_SETTLE_S)  # it is written down before the request is forgotten
        return queued_id

    def apply(self, settings: DownloadSettings) -> None:
        """Follow the settings."""
        with self._lock:
            if settings == self._settings:
                return
            before, self._settings = self._settings, settings
        if before.proxy != settings.proxy:
            from inference.library.network import use_proxy  # noqa: PLC0415  rare

            use_proxy(settings.proxy)
        if self._queue is not None:
            self._queue.set_parallel(settings.parallel)
            self._queue.set_limit(settings.limit_bytes_per_s)

    def forget_token(self) -> None:
        """Look for the access token anew with the next request."""
        with self._lock:
            self._token = None

    def request(self, wanted: Wanted) -> Asked:
        """Return a request that is on its way."""
        return asked_downloads.asking(wanted)

    def save_asked(self, asked: dict[str, Asked]) -> None:
        """Write requests down soon, in a thread that ends with the last of them."""
        if self._data is None:
            return
        with self._saves:
            self._to_save = asked
            if self._saver is None:
                self._saver = threading.Thread(target=self._save, name="asked downloads")
                self._saver.start()

    def close(self, timeout_s: float) -> None:
        """Pause everything, remember it, end the threads."""
        self._closed = True
        if self._queue is not None:
            self._queue.close(timeout_s)
        with self._saves:
            self._saves.wait_for(lambda: self._saver is None, timeout_s)

    def _save(self) -> None:
        while True:
            with self._saves:
                asked, self._to_save = self._to_save, None
                if asked is None:
                    self._saver = None
                    self._saves.notify_all()
                    return
            if self._data is not None:
                asked_downloads.save(self._data / _ASKED, asked)

    def _opened(self) -> DownloadQueue:
        from inference.library.download.queue import DownloadQueue  # noqa: PLC0415

        with self._opening:
            if self._queue is None:
                self._queue = DownloadQueue(
                    self._find_token,
                    self._on_news,
                    state_file=self._data / _QUEUE if self._data is not None else None,
                    parallel=self._settings.parallel,
                    patience=self._patience,
                )
                self._queue.set_limit(self._settings.limit_bytes_per_s)
                if self._closed:
                    self._queue.close(0)
            return self._queue

    def _find_token(self) -> str:
        from inference.library.hub import find_token  # noqa: PLC0415  asks the keyring's program

        with self._lock:
            token = self._token
        if token is None:
            token = find_token()
            with self._lock:
                self._token = token
        return token


def row_of(job: JobView) -> DownloadRow:
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
        hint=hub_hint(job.hint),
        detail=job.detail,
        error=job.error,
        path=job.path,
        since=job.since,
        spent_s=job.spent_s,
        files_done=job.files_done,
        files_total=job.files_total,
        sha256=job.sha256,
        by_person=not job.goes_on,
    )
