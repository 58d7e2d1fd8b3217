"""Where a person writes: field, model picker, context, Send or Stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QMimeData, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QTextEdit, QVBoxLayout, QWidget

from desktop.widgets.context_meter import ContextMeter
from desktop.widgets.controls import Button, KeyCap
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import BUTTON, icon

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_MOST_LINES: Final = 10
_SEND: Final = 32
_NARROW: Final = 520


class Field(QTextEdit):
    """Plain text with fixed line heights; Enter sends, Shift+Enter starts a line.

    Signals:
        entered: Enter was pressed.
        focus_changed: It got or lost the keyboard.
    """

    entered = Signal()
    focus_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hint = ""
        self.setObjectName("composer_text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setCursorWidth(2)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.document().contentsChanged.connect(self._on_changed)
        self.set_theme(theme)
        self.set_text("")

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        font = theme.font("reading")
        self.setFont(font)
        self.document().setDefaultFont(font)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(QPalette.ColorRole.Text, theme.text)
        self.setPalette(palette)
        self._on_changed()

    def set_text(self, text: str) -> None:
        """Show a text; there is nothing to undo then."""
        self.clear()
        cursor = QTextCursor(self.document())
        form = QTextBlockFormat()
        line = self._theme.line_height("reading")
        form.setLineHeight(line, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(form)
        if text:
            cursor.insertText(text)
        self.setTextCursor(cursor)
        self.document().clearUndoRedoStacks()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Leave files that are dropped here to the window."""
        return source.hasText() and not any(url.isLocalFile() for url in source.urls())

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Take text only, in our own format."""
        self.textCursor().insertText(source.text())
        self.ensureCursorVisible()

    def set_hint(self, text: str) -> None:
        """Show what the field is for while it is empty."""
        self._hint = text
        self.setAccessibleName(text)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text; while there is none, the hint where the text will stand."""
        super().paintEvent(event)
        block = self.document().firstBlock()
        if not self.document().isEmpty() or block.layout().preeditAreaText():
            return
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        painter.setPen(self._theme.text3)
        place = self.cursorRect()
        place.setLeft(0 if self.isRightToLeft() else place.left())
        place.setRight(self.viewport().width())
        words = QFontMetrics(self.font()).elidedText(
            self._hint, Qt.TextElideMode.ElideRight, place.width()
        )
        align = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(align), words)
        painter.end()

    def _on_changed(self) -> None:
        line = self._theme.line_height("reading")
        wanted = max(line, round(self.document().size().height()))
        most = _MOST_LINES * line
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if wanted > most else policy.ScrollBarAlwaysOff
        )
        height = min(wanted, most)
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Count the lines anew."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._on_changed()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send on Enter; with Shift start a line."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
            else:
                self.entered.emit()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusOutEvent(event)
        self.focus_changed.emit()


class Composer(QWidget):
    """Text, picker, context, Send or Stop.

    Signals:
        send_requested: With the text; it stays in the field until ``take`` is called.
        queue_requested: Enter while an answer is under way; the text stays in the field.
        stop_requested: End the answer under way.
    """

    send_requested = Signal(str)
    queue_requested = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._theme = theme
        self._is_answering = False
        self._off_reason = ""
        self._is_drop_target = False
        self.field = Field(theme, self)
        self.field.entered.connect(self._on_send)
        self.field.textChanged.connect(self._on_text_changed)
        self.field.focus_changed.connect(self.update)
        self.setFocusProxy(self.field)
        self.meter = ContextMeter(theme, self)
        self._send = Button("", theme, kind="main", name="send", icon_name="arrow-up")
        self._send.setAccessibleName(self.tr("Send"))
        self._send.setFixedSize(_SEND, _SEND)
        self._send.setStyleSheet("padding: 0; border-radius: 8px;")
        self._send.clicked.connect(self._on_send)
        self._stop = StopButton(theme)
        self._stop.clicked.connect(self.stop_requested)
        self._stop.hide()
        self._build()
        self.set_placeholder(self.tr("Message"))
        self._on_text_changed()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(15, 9, 9, 9)
        column.setSpacing(8)
        field = QHBoxLayout()
        field.setContentsMargins(0, 0, 6, 0)
        field.addWidget(self.field)
        column.addLayout(field)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(10)
        self._row.addStretch()
        self._row.addWidget(self.meter)
        self._row.addWidget(self._send)
        self._row.addWidget(self._stop)
        column.addLayout(self._row)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    # -- what it shows ----------------------------------------------------------------------

    def set_picker(self, picker: QWidget) -> None:
        """Put the model picker at the left of the row."""
        self._row.insertWidget(0, picker)
        QWidget.setTabOrder(self.field, picker)
        QWidget.setTabOrder(picker, self._send)
        QWidget.setTabOrder(self._send, self._stop)

    def set_placeholder(self, text: str) -> None:
        """Say what the field is for."""
        self.field.set_hint(text)

    def set_answering(self, is_answering: bool) -> None:
        """Show Stop instead of Send while an answer is under way."""
        had_focus = self._stop.hasFocus() or self._send.hasFocus()
        self._is_answering = is_answering
        self._send.setVisible(not is_answering)
        self._stop.setVisible(is_answering)
        if had_focus:
            self.field.setFocus()
        self._on_text_changed()

    def set_off_reason(self, reason: str) -> None:
        """Say why nothing can be sent now, e.g. that no model is chosen; empty if it can."""
        self._off_reason = reason
        self._on_text_changed()

    def text(self) -> str:
        """Return what is written."""
        return self.field.toPlainText()

    def set_text(self, text: str) -> None:
        """Show a draft."""
        self.field.set_text(text)

    def take(self, text: str) -> None:
        """Empty the field if it still holds the text that was sent."""
        if self.text().strip() == text.strip():
            self.field.set_text("")

    def set_drop_target(self, is_target: bool) -> None:
        """Show that a file held over the window may be dropped."""
        if is_target != self._is_drop_target:
            self._is_drop_target = is_target
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    # -- events -----------------------------------------------------------------------------

    def _on_text_changed(self) -> None:
        reason = self._off_reason
        if not reason and not self.text().strip():
            reason = self.tr("Write something first.")
        self._send.set_reason(reason)
        if not reason:
            self._send.setToolTip(self.tr("Send  Enter"))

    def _on_send(self) -> None:
        text = self.text()
        if self._off_reason or not text.strip():
            return
        if self._is_answering:
            self.queue_requested.emit()
            return
        self.send_requested.emit(text.strip("\n"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave numbers out where there is little room."""
        super().resizeEvent(event)
        self.meter.set_short(event.size().width() < _NARROW)

    def changeEvent(self, event: QEvent) -> None:
        """Draw anew when the window is activated or not."""
        super().changeEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint ground and outline."""
        theme = self._theme
        has_focus = self.field.hasFocus()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.focus if has_focus else theme.control, 2 if has_focus else 1)
        if self._is_drop_target:
            pen = QPen(theme.accent, 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(theme.raised)
        inset = 1 if has_focus else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 12, 12)
        painter.end()


class StopButton(Button):
    """Stop, with its key beside the word."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", theme, kind="secondary", name="stop", parent=parent)
        self.setAccessibleName(self.tr("Stop"))
        self.setToolTip(self.tr("Stop the answer; what is written is kept"))
        self.setProperty(RING_PROPERTY, True)
        self.setText(self.tr("Stop"))
        self.setIcon(icon("square", theme, theme.text))
        self.setIconSize(QSize(BUTTON - 2, BUTTON - 2))
        self._cap = KeyCap("Esc", theme, self)
        self.setStyleSheet("text-align: left;")

    def set_theme(self, theme: Theme) -> None:
        """Tint the icon."""
        self.setIcon(icon("square", theme, theme.text))

    def sizeHint(self) -> QSize:
        """Return room for word and key."""
        cap = self._cap.sizeHint().width() if hasattr(self, "_cap") else 0
        return QSize(super().sizeHint().width() + cap + 4, _SEND)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the key at the right."""
        super().resizeEvent(event)
        size = self._cap.sizeHint()
        left = 10 if self.isRightToLeft() else self.width() - size.width() - 10
        self._cap.setGeometry(left, (self.height() - size.height()) // 2, size.width(), 18)
