"""Makes the Models page and connects its tabs; imported when the page is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from desktop.controllers.computer import ComputerController
from desktop.controllers.discover import DiscoverController
from desktop.download_values import Wanted
from desktop.views.discover_page import DiscoverPage
from desktop.views.folders_wiring import FoldersWiring
from desktop.views.installed_wiring import make_installed
from desktop.views.models_page import ModelsPage, Tab
from desktop.widgets.found_delegate import kind_words
from inference.library.download.selection import CHECKPOINT

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.engine import EngineController
    from desktop.controllers.folders import FoldersLike
    from desktop.controllers.pairs import Fetchable
    from desktop.controllers.settings import SettingsController
    from desktop.discover_values import FoundVersion
    from desktop.download_values import DownloadRow
    from desktop.store.settings import Settings
    from desktop.values import EngineState, Models
    from desktop.views.installed_page import InstalledPage
    from desktop.views.main_window import MainWindow
    from desktop.widgets.theme import Theme
    from inference.paths import AppPaths


class ModelsWiring(QObject):
    """Lives as long as the page; knows both sides and decides nothing.

    Args:
        theme: The look at the start.
        engines: The engine and what is installed.
        downloads: What is fetched.
        settings: The hub's address.
        tasks: For what is read off the GUI thread.
        paths: Where models are.
        library: Has the lists of folders.
        window: Says what was done, with the way back.
        parent: Qt parent.

    Signals:
        chat_asked: With the id of the model to talk with.
        downloads_asked: The page of downloads shall be opened.
        add_asked: With the path of a file or folder from elsewhere.
    """

    chat_asked = Signal(str)
    downloads_asked = Signal()
    add_asked = Signal(str)

    def __init__(
        self,
        theme: Theme,
        *,
        engines: EngineController,
        downloads: DownloadController,
        settings: SettingsController,
        tasks: TaskRunner,
        paths: AppPaths,
        library: FoldersLike,
        window: MainWindow,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._downloads = downloads
        self._settings = settings
        self._engines = engines
        self._tasks = tasks
        self._paths = paths
        self._state = engines.state()
        self._installed: InstalledPage | None = None
        self._discover: DiscoverController | None = None
        self._computer = ComputerController(paths, tasks, parent=self)
        self._folders = FoldersWiring(library, engines, tasks, window, self)
        self.page = ModelsPage(theme, self._tabs())
        self._folders.attach(self.page, theme)
        self._computer.changed.connect(self.page.strip.set_computer)
        self.page.seen.connect(lambda seen: self._computer.watch(watched=seen))

    def shutdown(self) -> None:
        """End what works in the background."""
        if self._discover is not None:
            self._discover.shutdown()

    def set_engine(self, state: EngineState) -> None:
        """Show what the engine does."""
        came_or_went = (state.loaded is None) != (self._state.loaded is None)
        self._state = state
        if came_or_went and self.page.isVisible():
            self._computer.look_again()
        if self._installed is not None:
            self._installed.set_engine(state)

    def set_settings(self, settings: Settings) -> None:
        """Show what a model's own options are compared with."""
        if self._installed is not None:
            self._installed.detail.set_settings(settings)

    def set_models(self, models: Models) -> None:
        """Show what is installed."""
        if self._installed is not None:
            self._installed.set_models(models)
        if self._discover is not None:
            self._discover.set_models(models)

    def show_model(self, model: str | Fetchable) -> None:
        """Open the page of an installed model, by its id, or of one to be found."""
        if isinstance(model, str):
            self.page.open_tab("installed")
            if self._installed is not None:
                self._installed.show_model(model)
            return
        page = self.page.open_tab("discover")
        if isinstance(page, DiscoverPage):
            page.open(model.key, model.version_id, model.kind)
            page.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tabs(self) -> tuple[Tab, ...]:
        return (
            Tab("discover", self.tr("Discover"), self._make_discover),
            Tab("installed", self.tr("Installed"), self._make_installed),
            Tab("folders", self.tr("Folders"), self._folders.make_page),
        )

    def _make_discover(self, theme: Theme) -> QWidget:
        settings = self._settings
        discover = DiscoverController(lambda: settings.settings().downloads.endpoint, self)
        discover.tasks.failure_unhandled.connect(self._tasks.failure_unhandled)
        settings.changed.connect(discover.pages.readings.forget_token)
        self._downloads.token_changed.connect(discover.pages.readings.forget_token)
        page = DiscoverPage(theme, discover)
        foot = page.detail.foot
        foot.chat_asked.connect(self.chat_asked)
        foot.downloads_asked.connect(self.downloads_asked)
        foot.download_asked.connect(self._download)
        page.detail.set_downloads(self._download_of, self._speed)
        self._downloads.rows_changed.connect(page.detail.refresh_downloads)
        self._computer.changed.connect(discover.set_computer)
        self._computer.changed.connect(lambda state: foot.set_free_disk(state.disk_free_bytes))
        discover.set_starred(settings.settings().starred)
        discover.starred_changed.connect(lambda keys: settings.update(starred=keys))
        discover.set_computer(self._computer.state())
        foot.set_free_disk(self._computer.state().disk_free_bytes)
        discover.set_models(self._engines.models())
        discover.begin()
        self._discover = discover
        return page

    def _download(self, versions: tuple[FoundVersion, ...]) -> None:
        page = self._discover.pages.page() if self._discover is not None else None
        for version in versions:
            kind = kind_words(version.kind) if page is not None and len(page.kinds) > 1 else ""
            name = f"{page.name} {kind}".strip() if page is not None else ""
            self._downloads.download(
                Wanted(
                    version.repo,
                    version.wanted,
                    version.revision,
                    name,
                    version.size_bytes,
                )
            )

    def _download_of(self, version: FoundVersion) -> DownloadRow | None:
        rows = (row for row in self._downloads.rows() if row.repo == version.repo)
        return next((row for row in rows if _brings(row, version)), None)

    def _speed(self) -> float:
        seen = [speed for speed in self._downloads.history if speed]
        return sum(seen) / len(seen) if seen else 0.0

    def _make_installed(self, theme: Theme) -> QWidget:
        page = make_installed(theme, self._engines, self._tasks, self._paths, self)
        page.add_asked.connect(self.add_asked)
        page.chat_asked.connect(self.chat_asked)
        self._installed = page
        return page


def _brings(row: DownloadRow, version: FoundVersion) -> bool:
    """Tell whether a download of the same repository is the one of a version."""
    if version.engine == "native":
        return row.file == row.repo or row.wanted in ("", CHECKPOINT)
    wanted = version.wanted.rpartition("/")[2].lower()
    return wanted in f"{row.file} {row.wanted}".lower()
