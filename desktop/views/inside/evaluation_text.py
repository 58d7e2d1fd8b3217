"""The text that models are measured on: typed, pasted, from a file, or a chat's answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import Button, label
from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.text_area import TextArea

if TYPE_CHECKING:
    from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

    from desktop.widgets.theme import Theme

_TYPED: Final = 20_000
"""Characters that the field takes; more are kept beside it, and only the beginning is shown."""
_SHOWN: Final = 2_000
_COUNTED: Final = 200_000
"""Characters up to which words are counted: more would hold up the window."""
_PAUSE_MS: Final = 500
_HEIGHT: Final = 112
MARGIN: Final = 4
"""Room round a panel, so that its focus rings are seen whole."""


class _Field(TextArea):
    """A field that takes files as well.

    Signals:
        file_dropped: Path of a file.
        much_pasted: A text that is too long to be laid out at once.
    """

    file_dropped = Signal(str)
    much_pasted = Signal(str)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome files too."""
        if _dropped(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Go on welcoming them."""
        if _dropped(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take a file, or let text be inserted."""
        path = _dropped(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.file_dropped.emit(path)
        else:
            super().dropEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste; a long text goes beside the field."""
        path = _dropped(source)
        if path:
            self.file_dropped.emit(path)
        elif len(source.text()) > _TYPED:
            self.much_pasted.emit(source.text())
        else:
            super().insertFromMimeData(source)


class EvaluationText(QWidget):
    """A field, where a text may come from, and what it amounts to.

    Signals:
        changed: The text is another one, a moment after the last key.
        file_chosen: Path of a file to read.
        answer_wanted: The open chat's latest answer is wanted.
    """

    changed = Signal()
    file_chosen = Signal(str)
    answer_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._kept = ""  # a text too long for the field
        self._title = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.changed)
        self.field = _Field(theme, name="evaluation_text", title=self.tr("Text to measure on"))
        self.field.setPlaceholderText(self.tr("Type or paste a text, or drop a file here."))
        self.field.setFixedHeight(_HEIGHT)
        self.field.textChanged.connect(self._on_typed)
        self.field.file_dropped.connect(self.file_chosen)
        self.field.much_pasted.connect(lambda text: self.set_text(text, self.tr("pasted")))
        self._facts = label("", theme, "small", "text3", wrap=True, name="evaluation_text_facts")
        self._open = Button(
            self.tr("Open a file…"), theme, name="evaluation_open", icon_name="folder-open"
        )
        self._open.clicked.connect(self._on_open)
        self._answer = Button(
            self.tr("Take the chat's answer"),
            theme,
            name="evaluation_answer",
            icon_name="message-square",
        )
        self._answer.clicked.connect(self.answer_wanted)
        self._clear = Button(
            self.tr("Clear"), theme, kind="ghost", name="evaluation_clear", icon_name="x"
        )
        self._clear.clicked.connect(lambda: self.set_text("", ""))
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self._open, self._answer, self._clear):
            row.addWidget(button)
        row.addStretch(1)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("The text"), theme, "heading"))
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 0, MARGIN, MARGIN)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.field)
        column.addWidget(self._facts)
        column.addLayout(row)
        self._say()

    def text(self) -> str:
        """Return the whole text."""
        return self._kept or self.field.toPlainText()

    def set_text(self, text: str, title: str) -> None:
        """Show another text; ``title`` says where it is from."""
        self._title = title
        self._kept = text if len(text) > _TYPED else ""
        blocked = self.field.blockSignals(True)
        self.field.setReadOnly(bool(self._kept))
        self.field.setPlainText(f"{text[:_SHOWN]} …" if self._kept else text)
        self.field.blockSignals(blocked)
        self._say()
        self._pause.stop()
        self.changed.emit()

    def _on_typed(self) -> None:
        self._title = ""
        self._say()
        self._pause.start()

    def _say(self) -> None:
        text = self.text()
        self._clear.setVisible(bool(text))
        if not text:
            self._facts.setText(
                self.tr("One text for all models. Some ten thousand words tell small differences.")
            )
            return
        parts = [self._title] if self._title else []
        n_bytes = formatting.count(len(text.encode("utf-8", "replace")))
        if len(text) > _COUNTED:
            parts.append(self.tr("{0} bytes").format(n_bytes))
        else:
            n_words = formatting.count(len(text.split()))
            parts.append(self.tr("{0} words, {1} bytes").format(n_words, n_bytes))
        if self._kept:
            parts.append(self.tr("only the beginning is shown, all of it is read"))
        self._facts.setText(" · ".join(parts))

    def _on_open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a text"), "", self.tr("Texts (*.txt *.md *.text);;All files (*)")
        )
        if chosen:
            self.file_chosen.emit(chosen)


def _dropped(data: QMimeData) -> str:
    """Return the path of a dropped file; empty where it is something else."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((str(path) for path in paths if path.is_file()), "")


def swap(begin: QWidget, stop: QWidget, *, busy: bool) -> None:
    """Show one of two buttons in the place of the other, and leave the keyboard there."""
    shown, hidden = (stop, begin) if busy else (begin, stop)
    had_focus = hidden.hasFocus()
    by_keyboard = hidden.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    shown.show()
    if had_focus and by_keyboard:
        focus_by_keyboard(shown, Qt.FocusReason.TabFocusReason)
    elif had_focus:
        shown.setFocus(Qt.FocusReason.OtherFocusReason)
    hidden.hide()
