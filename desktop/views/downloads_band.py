"""What stands above the downloads: the speed of all, the disk, and how many files at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from desktop.views import download_words as words
from desktop.views.chat_page import ElidedLabel
from desktop.widgets import formatting
from desktop.widgets.controls import label
from desktop.widgets.download_charts import DiskBar, SpeedHistory
from desktop.widgets.inputs import Combo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from desktop.download_values import DiskUse, DownloadTotals
    from desktop.widgets.theme import Theme

_MOST_AT_ONCE: Final = 8
_STACK_BELOW: Final = 860


class DownloadsBand(QFrame):
    """Figures of all downloads together.

    Signals:
        parallel_asked: How many files are to be fetched at once.
    """

    parallel_asked = Signal(int)

    def __init__(self, theme: Theme, parallel: int) -> None:
        super().__init__()
        self._theme = theme
        self._use: DiskUse | None = None
        self._planned = 0
        self.setObjectName("downloads_band")
        self.setProperty("ground", "side")
        self.setProperty("edge", "bottom")
        self._speed = label("", theme, "title", name="downloads_speed")
        self._left = label("", theme, "small", "text3", name="downloads_left")
        self._history = SpeedHistory(theme)
        self._minute = label(self.tr("last\nminute"), theme, "label", "text3")
        self._folder = ElidedLabel(theme, name="downloads_folder")
        self._folder.setFont(theme.font("small"))
        self._free = label("", theme, "small", "text3", name="downloads_free")
        self._disk = DiskBar(theme)
        self._legend = label("", theme, "label", "text3", name="downloads_legend")
        self._at_once = Combo(self.tr("Files at once"), theme, name="downloads_parallel")
        for number in range(1, _MOST_AT_ONCE + 1):
            self._at_once.addItem(formatting.count(number), number)
        self._at_once.setCurrentIndex(parallel - 1)
        self._at_once.activated.connect(lambda index: self.parallel_asked.emit(index + 1))
        self._build()

    def _build(self) -> None:
        theme = self._theme
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self._speed)
        texts.addWidget(self._left)
        first = QHBoxLayout()
        first.setSpacing(16)
        first.addLayout(texts, 1)
        first.addWidget(self._history, 0, Qt.AlignmentFlag.AlignVCenter)
        first.addWidget(self._minute, 0, Qt.AlignmentFlag.AlignVCenter)
        head = QHBoxLayout()
        head.addWidget(self._folder, 1)
        head.addWidget(self._free)
        disk = QVBoxLayout()
        disk.setSpacing(4)
        disk.addLayout(head)
        disk.addWidget(self._disk)
        disk.addWidget(self._legend)
        at_once = QHBoxLayout()
        at_once.setSpacing(10)
        at_once.addStretch(1)
        at_once.addWidget(label(self.tr("Files at once"), theme, "small", "text2"))
        at_once.addWidget(self._at_once)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._row.setContentsMargins(24, 10, 24, 10)
        self._row.setSpacing(24)
        self._row.addLayout(first, 4)
        self._row.addLayout(disk, 5)
        self._row.addLayout(at_once, 0)

    def set_totals(self, totals: DownloadTotals, history: Sequence[float]) -> None:
        """Show speed and what is left."""
        self._speed.setText(words.speed(totals.bytes_per_s))
        self._left.setText(words.total_line(totals))
        self._history.set_values(history)
        if totals.planned_bytes != self._planned:
            self._planned = totals.planned_bytes
            self._show_disk()

    def set_disk(self, use: DiskUse) -> None:
        """Show the disk."""
        self._use = use
        self._show_disk()

    def set_parallel(self, parallel: int) -> None:
        """Show how many files are fetched at once; nothing is emitted."""
        self._at_once.setCurrentIndex(parallel - 1)

    def _show_disk(self) -> None:
        use = self._use
        if use is None or not use.total_bytes:
            return
        free = formatting.size(use.free_bytes)
        enough = self._planned <= use.free_bytes
        said = self.tr("{0} free, enough") if enough else self.tr("{0} free, too little")
        self._free.setText(said.format(free))
        self._folder.set_text(self.tr("Models folder, {0}").format(use.folder))
        parts = [self.tr("Models {0}").format(formatting.size(use.models_bytes))]
        if self._planned:
            parts.append(self.tr("Planned {0}").format(formatting.size(self._planned)))
        self._legend.setText("    ".join((self.tr("Other files"), *parts)))
        other = use.total_bytes - use.free_bytes - use.models_bytes
        spoken = ", ".join((*parts, said.format(free)))
        total = use.total_bytes
        self._disk.set_shares(
            max(0, other) / total, use.models_bytes / total, self._planned / total, spoken
        )

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works: it stacks before it pushes the page wider."""
        return QSize(240, self._row.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the parts where there is little room."""
        super().resizeEvent(event)
        is_narrow = self.width() < _STACK_BELOW
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.TopToBottom if is_narrow else ways.LeftToRight)
        self._row.setSpacing(10 if is_narrow else 24)
        self._history.setVisible(self.width() >= 560 and not _is_tight(self))
        self._minute.setVisible(self._history.isVisibleTo(self))


def _is_tight(band: QWidget) -> bool:
    return _STACK_BELOW <= band.width() < 1_040
