"""Connects the window with the network: the count at the foot, the settings, the token.

Imported after the first paint; nothing makes a request before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.controllers.network import NetworkController

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop.bridge.event_bridge import EventBridge
    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.settings import SettingsController
    from desktop.store.settings import Settings
    from desktop.views.main_window import MainWindow
    from desktop.views.network_settings import NetworkSettings


class NetworkWiring(QObject):
    """Lives as long as the window; decides nothing.

    Args:
        window: The window.
        bridge: Where threads that make requests post.
        downloads: Tries again once there is a token; its workers ask the keyring.
        settings: The settings.
    """

    def __init__(
        self,
        window: MainWindow,
        bridge: EventBridge,
        downloads: DownloadController,
        settings: SettingsController,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._network = NetworkController(bridge, downloads.tasks, self)
        self._page: NetworkSettings | None = None
        self._count = 0
        self._network.counted.connect(self._on_counted)
        self._network.token_stored.connect(downloads.retry_gated)
        settings.changed.connect(self._on_settings)
        window.page_made.connect(self._on_page)
        window.closing.connect(self._network.shutdown)
        self._network.begin()

    def _on_page(self, page_id: str, page: QWidget) -> None:
        from desktop.views.settings_page import SettingsPage  # noqa: PLC0415  made by now

        if page_id == "settings" and isinstance(page, SettingsPage):
            page.network_made.connect(self._adopt)

    def _adopt(self, page: NetworkSettings) -> None:
        network = self._network
        self._page = page
        page.change_asked.connect(lambda changed: self._settings.update(downloads=changed))
        page.token_asked.connect(network.store_token)
        network.token_found.connect(page.set_token)
        network.token_refused.connect(page.set_token_problem)
        page.set_requests(network.requests(), self._count)
        network.find_token()

    def _on_counted(self, count: int) -> None:
        self._count = count
        self._window.status.set_requests(count)
        if self._page is not None:
            self._page.set_requests(self._network.requests(), count)

    def _on_settings(self, settings: Settings) -> None:
        if self._page is not None:
            self._page.set_settings(settings.downloads)
