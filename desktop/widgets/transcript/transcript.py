"""The scrolling column of messages of one chat.

Only messages in and near sight have widgets; the others are a height. The reading position is
never stolen: the column follows the stream only while the reader is at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QWidget

from desktop.widgets.transcript.body import MARGIN
from desktop.widgets.transcript.jump import SIZE as _JUMP
from desktop.widgets.transcript.jump import JumpButton
from desktop.widgets.transcript.message import MessageWidget
from desktop.widgets.transcript.rows import Row, Rows, guess

if TYPE_CHECKING:
    from desktop.values import MessageView
    from desktop.widgets.theme import Theme

_GUTTER: Final = 24
_WIDEST: Final = 760
_TOP: Final = 16
_BOTTOM: Final = 8
_NEAR: Final = 400  # pixels out of sight within which messages keep their widgets


class Transcript(QAbstractScrollArea):
    """Shows the messages of one chat.

    Args:
        theme: Fonts and colours.

    Signals: each names a message; ``version_requested`` also -1 (earlier) or 1 (later).
    """

    retry_requested = Signal(str)
    offer_taken = Signal(str, str)
    again_requested = Signal(str)
    edit_requested = Signal(str)
    continue_requested = Signal(str)
    version_requested = Signal(str, int)
    inside_requested = Signal(str, str, int)
    save_refused = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transcript")
        self.setAccessibleName(self.tr("Messages"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the messages take the keyboard
        self._theme = theme
        self._rows = Rows()
        self._is_following = True
        self._is_moving = False  # we set the scroll bar ourselves
        self._is_loading = False
        self._is_chain_stale = False
        self._painted_top = -_TOP
        # Every pixel of the paper is painted, so Qt may move the picture when it scrolls.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        bar = self.verticalScrollBar()
        bar.setSingleStep(40)
        bar.setObjectName("transcript_scroll")
        bar.valueChanged.connect(self._on_scrolled)
        self._jump = JumpButton(self.tr("Go to the end"), theme, self)
        self._jump.clicked.connect(self.jump_to_end)
        self._jump.hide()
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(0)
        self._settle_timer.timeout.connect(self._settle)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus_changed)

    # -- content ----------------------------------------------------------------------------

    def show_messages(self, views: tuple[MessageView, ...]) -> None:
        """Show another chat, from its end."""
        for row in self._rows.rows:
            self._put_away(row)
        self._rows.show(views, self._theme.line_height("reading"))
        self._is_following = True
        self._settle()

    def show_branch(self, views: tuple[MessageView, ...]) -> None:
        """Show another branch of the same chat; messages that stay keep their widgets."""
        old = {row.view.id: row for row in self._rows.rows}
        rows = []
        for view in views:
            row = old.pop(view.id, None) or Row(view, guess(view, self._line()))
            if row.view != view:
                row.view = view
                if row.widget is not None:
                    row.widget.show_view(view)
            rows.append(row)
        for row in old.values():
            self._put_away(row)
        self._rows.rows = rows
        self._relink()

    def add_message(self, view: MessageView) -> None:
        """Show a new message at the end, and go there: the reader has just asked for it."""
        self._rows.rows.append(Row(view, guess(view, self._line())))
        self._is_following = True
        self._relink()

    def change_message(self, view: MessageView) -> None:
        """Show a message in its new state."""
        index = self._rows.index_of(view.id)
        if index < 0:
            return
        row = self._rows.rows[index]
        was_completion, row.view = row.view.is_completion, view
        if was_completion != view.is_completion:
            self._put_away(row)
            self._relink()
            return
        if row.widget is not None:
            row.widget.show_view(view)
            self._is_chain_stale = True  # its buttons came or went
        else:
            row.height, row.is_measured = guess(view, self._line()), False
        self._settle()

    def append_text(self, message_id: str, text: str) -> None:
        """Add text to the message that is being written."""
        index = self._rows.index_of(message_id)
        if index < 0:
            return
        row = self._rows.rows[index]
        if row.widget is None:
            self._build(index)
        if row.widget is not None:
            row.widget.append(text)
            self._settle()

    def set_loading(self, is_loading: bool) -> None:
        """Say whether a model is being loaded, which waiting answers then name."""
        self._is_loading = is_loading
        for row in self._rows.rows:
            if row.widget is not None:
                row.widget.set_loading(is_loading)

    def message_ids(self) -> tuple[str, ...]:
        """Return the messages on show."""
        return tuple(row.view.id for row in self._rows.rows)

    def view_of(self, message_id: str) -> MessageView | None:
        """Return what is shown of a message."""
        index = self._rows.index_of(message_id)
        return self._rows.rows[index].view if index >= 0 else None

    def question_of(self, message_id: str) -> MessageView | None:
        """Return the message by the person before an answer, or that message itself."""
        index = self._rows.index_of(message_id)
        while index >= 0 and self._rows.rows[index].view.role != "user":
            index -= 1
        return self._rows.rows[index].view if index >= 0 else None

    def widget_of(self, message_id: str) -> MessageWidget | None:
        """Return the widget of a message, if it has one now."""
        index = self._rows.index_of(message_id)
        return self._rows.rows[index].widget if index >= 0 else None

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        for row in self._rows.rows:
            row.is_measured = row.widget is not None
        self._settle_timer.start()
        self.viewport().update()

    def _line(self) -> float:
        return float(self._theme.line_height("reading"))

    def _relink(self) -> None:
        leads = [row.lead for row in self._rows.rows]
        self._rows.link()
        for row, lead in zip(self._rows.rows, leads, strict=True):
            if row.lead != lead or (row.is_hidden and row.widget is not None):
                self._put_away(row)
        self._settle()

    # -- widgets ----------------------------------------------------------------------------

    def _build(self, index: int) -> None:
        row = self._rows.rows[index]
        widget = MessageWidget(row.view, self._theme, row.lead, self.viewport())
        name = row.view.id
        widget.set_loading(self._is_loading)
        widget.height_changed.connect(self._settle_timer.start)
        widget.save_refused.connect(self.save_refused)
        widget.point_reached.connect(lambda point: self._on_point_reached(widget, point))
        widget.retry_requested.connect(lambda: self.retry_requested.emit(name))
        widget.offer_taken.connect(lambda offer: self.offer_taken.emit(name, offer))
        widget.again_requested.connect(lambda: self.again_requested.emit(name))
        widget.edit_requested.connect(lambda: self.edit_requested.emit(name))
        widget.continue_requested.connect(lambda: self.continue_requested.emit(name))
        widget.version_requested.connect(lambda step: self.version_requested.emit(name, step))
        widget.inside_requested.connect(
            lambda word, nth: self.inside_requested.emit(name, word, nth)
        )
        row.widget = widget
        self._is_chain_stale = True

    def follow_in_focus_chain(self, before: QWidget) -> None:
        """Let Tab come from ``before`` to the messages."""
        QWidget.setTabOrder(before, self._jump)
        self._is_chain_stale = True

    def _chain_focus(self) -> None:
        """Let Tab go through the messages from top to bottom, beginning behind the button."""
        self._is_chain_stale = False
        before: QWidget = self._jump
        for row in self._rows.rows:
            for widget in row.widget.focus_order() if row.widget is not None else ():
                QWidget.setTabOrder(before, widget)
                before = widget

    def _put_away(self, row: Row) -> None:
        if row.widget is not None:
            row.widget.hide()
            row.widget.deleteLater()
            row.widget = None

    def _measure(self, index: int) -> float:
        """Lay a row out; return by how much its height changed."""
        row = self._rows.rows[index]
        if row.widget is None:
            self._build(index)
        if row.widget is None:
            return 0.0
        height = float(row.widget.arrange(self._column()))
        change = height - row.height
        row.height, row.is_measured = height, True
        return change

    def _column(self) -> int:
        room = self.width() - 2 * _GUTTER  # the scroll bar stands in the gutter
        widest = max(_WIDEST, self._theme.measure_px)
        return max(200, min(room, widest)) + 2 * MARGIN

    # -- layout -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Build what is in sight, place it, and keep what the reader reads where it is."""
        if not self.isVisible():
            return
        self._settle_timer.stop()
        for _round in range(6):
            self._set_range()
            if not self._measure_near():
                break
        self._set_range()
        self._place_widgets()
        self._show_jump()

    def _measure_near(self) -> bool:
        """Lay out the rows near sight; ``True`` if something moved."""
        rows = self._rows
        top = self._offset()
        near = rows.between(top - _NEAR, top + self.viewport().height() + _NEAR)
        moved = False
        for index in near:
            row = rows.rows[index]
            if row.is_hidden:
                continue
            was_measured = row.is_measured
            change = self._measure(index)
            if not change:
                continue
            moved = True
            rows.place(index)
            # What lies above the reader's first line grows upwards.
            is_above = rows.tops[index] + row.height - change <= top
            if is_above or (not was_measured and rows.tops[index] < top):
                self._shift(change)
                top += change
        return moved

    def _shift(self, change: float) -> None:
        if self._is_following:
            return
        bar = self.verticalScrollBar()
        self._move_bar(round(bar.value() + change), max(bar.maximum(), round(bar.value() + change)))

    def _set_range(self) -> None:
        view = self.viewport().height()
        end = max(0, round(self._rows.height) + _TOP + _BOTTOM - view)
        bar = self.verticalScrollBar()
        bar.setPageStep(view)
        self._move_bar(end if self._is_following else min(bar.value(), end), end)

    def _move_bar(self, value: int, end: int) -> None:
        bar = self.verticalScrollBar()
        self._is_moving = True
        bar.setRange(0, end)
        bar.setValue(value)
        self._is_moving = False

    def _offset(self) -> float:
        return float(self.verticalScrollBar().value() - _TOP)

    def _place_widgets(self) -> None:
        rows, top = self._rows, self._offset()
        height = self.viewport().height()
        near = rows.between(top - _NEAR, top + height + _NEAR)
        self._scroll_picture(round(top))
        left = (self.width() - self._column()) // 2
        if self.isRightToLeft():
            left -= self.viewport().x()
        last = next(
            (i for i in range(len(rows.rows) - 1, -1, -1) if not rows.rows[i].is_hidden), -1
        )
        for index, row in enumerate(rows.rows):
            widget = row.widget
            if widget is None:
                continue
            if index not in near and not widget.keeps_alive():
                self._put_away(row)
                continue
            y = round(rows.tops[index]) - round(top)
            widget.place(left, y)
            widget.set_last(index == last)
            if not widget.isVisible():
                widget.show()
            body = widget.body.geometry()
            seen = QRectF(0, -y - body.top(), body.width(), height)
            widget.body.expose(seen)
        if self._is_chain_stale:
            self._chain_focus()

    def _scroll_picture(self, top: int) -> None:
        """Move what is painted already; only the rest is painted then."""
        change = self._painted_top - top
        self._painted_top = top
        if change and abs(change) < self.viewport().height():
            self.viewport().scroll(0, change)

    # -- reading position -------------------------------------------------------------------

    @property
    def is_following(self) -> bool:
        """Whether the column follows the stream because the reader is at its end."""
        return self._is_following

    def jump_to_end(self) -> None:
        """Go to the end and follow again."""
        self._is_following = True
        self._settle()

    def _on_scrolled(self, value: int) -> None:
        if self._is_moving:
            return
        self._is_following = value >= self.verticalScrollBar().maximum() - 4
        self._settle()

    def _show_jump(self) -> None:
        bar = self.verticalScrollBar()
        self._jump.setVisible(not self._is_following and bar.value() < bar.maximum() - 4)
        x = (self.viewport().width() - _JUMP) // 2
        self._jump.move(x, self.viewport().height() - _JUMP - 10)
        self._jump.raise_()

    def _on_point_reached(self, widget: MessageWidget, point: QPointF) -> None:
        """Scroll while words are being chosen beyond the edge."""
        y = widget.mapTo(self.viewport(), point.toPoint()).y()
        bar = self.verticalScrollBar()
        if y < 0:
            bar.setValue(bar.value() + max(-60, y))
        elif y > self.viewport().height():
            bar.setValue(bar.value() + min(60, y - self.viewport().height()))

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        for row in self._rows.rows:
            widget = row.widget
            if widget is None:
                continue
            widget.on_focus_moved()
            has_it = new is not None and new is not old and widget.isAncestorOf(new)
            if not has_it or new is None:
                continue
            self._chain_focus()
            if self._is_by_keyboard():
                self._ensure_seen(new)

    def _is_by_keyboard(self) -> bool:
        return self.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)

    def _ensure_seen(self, widget: QWidget) -> None:
        top = widget.mapTo(self.viewport(), QPoint(0, 0)).y()
        bottom = top + widget.height()
        view = self.viewport().height()
        bar = self.verticalScrollBar()
        if bottom <= 0 or top >= view:
            bar.setValue(bar.value() + (top - 20 if widget.height() > view else bottom - view + 20))

    # -- events -----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll by keys that no message took."""
        bar = self.verticalScrollBar()
        page = self.viewport().height() - 60
        steps = {
            Qt.Key.Key_Up: -40,
            Qt.Key.Key_Down: 40,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
        }
        key = Qt.Key(event.key())
        if key in steps:
            bar.setValue(bar.value() + steps[key])
        elif key == Qt.Key.Key_Home:
            bar.setValue(0)
        elif key == Qt.Key.Key_End:
            self.jump_to_end()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out for the new width; what is out of sight is measured when it comes in sight."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            for row in self._rows.rows:
                row.is_measured = False
        self._settle()

    def event(self, event: QEvent) -> bool:
        """Build the messages when the column is first shown."""
        if event.type() == QEvent.Type.Show:
            QTimer.singleShot(0, self, self._settle)
        return super().event(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Do nothing: messages are placed by ``_settle``."""
        del dx, dy

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the paper."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.page)
        painter.end()
