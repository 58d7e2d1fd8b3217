"""Connects the window with the downloads: page, badge, toasts, and what follows the last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from desktop.widgets import formatting

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.controllers.chat import ChatController
    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.engine import EngineController
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
        engines: Which model answers.
        chats: Whether one is answering.
        chat_with: Opens a new chat with the model of a path.
    """

    def __init__(
        self,
        window: MainWindow,
        downloads: DownloadController,
        settings: SettingsController,
        *,
        engines: EngineController,
        chats: ChatController,
        chat_with: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._downloads = downloads
        self._settings = settings
        self._engines = engines
        self._chats = chats
        self._chat_with = chat_with
        self._next_path = ""  # what to load after the answer under way
        self._page: DownloadsPage | None = None
        downloads.rows_changed.connect(self._on_rows)
        downloads.finished.connect(self._on_finished)
        downloads.failed.connect(self._on_failed)
        downloads.removed.connect(self._on_removed)
        downloads.left_found.connect(self._on_left)
        settings.changed.connect(self._on_settings)
        chats.answering_changed.connect(self._on_answering)

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
        if action in {"token", "mirror"}:
            self._open_network(with_token=action == "token")
            return
        commands = {
            "page": self._open_authors_page,
            "pause": downloads.pause,
            "resume": downloads.resume,
            "remove": downloads.remove,
        }
        commands[action](row_id)

    def _open_network(self, *, with_token: bool) -> None:
        from desktop.views.settings_page import SettingsPage  # noqa: PLC0415  not at the start

        page = self._window.open_page("settings")
        if isinstance(page, SettingsPage):
            page.show_network(with_token=with_token)

    def _open_authors_page(self, row_id: str) -> None:
        from inference.library.hub import default_endpoint, model_page  # noqa: PLC0415  rare

        row = self._downloads.row(row_id)
        if row is not None:
            endpoint = self._settings.settings().downloads.endpoint or default_endpoint()
            QDesktopServices.openUrl(QUrl(model_page(endpoint, row.repo)))

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
        if self._downloads.should_load(row.id) and self._may_switch():
            words = self.tr("{0} is here and checked. It answers from now on.").format(row.name)
            self._window.offer_undo(words, "", None)
            self._load_when_free(row.path)
            return
        words = self.tr("{0} is here and checked.").format(row.name)
        self._window.offer_way_on(words, self.tr("Open in chat"), lambda: self._chat_with(row.path))

    def _may_switch(self) -> bool:
        """Tell whether a model that comes in may take over: nobody chose one of their own."""
        model = self._engines.state().model
        return model is None or model.bundled

    def _load_when_free(self, path: str) -> None:
        """Load a model, after the answer that is being written."""
        if self._chats.answering:
            self._next_path = path
            return
        self._next_path = ""
        self._engines.add_model(path, load=True)

    def _on_answering(self, is_answering: bool) -> None:
        if self._next_path and not is_answering and self._may_switch():
            self._load_when_free(self._next_path)

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
        self._window.offer_way_on(words, self.tr("Go on"), self._downloads.go_on)
