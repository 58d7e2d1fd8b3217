"""From one click to the first answer: offers below the composer, their downloads, the model.

Imported after the first paint, and only where there is no chat yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from desktop.views.first_run import FirstRun

if TYPE_CHECKING:
    from desktop.controllers.chat import ChatController
    from desktop.controllers.downloads import DownloadController
    from desktop.controllers.engine import EngineController
    from desktop.controllers.first_run import FirstRunController
    from desktop.download_values import DownloadRow
    from desktop.values import EngineState
    from desktop.views.chat_column import ChatColumn
    from desktop.widgets.theme import Theme

_LATEST_MS = 5_000


class FirstRunWiring(QObject):
    """Lives until the first message; decides nothing.

    Args:
        column: Where the offers stand.
        theme: The look now.
        offers: What is offered.
        downloads: What is fetched.
        engines: Which model answers.
        chats: Whether there is a message yet.
    """

    def __init__(
        self,
        column: ChatColumn,
        theme: Theme,
        offers: FirstRunController,
        *,
        downloads: DownloadController,
        engines: EngineController,
        chats: ChatController,
    ) -> None:
        super().__init__(column)
        self._column = column
        self._offers = offers
        self._downloads = downloads
        self._engines = engines
        self._chats = chats
        self._looked = False
        self._view = FirstRun(theme)
        self._view.asked.connect(self._on_asked)
        self._view.apps_answered.connect(lambda use: offers.answer_apps(use=use))
        offers.setParent(self)
        offers.changed.connect(self._on_offers)
        offers.apps_taken.connect(engines.refresh)
        downloads.rows_changed.connect(self._show_rows)
        engines.state_changed.connect(self._on_engine)
        chats.chats_changed.connect(self._on_chats)
        # Asking for GPUs starts a process; the model that answers now comes first.
        QTimer.singleShot(_LATEST_MS, self, self._look)
        self._on_engine(engines.state())

    def _look(self) -> None:
        if not self._looked:
            self._looked = True
            self._offers.look()

    def _on_engine(self, state: EngineState) -> None:
        if state.status == "ready":
            self._look()
        self._show_rows()

    def _on_offers(self) -> None:
        view = self._offers.view()
        self._view.set_view(view)
        self._show_rows()
        if view.offers or view.apps:
            self._column.set_first_run(self._view)

    def _on_asked(self, number: int, action: str) -> None:
        # The button goes, and the next one must not take what is typed now for a press.
        self._column.focus_composer()
        if action == "download":
            self._downloads.download(self._offers.view().offers[number].wanted)
            return
        row = self._row(number)
        if row is None:
            return
        if action == "resume":
            self._downloads.resume(row.id)
        else:
            self._downloads.remove(row.id)

    def _row(self, number: int) -> DownloadRow | None:
        wanted = self._offers.view().offers[number].wanted
        return self._downloads.find(wanted.repo, wanted.wanted)

    def _show_rows(self) -> None:
        state = self._engines.state()
        path = state.model.path if state.model is not None and state.status == "ready" else ""
        rows = {number: self._row(number) for number in range(len(self._offers.view().offers))}
        ready = next((n for n, row in rows.items() if row is not None and row.path == path), None)
        self._view.set_rows(rows, ready)

    def _on_chats(self) -> None:
        if self._chats.chats():
            self._column.set_first_run(None)
            self._view.deleteLater()
            self.deleteLater()
