"""The line below a message: versions, copy, again, edit, continue; tokens and speed at the right.

Its buttons exist only while the line is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.widgets.controls import IconButton, label
from desktop.widgets.formatting import count, percent, speed

if TYPE_CHECKING:
    from PySide6.QtWidgets import QLabel

    from desktop.values import MessageView
    from desktop.widgets.theme import Theme

HEIGHT: Final = 30
_COPIED_MS: Final = 2_000


class ActionLine(QWidget):
    """What can be done with one message.

    Signals:
        version_requested: An earlier (-1) or later (1) version.
    """

    copy_requested = Signal()
    again_requested = Signal()
    edit_requested = Signal()
    continue_requested = Signal()
    version_requested = Signal(int)
    inside_requested = Signal()

    def __init__(
        self,
        view: MessageView,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        is_last: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("message_actions")
        self._theme = theme
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._copy: IconButton | None = None
        if view.role == "user":
            self._row.addStretch()
        if view.versions > 1:
            self._add_versions(view)
        self._add_buttons(view, is_last=is_last)
        if view.role != "user":
            self._row.addStretch()
            self._add_stats(view)

    def _add_versions(self, view: MessageView) -> None:
        tr = self.tr
        earlier = self._button("chevron-left", tr("Earlier version"), "version_earlier")
        earlier.set_reason("" if view.version > 1 else tr("This is the first version."))
        earlier.clicked.connect(lambda: self.version_requested.emit(-1))
        text = f"{view.version} / {view.versions}"
        words = label(text, self._theme, "small", "text2", name="version")
        words.setAccessibleName(tr("Version {0} of {1}").format(view.version, view.versions))
        self._row.addWidget(words)
        later = self._button("chevron-right", tr("Later version"), "version_later")
        is_last = view.version >= view.versions
        later.set_reason(tr("This is the last version.") if is_last else "")
        later.clicked.connect(lambda: self.version_requested.emit(1))
        line = QFrame(self)
        line.setFixedSize(1, 16)
        line.setProperty("edge", "left")
        self._row.addSpacing(6)
        self._row.addWidget(line)
        self._row.addSpacing(6)

    def _add_buttons(self, view: MessageView, *, is_last: bool) -> None:
        tr = self.tr
        self._copy = self._button("copy", tr("Copy the message"), "message_copy")
        self._copy.clicked.connect(self._on_copy)
        if view.role == "assistant":
            again = self._button("refresh-cw", tr("Write it again"), "message_again")
            again.clicked.connect(self.again_requested)
        if view.role == "assistant" and view.state in {"complete", "stopped"} and view.text:
            look = self._button("scan-eye", tr("Look inside"), "message_inside", "Ctrl+I")
            look.clicked.connect(self.inside_requested)
        if view.role == "user" or view.is_completion:
            edit = self._button("pencil", tr("Edit your text"), "message_edit")
            edit.clicked.connect(self.edit_requested)
        ended = view.role == "assistant" and view.state in {"complete", "stopped"}
        if ended and is_last:  # what comes after it would no longer follow from it
            more = self._button("arrow-right-to-line", tr("Continue"), "message_continue")
            more.clicked.connect(self.continue_requested)

    def _add_stats(self, view: MessageView) -> None:
        stats = view.stats
        if stats is None or stats.completion_tokens <= 0:
            return
        number = stats.completion_tokens
        words_of_it = self.tr("1 token") if number == 1 else self.tr("{0} tokens")
        parts = [words_of_it.format(count(number))]
        if stats.speed > 0:
            parts.append(speed(stats.speed))
        if stats.guesses_taken is not None:
            taken = percent(round(stats.guesses_taken, 2))
            parts.append(self.tr("{0} of guesses taken").format(taken))
        words: QLabel = label(" · ".join(parts), self._theme, "small", "text3", name="stats")
        self._row.addWidget(words)

    def _button(self, icon_name: str, text: str, name: str, keys: str = "") -> IconButton:
        theme = self._theme
        button = IconButton(icon_name, text, theme, name=name, keys=keys, size=26, parent=self)
        self._row.addWidget(button)
        return button

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def sizeHint(self) -> QSize:
        """Return one line."""
        return QSize(super().sizeHint().width(), HEIGHT)

    def _on_copy(self) -> None:
        self.copy_requested.emit()
        if self._copy is not None:
            self._copy.set_icon("check", self._theme)
            self._copy.setAccessibleName(self.tr("Copied"))
            QTimer.singleShot(_COPIED_MS, self._copy, self._on_copy_shown)

    def _on_copy_shown(self) -> None:
        if self._copy is not None:
            self._copy.set_icon("copy", self._theme)
            self._copy.setAccessibleName(self.tr("Copy the message"))
