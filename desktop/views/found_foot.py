"""The foot of a model to be found: fetch a version, see how far it is, or chat with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop.widgets import formatting
from desktop.widgets.controls import Button, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.discover_values import FoundPage, FoundVersion
    from desktop.download_values import DownloadRow
    from desktop.widgets.theme import Theme


class FoundFoot(QFrame):
    """What can be done with the chosen version; hidden where there is nothing.

    Args:
        theme: Colours.

    Signals:
        download_asked: A tuple of ``FoundVersion``.
        chat_asked: Id of an installed model.
        downloads_asked: The page of downloads shall be opened.
    """

    download_asked = Signal(tuple)
    chat_asked = Signal(str)
    downloads_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("found_foot")
        self.setProperty("ground", "side")
        self.setProperty("edge", "top")
        self.setFixedHeight(57)
        self._version: FoundVersion | None = None
        self._partner: FoundVersion | None = None
        self._find: Callable[[FoundVersion], DownloadRow | None] | None = None
        self._speed: Callable[[], float] = lambda: 0.0
        self._free_bytes = 0
        self._download = Button(
            self.tr("Download"), theme, kind="main", name="found_download", icon_name="download"
        )
        self._download.clicked.connect(self._on_download)
        self._both = Button(self.tr("Both base and instruct"), theme, name="found_both")
        self._both.clicked.connect(self._on_both)
        self._chat = Button(
            self.tr("Chat with it"),
            theme,
            kind="main",
            name="found_chat",
            icon_name="message-square",
        )
        self._chat.clicked.connect(self._on_chat)
        self._show = Button(self.tr("Show in Downloads"), theme, name="found_downloads")
        self._show.clicked.connect(self.downloads_asked)
        self._words = label("", theme, "small", "text2", name="found_foot_words")
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(10)
        for button in (self._chat, self._download, self._both, self._show):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._words)
        self.hide()

    def set_downloads(
        self, find: Callable[[FoundVersion], DownloadRow | None], speed: Callable[[], float]
    ) -> None:
        """Offer downloads.

        Args:
            find: The download of a version, if there is one.
            speed: Bytes per second as measured lately; 0 when nothing was.
        """
        self._find = find
        self._speed = speed

    @property
    def can_download(self) -> bool:
        """Whether there is somebody who downloads."""
        return self._find is not None

    def set_free_disk(self, free_bytes: int) -> None:
        """Know how much room there is; 0 = not known."""
        if free_bytes != self._free_bytes:
            self._free_bytes = free_bytes
            self.refresh()

    def show_version(self, page: FoundPage, version: FoundVersion | None) -> None:
        """Show what can be done with a version of a page."""
        self._version = version
        self._partner = page.partner.get(version.id) if version is not None else None
        self.refresh()

    def refresh(self) -> None:
        """Show how far it is now."""
        version = self._version
        if version is None:
            self.hide()
            return
        row = self._find(version) if self._find is not None else None
        under_way = row is not None and row.state != "finished" and not version.installed_id
        installed = bool(version.installed_id)
        can = self.can_download and not version.problem and not installed and not under_way
        self._chat.setVisible(installed)
        self._download.setVisible(can)
        self._show.setVisible(under_way)
        self._say_download(version)
        self._say_both(version, can=can)
        self._words.setText(self._said(version, row if under_way else None, can=can))
        self.setVisible(can or installed or under_way)

    def focus_first(self) -> None:
        """Put the keyboard on what one would do next."""
        for button in (self._chat, self._download, self._show):
            if button.isVisible() and button.isEnabled():
                button.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _say_download(self, version: FoundVersion) -> None:
        size = formatting.size(version.size_bytes) if version.size_bytes else ""
        words = self.tr("Download {0}, {1}") if size else self.tr("Download {0}")
        self._download.setText(words.format(version.label, size))
        self._download.setAccessibleName(self._download.text())
        self._download.set_reason(self._too_much(version.size_bytes))

    def _say_both(self, version: FoundVersion, *, can: bool) -> None:
        partner = self._partner
        both = can and partner is not None and not partner.installed_id
        self._both.setVisible(both)
        if not both or partner is None:
            return
        total = version.size_bytes + partner.size_bytes
        words = self.tr("Both base and instruct, {0}").format(formatting.size(total))
        self._both.setText(words)
        self._both.setAccessibleName(words)
        self._both.set_reason(self._too_much(total))

    def _too_much(self, size_bytes: int) -> str:
        """Return why there is no room; the download itself looks again, file by file."""
        if not self._free_bytes or size_bytes <= self._free_bytes:
            return ""
        words = self.tr("It needs {0}, and {1} are free on the disk of the models folder.")
        return words.format(formatting.size(size_bytes), formatting.size(self._free_bytes))

    def _said(self, version: FoundVersion, row: DownloadRow | None, *, can: bool) -> str:
        if row is not None:
            share = formatting.percent(round(row.fraction, 2))
            if row.group == "needs_you":
                return row.title or self.tr("Stopped at {0}").format(share)
            if row.state == "paused":
                return self.tr("Paused, {0} is kept").format(share)
            return self.tr("Downloading, {0}").format(share)
        speed = self._speed()
        if not can or not speed or not version.size_bytes:
            return ""
        minutes = max(1, round(version.size_bytes / speed / 60))
        words = self.tr("About 1 minute at {1}/s" if minutes == 1 else "About {0} minutes at {1}/s")
        return words.format(formatting.count(minutes), formatting.size(round(speed)))

    def _on_download(self) -> None:
        if self._version is not None:
            self.download_asked.emit((self._version,))

    def _on_both(self) -> None:
        if self._version is not None and self._partner is not None:
            self.download_asked.emit((self._version, self._partner))

    def _on_chat(self) -> None:
        if self._version is not None:
            self.chat_asked.emit(self._version.installed_id)
