"""The Inside page before there is a text: where words come from, a field, and the walk-through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.widgets.controls import Button, label
from desktop.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme


class StartPage(QWidget):
    """Takes a text of the person's own.

    Signals:
        text_given: The text.
        walk_asked: Somebody who is new to this wants to be led.
        load_asked: Id of the model that has stopped.
        back_asked: What was looked at before is wanted again.
    """

    text_given = Signal(str)
    walk_asked = Signal()
    load_asked = Signal(str)
    back_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("inside_empty")
        self._why = label("", theme, "body", "text3", name="inside_nothing")
        self._why.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._why.setWordWrap(True)
        self.field = QLineEdit()
        self.field.setObjectName("inside_own_text")
        self.field.setAccessibleName(self.tr("A text of your own to look at"))
        self.field.setPlaceholderText(self.tr("Once upon a time there was a"))
        self.field.setMinimumWidth(320)
        self.field.returnPressed.connect(self._on_text_given)
        look = Button(self.tr("Look inside"), theme, kind="main", name="inside_look")
        look.clicked.connect(self._on_text_given)
        walk = Button(
            self.tr("New to this? Walk through it in ten steps"),
            theme,
            name="inside_walk_start",
            icon_name="route",
        )
        walk.clicked.connect(self.walk_asked)
        self._back = Button(
            self.tr("Back to what you looked at"),
            theme,
            kind="ghost",
            name="inside_own_back",
            icon_name="arrow-left",
        )
        self._back.clicked.connect(self.back_asked)
        self._back.hide()
        self._stopped = ""
        self._load = Button(
            self.tr("Load it again"), theme, name="inside_load_again", icon_name="refresh-cw"
        )
        self._load.clicked.connect(lambda: self.load_asked.emit(self._stopped))
        self._load.hide()
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.field, 2)
        row.addWidget(look)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(
            EmptyState(
                "scan-eye",
                self.tr("Choose a word to look inside"),
                self.tr("In a chat: right-click a word, or Ctrl+I. Or type a text here."),
                theme,
                name="inside_start",
            )
        )
        column.addLayout(row)
        column.addWidget(walk, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._why)
        column.addWidget(self._load, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def say(self, words: str, stopped: str = "") -> None:
        """Say why there is nothing to look into yet; ``stopped`` is the id of a model to load."""
        self._why.setText(words)
        self._stopped = stopped
        self._load.setVisible(bool(stopped))

    def offer_back(self, *, offered: bool) -> None:
        """Show a way back to what was looked at."""
        self._back.setVisible(offered)

    def event(self, event: QEvent) -> bool:
        """Take Esc before the window does."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.setAccepted(event.key() == Qt.Key.Key_Escape)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the field on Esc; what is written in it stays."""
        if event.key() == Qt.Key.Key_Escape:
            self.back_asked.emit()
        else:
            super().keyPressEvent(event)

    def _on_text_given(self) -> None:
        self.text_given.emit(self.field.text() or self.field.placeholderText())
