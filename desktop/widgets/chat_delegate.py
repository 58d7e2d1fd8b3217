"""How a row of the chat list is drawn, hovered, renamed and pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.itemmodels.chats import ChatRole
from desktop.widgets.icons import INLINE, paint_icon
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from desktop.values import ChatSummary
    from desktop.widgets.theme import Theme

_SIDE = 8  # from the edge of the row to its words
_DOTS = 30


class ChatDelegate(QStyledItemDelegate):
    """Paints groups and chats.

    Signals:
        menu_asked: Row and place (in the view) where the painted "..." was pressed.
    """

    menu_asked = Signal(QModelIndex, QPoint)

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.current_id = ""
        self.with_snippets = False

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the size its words ask for."""
        return QSize(120, 52 if self.with_snippets else rows("chat"))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one row."""
        painter.save()
        rect: QRect = option.rect
        chat: ChatSummary | None = index.data(ChatRole.SUMMARY)
        if chat is None:
            self._paint_group(painter, rect, str(index.data(ChatRole.GROUP)))
        else:
            state: QStyle.StateFlag = option.state
            self._paint_chat(painter, rect, chat, state)
        painter.restore()

    def _paint_group(self, painter: QPainter, rect: QRect, words: str) -> None:
        painter.setFont(self._theme.font("label_strong"))
        painter.setPen(self._theme.text3)
        place = rect.adjusted(_SIDE, 10, -_SIDE, 0)
        painter.drawText(
            place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, words
        )

    def _paint_chat(
        self, painter: QPainter, rect: QRect, chat: ChatSummary, state: QStyle.StateFlag
    ) -> None:
        theme = self._theme
        current = chat.id == self.current_id
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if current or hovered:
            painter.setBrush(theme.selected if current else theme.hover)
            painter.drawRoundedRect(rect, 6, 6)
        focused = state & QStyle.StateFlag.State_HasFocus
        if focused and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 6, 6)
        mirrored = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
        right = self._paint_state(painter, rect, chat, hovered=hovered, current=current)
        words = rect.adjusted(_SIDE, 0, -right, 0)
        if mirrored:
            words = rect.adjusted(right, 0, -_SIDE, 0)
        if self.with_snippets:
            self._paint_snippet(painter, words, chat)
            words = words.adjusted(0, 5, 0, -25)
        font = theme.font("body_strong" if current else "body")
        self._paint_line(painter, words, chat.title, font, theme.text)

    def _paint_snippet(self, painter: QPainter, words: QRect, chat: ChatSummary) -> None:
        theme = self._theme
        place = words.adjusted(0, 27, 0, -5)
        self._paint_line(painter, place, chat.snippet, theme.font("small"), theme.text3)

    @staticmethod
    def _paint_line(painter: QPainter, place: QRect, text: str, font: QFont, ink: QColor) -> None:
        painter.setFont(font)
        painter.setPen(ink)
        line = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(place, align, line)

    def _paint_state(
        self, painter: QPainter, rect: QRect, chat: ChatSummary, *, hovered: bool, current: bool
    ) -> int:
        """Paint what stands at the end of the row; return how much room it took."""
        theme = self._theme
        place = dots_rect(
            rect, mirrored=painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
        )
        glyph = QRect(0, 0, INLINE, INLINE)
        glyph.moveCenter(place.center())
        if hovered:
            paint_icon(painter, "ellipsis", theme.text2, glyph)
        elif chat.answering:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent)
            painter.drawEllipse(QRectF(glyph).center(), 3, 3)
        elif chat.has_problem:
            paint_icon(painter, "circle-alert", theme.bad, glyph)
        elif chat.pinned:
            paint_icon(painter, "pin", theme.text3, glyph)
        elif current:
            paint_icon(painter, "ellipsis", theme.text2, glyph)
        else:
            return _SIDE
        return _DOTS + 2

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """Take presses on painted buttons."""
        is_press = event.type() == QEvent.Type.MouseButtonPress
        if is_press and isinstance(event, QMouseEvent) and index.data(ChatRole.SUMMARY):
            rect: QRect = option.rect
            direction = option.direction
            place = dots_rect(rect, mirrored=direction == Qt.LayoutDirection.RightToLeft)
            if event.button() == Qt.MouseButton.LeftButton and place.contains(
                event.position().toPoint()
            ):
                self.menu_asked.emit(model.index(index.row(), 0), place.bottomLeft())
                return True
        return super().editorEvent(event, model, option, index)

    def createEditor(
        self,
        parent: QWidget,
        _option: QStyleOptionViewItem,
        _index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        """Make the field for renaming in place."""
        field = QLineEdit(parent)
        field.setObjectName("chat_rename")
        field.setAccessibleName(self.tr("New name"))
        field.setFont(self._theme.font("body"))
        return field

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        _index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Place the field."""
        rect: QRect = option.rect
        editor.setGeometry(rect.adjusted(0, 1, 0, -1))


def dots_rect(row: QRect, *, mirrored: bool) -> QRect:
    """Return where the painted "..." of a row can be pressed."""
    left = row.left() if mirrored else row.right() - _DOTS + 1
    return QRect(left, row.top(), _DOTS, row.height())
