"""Connects the window with the downloads: page, badge, toasts, and what follows the last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject

from desktop.widgets import formatting

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.settings import SettingsController
    from desktop.download_values import DownloadRow
    from desktop.store.settings import Settings
    from desktop.views.downloads_page import DownloadsPage
    from desktop.views.main_window import MainWindow
    from desktop.widgets.theme import Theme


class DownloadWiring(QObject):
    """Lives as long as the window; decides nothing about downloads.

    Args:
        window: The window.
        downloads: What is fetched.
        settings: How many files at once.
        chat_with: Opens a new chat with the model of a path.
    """

    def __init__(
        self,
        window: MainWindow,
        downloads: DownloadController,
        settings: SettingsController,
        chat_with: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._downloads = downloads
        self._settings = settings
        self._chat_with = chat_with
        self._page: DownloadsPage | None = None
        downloads.rows_changed.connect(self._on_rows)
        downloads.finished.connect(self._on_finished)
        downloads.failed.connect(self._on_failed)
        downloads.removed.connect(self._on_removed)
        downloads.left_found.connect(self._on_left)
        settings.changed.connect(self._on_settings)

    def make_page(self, theme: Theme) -> DownloadsPage:
        """Make and connect the page, when it is first opened."""
        from desktop.views.downloads_page import DownloadsPage  # noqa: PLC0415  not at the start

        downloads = self._downloads
        page = DownloadsPage(theme, self._settings.settings().downloads.parallel)
        page.acted.connect(self._on_acted)
        page.move_asked.connect(downloads.move)
        page.pause_all_asked.connect(downloads.pause_all)
        page.resume_all_asked.connect(downloads.resume_all)
        page.clear_asked.connect(downloads.clear_done)
        page.disk_asked.connect(downloads.ask_disk)
        page.discover_asked.connect(lambda: self._window.open_page("models"))
        page.parallel_asked.connect(self._on_parallel)
        downloads.disk_changed.connect(page.set_disk)
        self._page = page
        self._show()
        return page

    def _on_acted(self, row_id: str, action: str) -> None:
        downloads = self._downloads
        if action == "open":
            self._open(row_id)
            return
        commands = {
            "pause": downloads.pause,
            "resume": downloads.resume,
            "remove": downloads.remove,
        }
        commands[action](row_id)

    def _open(self, row_id: str) -> None:
        row = self._downloads.row(row_id)
        if row is not None:
            self._chat_with(row.path)

    def _on_parallel(self, number: int) -> None:
        now = self._settings.settings().downloads
        self._settings.update(downloads=msgspec.structs.replace(now, parallel=number))

    def _on_settings(self, settings: Settings) -> None:
        if self._page is not None:
            self._page.band.set_parallel(settings.downloads.parallel)

    def _on_rows(self) -> None:
        running = self._downloads.totals().running
        self._window.rail.set_count("downloads", running, self.tr("{0} running").format(running))
        self._show()

    def _show(self) -> None:
        if self._page is not None:
            downloads = self._downloads
            self._page.set_rows(downloads.rows(), downloads.totals(), downloads.history)

    def _on_finished(self, row: DownloadRow) -> None:
        if self._page is not None:
            self._downloads.ask_disk()
        words = self.tr("{0} is here and checked.").format(row.name)
        self._window.offer_way_on(words, self.tr("Open in chat"), lambda: self._chat_with(row.path))

    def _on_failed(self, row: DownloadRow) -> None:
        """Lead to the row, which says what to do; nothing to say where it is on show."""
        if self._window.current_page() != "downloads":
            words = self.tr("{0} needs you. What arrived is kept.").format(row.name)
            self._window.offer_way_on(
                words, self.tr("Show"), lambda: self._window.open_page("downloads")
            )

    def _on_removed(self, row: DownloadRow) -> None:
        words = self.tr("Removed {0}.").format(row.name)
        if row.done_bytes:
            size = formatting.size(row.done_bytes)
            words = self.tr("Removed {0}, {1}.").format(row.name, size)
        self._window.offer_undo(words, self.tr("Undo"), self._downloads.bring_back)

    def _on_left(self, number: int) -> None:
        words = self.tr("1 download is not finished.")
        if number > 1:
            words = self.tr("{0} downloads are not finished.").format(number)
        self._window.offer_way_on(words, self.tr("Go on"), self._downloads.resume_all)
