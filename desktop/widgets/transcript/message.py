"""One message as a widget: name, words, state, actions. It places its parts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.widgets.controls import label
from desktop.widgets.markdown.blocks import BlockStream, PlainStream
from desktop.widgets.transcript import actions
from desktop.widgets.transcript.actions import ActionLine
from desktop.widgets.transcript.body import MARGIN, Body
from desktop.widgets.transcript.notes import ProblemNote, StatusLine, is_cut

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel

    from desktop.values import MessageView
    from desktop.widgets.markdown.blocks import Stream
    from desktop.widgets.theme import Theme

_HEAD: Final = 22
_HEAD_GAP: Final = 4
_USER_WIDTH: Final = 528
_USER_PAD_X: Final = 14
_USER_PAD_Y: Final = 9
_LIVE: Final = frozenset({"waiting", "reading", "streaming"})


class MessageWidget(QWidget):
    """Shows one ``MessageView``.

    Args:
        view: The message.
        theme: Fonts and colours.
        lead: For a completion, the text by the person that it continues.

    Signals:
        height_changed: It needs another height.
        point_reached: A selection by mouse reached this place; scroll there.
        version_requested: Earlier (-1) or later (1).
        inside_requested: A word (empty = the first), and how many equal ones stand before it.
    """

    height_changed = Signal()
    point_reached = Signal(QPointF)
    save_refused = Signal(str)
    retry_requested = Signal()
    offer_taken = Signal(str)
    again_requested = Signal()
    edit_requested = Signal()
    continue_requested = Signal()
    version_requested = Signal(int)
    inside_requested = Signal(str, int)

    def __init__(
        self, view: MessageView, theme: Theme, lead: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(f"message_{view.role}")
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)  # growing repaints the new part
        self.view = view
        self.lead = lead
        self.is_last = False
        self.is_loading = False
        self._theme = theme
        self._width = 0
        self._arranged_for = self._arranged = 0
        self._is_stale = True
        self._bubble = QRectF()
        self._line_rect = QRect()
        self._body_rect = QRect()
        self._text = ""
        self._is_closed = False
        self._status: StatusLine | None = None
        self._note: ProblemNote | None = None
        self._line: ActionLine | None = None
        self._head: QLabel | None = None
        if view.role == "assistant":
            self._head = label(view.model_name, theme, "small_medium", "text2", name="model_name")
            self._head.setParent(self)
            font = self._head.font()
            font.setWeight(QFont.Weight.DemiBold)
            self._head.setFont(font)
        self.body = self._new_body()
        self.show_view(view)

    # -- content ----------------------------------------------------------------------------

    def _new_body(self) -> Body:
        stream: Stream
        if self.view.role != "assistant":
            stream = PlainStream(self.view.text)
        elif self.view.is_completion:
            stream = PlainStream(self.lead, level=1)
        else:
            stream = BlockStream()
        body = Body(stream, self._theme, self)
        body.height_changed.connect(self._on_height_changed)
        body.point_reached.connect(self._on_point_reached)
        body.save_refused.connect(self.save_refused)
        body.inside_requested.connect(self.inside_requested)
        body.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        return body

    def append(self, text: str) -> None:
        """Add text that has just been written."""
        if self._is_closed:  # an answer that had ended goes on; its last block may grow again
            self._replace_body()
            self.body.append(self._text)
        self._text += text
        self._hide_status()
        self.body.set_streaming(True)
        self.body.append(text)

    def text_length(self) -> int:
        """Return how many characters of the message it shows."""
        return len(self._text)

    def show_view(self, view: MessageView) -> None:
        """Show a message in its state now; text it already shows is not laid out again."""
        self.view = view
        is_live = view.state in _LIVE
        if view.role == "assistant":
            self._show_text(view.text)
            if not is_live and not self._is_closed:
                self.body.close_stream()
                self._is_closed = True
            self._show_status()
            self._show_note()
        if self._head is not None:
            self._head.setText(view.model_name)
        self.body.set_streaming(view.state == "streaming")
        self._renew_line()
        self._name_it()
        self._on_height_changed()

    def _show_text(self, text: str) -> None:
        if text == self._text:
            return
        if text.startswith(self._text) and not self._is_closed:
            self.body.append(text[len(self._text) :])
        else:
            self._replace_body()
            self.body.append(text)
        self._text = text

    def _replace_body(self) -> None:
        had_focus = self.body.hasFocus()
        self.body.hide()
        self.body.deleteLater()
        self.body = self._new_body()
        self.body.show()
        self._is_closed = False
        self._is_stale = True
        if had_focus:
            self.body.setFocus()

    def _name_it(self) -> None:
        view = self.view
        name = (
            self.tr("You wrote")
            if view.role == "user"
            else self.tr("{0} wrote").format(view.model_name or self.tr("The model"))
        )
        self.setAccessibleName(name)
        self.body.setAccessibleName(name)
        if view.state not in _LIVE:  # a reader is told once, not with every word
            self.body.setAccessibleDescription(self.body.words())

    def _show_status(self) -> None:
        view = self.view
        wanted = view.state in {"waiting", "reading", "stopped"} or (
            view.state == "failed" and bool(view.text.strip())
        )
        if not wanted and not is_cut(view):
            self._hide_status()
            return
        if self._status is None:
            self._status = StatusLine(self._theme, self)
            self._status.continue_requested.connect(self.continue_requested)
        self._status.show_view(view, is_loading=self.is_loading, is_last=self.is_last)

    def _hide_status(self) -> None:
        if self._status is not None:
            self._status.hide()
            self._status.deleteLater()
            self._status = None
            self._on_height_changed()

    def set_loading(self, is_loading: bool) -> None:
        """Say whether the answer waits because the model is being loaded."""
        if is_loading != self.is_loading:
            self.is_loading = is_loading
            if self.view.state == "waiting":
                self._show_status()

    def _show_note(self) -> None:
        if self._note is not None:
            self._note.hide()
            self._note.deleteLater()
            self._note = None
        if self.view.state == "failed" and self.view.problem is not None:
            self._note = ProblemNote(self.view.problem, self._theme, self)
            self._note.retry_requested.connect(self.retry_requested)
            self._note.offer_taken.connect(self.offer_taken)
            self._note.size_changed.connect(self._on_height_changed)
            self._note.show()

    # -- actions ----------------------------------------------------------------------------

    def set_last(self, is_last: bool) -> None:
        """Say whether this is the last answer, which keeps its line of actions."""
        if is_last != self.is_last:
            self.is_last = is_last
            if self._status is not None:
                self._show_status()
            self._renew_line()

    def _wants_line(self) -> bool:
        if self.view.state in _LIVE:
            return False
        if self.is_last and self.view.role == "assistant":
            return True
        focused = self.window().focusWidget()
        has_focus = focused is not None and (focused is self or self.isAncestorOf(focused))
        return self.underMouse() or has_focus

    def _show_line(self) -> None:
        wanted = self._wants_line()
        if wanted and self._line is None:
            self._line = ActionLine(self.view, self._theme, self, is_last=self.is_last)
            line = self._line
            line.copy_requested.connect(self._on_copy)
            line.again_requested.connect(self.again_requested)
            line.edit_requested.connect(self.edit_requested)
            line.continue_requested.connect(self.continue_requested)
            line.version_requested.connect(self.version_requested)
            line.inside_requested.connect(lambda: self.inside_requested.emit("", 0))
            self._place_line()
            line.show()
            self.raise_()  # the line of a person's message reaches into the message below
        elif not wanted:
            self._drop_line()

    def _drop_line(self) -> None:
        line, self._line = self._line, None  # hiding it may send the mouse away, and so come here
        if line is not None:
            line.hide()
            line.deleteLater()

    def _renew_line(self) -> None:
        self._drop_line()
        self._show_line()

    def _on_copy(self) -> None:
        text = self.lead + self.view.text if self.view.is_completion else self.view.text
        QGuiApplication.clipboard().setText(text)

    def focus_order(self) -> tuple[QWidget, ...]:
        """Return what Tab goes through here, from top to bottom."""
        parts = (self._status, self._note, self._line)
        below = (
            b for part in parts if part is not None for b in part.findChildren(QAbstractButton)
        )
        return (*self.body.focus_order(), *below)

    def on_focus_moved(self) -> None:
        """Show or hide the actions, as the keyboard is in this message or not."""
        self._show_line()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show what can be done."""
        self._show_line()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide it again."""
        self._show_line()
        super().leaveEvent(event)

    # -- places -----------------------------------------------------------------------------

    def arrange(self, width: int) -> int:
        """Place the parts.

        Args:
            width: Pixels, the margins for the focus ring included.

        Returns:
            The height in pixels that it needs.
        """
        self._width = width
        if (width, False) == (self._arranged_for, self._is_stale):
            return self._arranged
        widest = width - 2 * MARGIN
        measure = min(self._theme.measure_px, widest)
        if self.view.role == "assistant":
            height = self._arrange_answer(width, measure, widest)
        else:
            height = self._arrange_user(measure, widest)
        self._arranged_for, self._arranged, self._is_stale = width, height, False
        return height

    def _arrange_answer(self, width: int, measure: int, widest: int) -> int:
        left = MARGIN + (widest - measure) // 2
        top = 0
        if self._head is not None:
            self._head.setGeometry(left, top, measure, _HEAD)
            top += _HEAD + _HEAD_GAP
        self.body.set_width(measure, widest)
        height = round(self.body.text_height())
        self._body_rect = QRect(0, top, width, height)
        top += height
        if self._status is not None:
            top += 4 if height else 0
            self._status.setGeometry(left, top, measure, self._status.sizeHint().height())
            top += self._status.height()
        if self._note is not None:
            top += 8 if top > _HEAD + _HEAD_GAP else 2
            height = self._note.height_for(measure)
            self._note.setGeometry(left, top, measure, height)
            top += height
        self._line_rect = QRect(left - 5, top + 6, measure + 5, actions.HEIGHT)
        self._place_line()
        return top + 6 + actions.HEIGHT

    def _arrange_user(self, measure: int, widest: int) -> int:
        room = min(_USER_WIDTH, measure) - 2 * _USER_PAD_X
        self.body.set_width(room, room)
        used = round(self.body.used_width()) + 1
        text = min(room, max(used, 24))
        right = MARGIN + (widest + measure) // 2
        height = round(self.body.text_height())
        bubble = text + 2 * _USER_PAD_X
        self._bubble = QRectF(right - bubble, 0, bubble, height + 2 * _USER_PAD_Y)
        if self.isRightToLeft():
            self._bubble.moveLeft(MARGIN + (widest - measure) // 2)
        self.body.set_width(text, text)
        self.update()
        body_left = round(self._bubble.left()) + _USER_PAD_X - MARGIN
        self._body_rect = QRect(body_left, _USER_PAD_Y, text + 2 * MARGIN, height)
        bottom = round(self._bubble.bottom())
        self._line_rect = QRect(right - measure, bottom + 1, measure, actions.HEIGHT)
        self._place_line()
        return bottom + 1 + actions.HEIGHT

    def place(self, left: int, top: int) -> None:
        """Take the place and size that were arranged.

        The transcript scrolls its picture first: Qt paints everything anew where a part has
        changed its size before that.
        """
        self.setGeometry(left, top, self._width, self._arranged)
        self.body.setGeometry(self._body_rect)

    def _place_line(self) -> None:
        if self._line is not None and self._width:
            self._line.setGeometry(self._line_rect)

    def _on_height_changed(self) -> None:
        self._is_stale = True
        if self._width:
            self.height_changed.emit()

    def _on_point_reached(self, point: QPointF) -> None:
        self.point_reached.emit(QPointF(self.body.mapToParent(point.toPoint())))

    def sizeHint(self) -> QSize:
        """Return the size as last arranged."""
        return self.size()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self._is_stale = True
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground of what a person wrote."""
        if self.view.role == "assistant" or not self._width:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.line)
        painter.setBrush(self._theme.sunken)
        painter.drawRoundedRect(self._bubble.adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
        painter.end()

    def keeps_alive(self) -> bool:
        """Whether it must not be put away now: it is being written, focused or chosen from."""
        focused = self.window().focusWidget()
        has_focus = focused is not None and self.isAncestorOf(focused)
        return has_focus or self.body.has_selection() or self.view.state in _LIVE
