"""The list of steps: a number in a circle and a name; steps that were seen have a tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.widgets.icons import paint_icon
from desktop.widgets.row_painting import RowPainter, paint_ground

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.widgets.theme import Theme

SEEN: Final = int(Qt.ItemDataRole.UserRole)
ICON: Final = SEEN + 1
"""Name of the icon of a chapter, in place of a number."""
_ROW: Final = 38
_CIRCLE: Final = 22
_TEXT: Final = 40


class StepDelegate(QStyledItemDelegate):
    """Paints one step a row."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size of a row."""
        return QSize(180, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        theme = self._theme
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ground(painter, option, theme)
        rect: QRect = option.rect
        row = RowPainter(painter, rect, theme)
        circle = row.place(8, (_ROW - _CIRCLE) // 2, _CIRCLE, _CIRCLE)
        self._paint_circle(painter, circle, index, chosen=chosen)
        row.words(
            row.place(_TEXT, 0, rect.width() - _TEXT - 6, _ROW),
            str(index.data()),
            theme.font("body_strong" if chosen else "body"),
            theme.text if chosen or index.data(SEEN) else theme.text2,
        )
        painter.restore()

    def _paint_circle(
        self,
        painter: QPainter,
        circle: QRect,
        index: QModelIndex | QPersistentModelIndex,
        *,
        chosen: bool,
    ) -> None:
        theme = self._theme
        seen = bool(index.data(SEEN)) and not chosen
        painter.setPen(Qt.PenStyle.NoPen if chosen or seen else QPen(theme.control, 1))
        painter.setBrush(theme.accent if chosen else theme.accent_soft if seen else theme.side)
        painter.drawEllipse(QRectF(circle).adjusted(0.5, 0.5, -0.5, -0.5))
        if seen:
            paint_icon(painter, "check", theme.accent_text, circle.adjusted(5, 5, -5, -5))
            return
        icon = index.data(ICON)
        if icon:
            color = theme.on_accent if chosen else theme.text2
            paint_icon(painter, icon, color, circle.adjusted(5, 5, -5, -5))
            return
        painter.setFont(theme.font("label_strong"))
        painter.setPen(theme.on_accent if chosen else theme.text2)
        painter.drawText(circle, int(Qt.AlignmentFlag.AlignCenter), str(index.row() + 1))
