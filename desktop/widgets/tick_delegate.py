"""Rows of models with a box to tick: name above, version, engine and size below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from desktop.itemmodels.models import ModelRole
from desktop.widgets import formatting
from desktop.widgets.icons import paint_icon
from desktop.widgets.row_painting import RowPainter, paint_ground

if TYPE_CHECKING:
    from PySide6.QtCore import QAbstractItemModel, QObject

    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme

_ROW: Final = 46
_BOX: Final = 16
_TEXT: Final = 32


class TickDelegate(QStyledItemDelegate):
    """Paints one model a row; a click anywhere and the space bar tick it."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size its words ask for."""
        return QSize(160, _ROW)

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """Tick or untick."""
        del option
        if not (_is_key(event) or _is_click(event)):
            return False
        on = Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked
        wanted = Qt.CheckState.Unchecked if on else Qt.CheckState.Checked
        return model.setData(index, wanted, Qt.ItemDataRole.CheckStateRole)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        model: InstalledModel | None = index.data(ModelRole.MODEL)
        if model is None:
            return
        theme, info = self._theme, model.info
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ground(painter, option, theme)
        rect: QRect = option.rect
        row = RowPainter(painter, rect, theme)
        on = Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked
        self._paint_box(painter, row.place(8, (_ROW - _BOX) // 2, _BOX, _BOX), on=on)
        width = rect.width() - _TEXT - 8
        row.words(row.place(_TEXT, 5, width, 18), info.name, theme.font("body"), theme.text)
        facts = (
            info.quantization,
            formatting.engine(info.engine),
            formatting.size(info.size_bytes),
        )
        row.words(
            row.place(_TEXT, 23, width, 18), " · ".join(facts), theme.font("small"), theme.text3
        )
        painter.restore()

    def _paint_box(self, painter: QPainter, place: QRect, *, on: bool) -> None:
        theme = self._theme
        painter.setPen(Qt.PenStyle.NoPen if on else QPen(theme.control))
        painter.setBrush(theme.accent if on else theme.raised)
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if on:
            paint_icon(painter, "check", theme.on_accent, place.adjusted(2, 2, -2, -2))


def _is_key(event: QEvent) -> bool:
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.KeyPress
        and event.key() in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
    )


def _is_click(event: QEvent) -> bool:
    return (
        isinstance(event, QMouseEvent)
        and event.type() == QEvent.Type.MouseButtonRelease
        and event.button() == Qt.MouseButton.LeftButton
    )
