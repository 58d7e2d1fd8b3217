"""The words of one message as one widget: painted pieces, selection, links, code controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDesktopServices,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from desktop.widgets.controls import plain_tip
from desktop.widgets.markdown.warm import warm_up
from desktop.widgets.transcript.body_menu import body_menu
from desktop.widgets.transcript.code_piece import CodePiece
from desktop.widgets.transcript.code_tools import CodeTools
from desktop.widgets.transcript.flow import Flow, Place
from desktop.widgets.transcript.selection import Chosen

if TYPE_CHECKING:
    from desktop.widgets.markdown.blocks import Stream
    from desktop.widgets.markdown.highlight import Recolouring
    from desktop.widgets.theme import Theme

MARGIN: Final = 8  # room for the focus ring on each side


class Body(QWidget):
    """Shows a stream of blocks.

    Args:
        stream: Where the blocks come from.
        theme: Fonts and colours.

    Signals:
        height_changed: The text needs another height.
        point_reached: The mouse that selects is at this place of the body; scroll there.
        save_refused: Why code could not be saved.
        inside_requested: A word, and how many equal ones stand before it.
    """

    height_changed = Signal()
    point_reached = Signal(QPointF)
    save_refused = Signal(str)
    inside_requested = Signal(str, int)

    def __init__(self, stream: Stream, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_body")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)  # growing repaints the new part
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.flow = Flow(stream, theme)
        self._theme = theme
        self._is_streaming = False
        self._tools: dict[int, CodeTools] = {}
        self._chosen = Chosen(self.flow)
        self._pressed_link = ""
        self._recolouring: list[tuple[int, Recolouring]] = []
        self._recolour_timer = QTimer(self)
        self._recolour_timer.setInterval(15)
        self._recolour_timer.timeout.connect(self._on_recolour)
        self.flow.refresh()
        warm_up()

    # -- content ----------------------------------------------------------------------------

    def append(self, text: str) -> None:
        """Add text at the end."""
        self.flow.stream.append(text)
        self._show_stream()

    def close_stream(self) -> None:
        """Say that no text will come any more."""
        self.flow.stream.close()
        self._show_stream()

    def set_streaming(self, is_streaming: bool) -> None:
        """Show or hide the caret at the end."""
        if is_streaming != self._is_streaming:
            self._is_streaming = is_streaming
            self.update()

    def set_width(self, measure: float, widest: float) -> None:
        """Lay out for a measure, and a width that code and tables may take."""
        if self.flow.set_width(measure, widest):
            self._place_tools()
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        before = self.flow.height
        self.flow.set_theme(theme)
        for tools in self._tools.values():
            tools.set_theme(theme)
        if self.flow.height != before:
            self._forget_tools()
            self.height_changed.emit()
        self.update()

    def text_height(self) -> float:
        """Return the height in pixels that the text needs."""
        line = float(self._theme.line_height("reading"))
        return max(self.flow.height, line if self._is_streaming else 0.0)

    def used_width(self) -> float:
        """Return how wide the widest line of words is, in pixels."""
        return self.flow.used_width()

    def words(self) -> str:
        """Return the whole text as it is copied."""
        return self.flow.cut((0, 0), self.flow.end())

    def _show_stream(self) -> None:
        before, first = self.flow.height, self.flow.settled
        top = self.flow.refresh()
        self._queue_recolouring(first)
        if self.flow.height != before:
            self._place_tools()
            self.height_changed.emit()
        caret = before - self._theme.line_height("notebook") - 16  # it may stand there still
        self.update(QRect(0, int(min(top, caret)) - 4, self.width(), 1 << 20))

    # -- code -------------------------------------------------------------------------------

    def expose(self, visible: QRectF) -> None:
        """Give the code blocks in ``visible`` their controls, and take them from the others."""
        near = visible.adjusted(0, -60, 0, 60)
        wanted = {
            index
            for index in self.flow.between(near.top(), near.bottom())
            if isinstance(self.flow.pieces[index], CodePiece)
        }
        for index in [i for i, t in self._tools.items() if i not in wanted and not t.has_focus()]:
            self._tools.pop(index).remove()
        for index in sorted(wanted - self._tools.keys()):
            self._add_tools(index)

    def focus_order(self) -> tuple[QWidget, ...]:
        """Return what Tab goes through here: the words, then the controls of code in sight."""
        tools = (self._tools[index] for index in sorted(self._tools))
        return (self, *(widget for one in tools for widget in one.focus_order()))

    def _add_tools(self, index: int) -> None:
        piece = self.flow.pieces[index]
        if not isinstance(piece, CodePiece):
            return
        tools = CodeTools(piece, self._theme, self)
        tools.fold_requested.connect(lambda: self._on_fold(index))
        tools.scrolled.connect(self.update)
        tools.save_refused.connect(self.save_refused)
        self._tools[index] = tools
        tools.place(self._origin(index))

    def _place_tools(self) -> None:
        for index in list(self._tools):
            is_same = index < len(self.flow.pieces) and (
                self.flow.pieces[index] is self._tools[index].piece
            )
            if is_same:
                self._tools[index].place(self._origin(index))
            else:
                self._tools.pop(index).remove()

    def _forget_tools(self) -> None:
        for tools in self._tools.values():
            tools.remove()
        self._tools.clear()

    def _on_fold(self, index: int) -> None:
        piece = self.flow.pieces[index]
        if isinstance(piece, CodePiece):
            piece.is_folded = not piece.is_folded
            self.flow.relay(index)
            self._place_tools()
            self.height_changed.emit()
            self.update()

    def _queue_recolouring(self, first: int) -> None:
        """Have complete code from a piece on coloured exactly, bit by bit."""
        known = {index for index, _ in self._recolouring}
        for index in range(first, len(self.flow.pieces)):
            piece = self.flow.pieces[index]
            if index in known or not isinstance(piece, CodePiece):
                continue
            job = piece.recolouring()
            if job is not None:
                self._recolouring.append((index, job))
                self._recolour_timer.start()

    def _on_recolour(self) -> None:
        if not self._recolouring:
            self._recolour_timer.stop()
            return
        index, job = self._recolouring[0]
        if job.step():
            return
        self._recolouring.pop(0)
        piece = self.flow.pieces[index] if index < len(self.flow.pieces) else None
        if isinstance(piece, CodePiece):
            piece.forget_layouts()
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the focus ring anew."""
        super().resizeEvent(event)
        if self.hasFocus():
            self.update()

    # -- painting ---------------------------------------------------------------------------

    def _origin(self, index: int) -> QPointF:
        return QPointF(MARGIN + self.flow.x_of(index), self.flow.tops[index])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pieces in sight."""
        painter = QPainter(self)
        clip = QRectF(event.rect())
        start, end = self._chosen.span()
        for index in self.flow.between(clip.top(), clip.bottom()):
            at = self._origin(index)
            chosen = self.flow.chosen(index, start, end) if start < end else None
            painter.save()
            painter.translate(at)
            self.flow.pieces[index].draw(painter, clip.translated(-at), self._theme, chosen)
            painter.restore()
        if self._is_streaming:
            self._draw_caret(painter)
        if self.hasFocus() and self.window().testAttribute(
            Qt.WidgetAttribute.WA_KeyboardFocusChange
        ):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _draw_caret(self, painter: QPainter) -> None:
        pieces = self.flow.pieces
        painter.save()
        if pieces:
            painter.translate(self._origin(len(pieces) - 1))
            pieces[-1].draw_caret(painter, self._theme)
        else:
            left = MARGIN + self.flow.left
            height = self._theme.line_height("reading") - 6
            painter.fillRect(QRectF(left, 3, 2, height), self._theme.accent)
        painter.restore()

    # -- selection and links ----------------------------------------------------------------

    def has_selection(self) -> bool:
        """Whether words are chosen."""
        return self._chosen.is_some()

    def selected_text(self) -> str:
        """Return the chosen words."""
        return self._chosen.text()

    def copy(self) -> None:
        """Put the chosen words on the clipboard, or all where none are chosen."""
        text = self.selected_text() if self.has_selection() else self.words()
        QGuiApplication.clipboard().setText(text)

    def select_all(self) -> None:
        """Choose all words."""
        self._chosen.choose_all()
        self.update()

    def _spot(self, event: QMouseEvent) -> QPointF:
        return event.position() - QPointF(MARGIN, 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a selection."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        spot = self._spot(event)
        self._pressed_link = self.flow.link_at(spot.x(), spot.y())
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._chosen.press(self.flow.place_at(spot.x(), spot.y()), extend=extend)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extend the selection, or show that a link is under the pointer."""
        spot = self._spot(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._chosen.drag(self.flow.place_at(spot.x(), spot.y()))
            self.point_reached.emit(event.position())
            self.update()
            return
        is_link = bool(self.flow.link_at(spot.x(), spot.y()))
        hand, beam = Qt.CursorShape.PointingHandCursor, Qt.CursorShape.IBeamCursor
        self.setCursor(hand if is_link else beam)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open a link that was pressed and released without a selection."""
        spot = self._spot(event)
        link, self._pressed_link = self._pressed_link, ""
        if link and not self.has_selection() and link == self.flow.link_at(spot.x(), spot.y()):
            QDesktopServices.openUrl(QUrl(link))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Choose a word."""
        spot = self._spot(event)
        self._pressed_link = ""
        self._chosen.choose_word(self.flow.place_at(spot.x(), spot.y()))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy, choose all, extend the selection; leave the rest to the transcript."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.key() == Qt.Key.Key_Escape and self.has_selection():
            self._chosen.clear()
            self.update()
        elif self._chosen.key(event):
            self.update()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self.update()
        super().focusOutEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the words."""
        spot = QPointF(event.pos()) - QPointF(MARGIN, 0)
        body_menu(self, event, spot).popup(event.globalPos())

    def word_here(self) -> tuple[str, int]:
        """Return the word that is chosen or was clicked, and how many equal ones stand before it.

        Of several chosen words the first; empty where there is none.
        """
        return self.word_at(self._chosen.span()[0])

    def word_at(self, place: Place) -> tuple[str, int]:
        """Return the word at a place, and how many equal ones stand before it."""
        word, nth = self._chosen.word_at(place)
        return (word, nth) if any(sign.isalnum() for sign in word) else ("", 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll code sideways; everything else scrolls the transcript."""
        delta = event.angleDelta()
        sideways = delta.x() or (
            delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        )
        y = event.position().y()
        moved = sideways and any(
            self._tools[index].scroll_by(-sideways // 2)
            for index in self.flow.between(y, y)
            if index in self._tools
        )
        if not moved:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Show a link's address as tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            spot = QPointF(event.pos()) - QPointF(MARGIN, 0)
            tip = plain_tip(self.flow.link_at(spot.x(), spot.y()))
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)
