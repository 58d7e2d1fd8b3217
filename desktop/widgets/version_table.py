"""The table of versions: as high as its rows, framed, with a download button in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPen, QRegion
from PySide6.QtWidgets import QFrame, QListView, QSizePolicy, QWidget

from desktop.itemmodels.found_versions import FoundVersionsList
from desktop.widgets.version_delegate import VersionDelegate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from desktop.discover_values import FoundVersion
    from desktop.widgets.theme import Theme


class VersionTable(QListView):
    """Shows versions; one is chosen.

    Signals:
        chosen: With the id of the chosen version.
        download_asked: With the id of the version whose button was pressed.
        left_by_enter: Enter was pressed: on to what can be done with the chosen version.
    """

    chosen = Signal(str)
    download_asked = Signal(str)
    left_by_enter = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("versions_table")
        self.setAccessibleName(self.tr("Versions"))
        self.items = FoundVersionsList(self)
        self._delegate = VersionDelegate(theme, self)
        self.setModel(self.items)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setViewportMargins(1, 1, 1, 1)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        self.items.modelReset.connect(self._on_reset)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.viewport().update()

    def set_can_download(self, *, can_download: bool) -> None:
        """Give rows a button, or take it away."""
        self._delegate.has_actions = can_download
        self.viewport().update()

    def set_versions(self, versions: Sequence[FoundVersion], current: str) -> None:
        """Show these versions and choose one; nothing is emitted."""
        self.blockSignals(True)
        self.items.set_versions(versions)
        self.setCurrentIndex(self.items.index(self.items.row_of(current)))
        self.blockSignals(False)

    def current(self) -> str:
        """Return the id of the chosen version; empty without one."""
        version = self.items.version_at(self.currentIndex())
        return version.id if version is not None else ""

    def sizeHint(self) -> QSize:
        """Return the size of all rows."""
        return QSize(400, self._rows_height())

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(240, self._rows_height())

    def _rows_height(self) -> int:
        return sum(self.sizeHintForRow(row) for row in range(self.items.rowCount())) + 2

    def _on_reset(self) -> None:
        self.updateGeometry()

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        version = self.items.version_at(current)
        if version is not None:
            self.chosen.emit(version.id)

    def _on_action(self, place: QPoint) -> bool:
        index = self.indexAt(place)
        version = self.items.version_at(index)
        if version is None or not self._delegate.has_actions or version.problem:
            return False
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        box = self._delegate.action_place(self.visualRect(index), mirrored=mirrored)
        if version.installed_id or not box.contains(place):
            return False
        self.download_asked.emit(version.id)
        return True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Press the button of a row."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._on_action(event.position().toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go on from a row to what can be done with it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left_by_enter.emit()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the rows inside the rounded frame."""
        super().resizeEvent(event)
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.viewport().rect()), 7, 7)
        self.viewport().setMask(QRegion(path.toFillPolygon().toPolygon()))
        self.scheduleDelayedItemsLayout()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, and the frame's outline above them."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.line_strong))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        outline = QRectF(self.viewport().rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(outline, 7, 7)
        painter.end()
