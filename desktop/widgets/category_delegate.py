"""Rows with an icon and a word, as the categories of the Settings page are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.widgets.icons import BUTTON, paint_icon
from desktop.widgets.row_painting import paint_ground
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.widgets.theme import Theme


class CategoryDelegate(QStyledItemDelegate):
    """Paints one category a row.

    Args:
        icon_names: Lucide icons in the order of the rows; an empty one makes a row a heading.
        theme: Colours.
        parent: Qt owner.
    """

    def __init__(
        self, icon_names: tuple[str, ...], theme: Theme, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._icon_names = icon_names
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size its words ask for."""
        return QSize(120, rows("chat"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        theme = self._theme
        rect: QRect = option.rect
        icon_name = self._icon_names[index.row()]
        if not icon_name:
            self._paint_head(painter, rect, str(index.data()))
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ground(painter, option, theme)
        ink = theme.accent_text if chosen else theme.text2
        glyph = QRect(rect.left() + 8, rect.top(), BUTTON, rect.height())
        words = rect.adjusted(33, 0, -8, 0)
        if painter.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            glyph.moveRight(rect.right() - 8)
            words = rect.adjusted(8, 0, -33, 0)
        paint_icon(painter, icon_name, ink, glyph)
        painter.setFont(theme.font("body_strong" if chosen else "body"))
        painter.setPen(theme.text)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(words, align, str(index.data()))
        painter.restore()

    def _paint_head(self, painter: QPainter, rect: QRect, words: str) -> None:
        painter.setFont(self._theme.font("label_strong"))
        painter.setPen(self._theme.text3)
        align = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeading
        painter.drawText(rect.adjusted(8, 0, -8, -6), align, words)
