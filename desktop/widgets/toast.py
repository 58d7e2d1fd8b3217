"""A short line at the foot that says what was done and offers to undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget

from desktop.widgets.controls import Button, IconButton, KeyCap, label
from desktop.widgets.overlay import FloatFrame
from desktop.widgets.shadow import shadow_margin
from desktop.widgets.theme import read_tokens

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent

    from desktop.widgets.theme import Theme

_ABOVE_FOOT: Final = 10


class Toast(FloatFrame):
    """One at a time; goes by itself unless somebody is at it or away from the window.

    Signals:
        acted: The action was chosen; the toast is gone.

    Args:
        area: Widget at whose foot it stands.
        foot: Height kept free at the foot of ``area``, in pixels.
        theme: Colours.
    """

    acted = Signal()

    def __init__(self, area: QWidget, foot: int, theme: Theme) -> None:
        super().__init__(theme, name="toast", parent=area)
        self._area = area
        self._foot = foot
        self._is_undo = True
        self._words: QLabel = label("", theme, "body", name="toast_words")
        self._action = Button(self.tr("Undo"), theme, kind="link", name="toast_action")
        self._action.setFont(theme.font("body_strong"))
        self._action.clicked.connect(self.act)
        self._cap = KeyCap("Ctrl+Z", theme)
        self._close = IconButton("x", self.tr("Close"), theme, name="toast_close", size=26)
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self._words)
        row.addSpacing(8)
        row.addWidget(self._action)
        row.addWidget(self._cap)
        row.addWidget(self._close)
        self.body.addLayout(row)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(int(read_tokens()["motion"]["toast_ms"]))
        self._timer.timeout.connect(self._on_time_over)
        area.installEventFilter(self)
        self.hide()

    def offer(self, words: str, action: str = "", *, is_undo: bool = True) -> None:
        """Say what was done; ``action`` names the way back, empty = there is none.

        Args:
            words: What was done.
            action: The button's words.
            is_undo: Whether Ctrl+Z takes it; else it is a way on, not back.
        """
        self._is_undo = is_undo
        self._words.setText(words)
        self._action.setText(action)
        self._action.setAccessibleName(action or self.tr("Undo"))
        self._action.setVisible(bool(action))
        self._cap.setVisible(bool(action) and is_undo)
        self.setAccessibleName(words)
        self.show()  # first, so that the words are measured in the style they are shown in
        self.body.activate()
        self.adjustSize()
        self._place()
        self.raise_()
        self._timer.start()

    def undo(self) -> None:
        """Take the way back, if the action is one."""
        if self._is_undo:
            self.act()

    def act(self) -> None:
        """Do what a press on the action does."""
        if self.isVisible() and self._action.text():
            self.hide()
            self.acted.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Wait no longer: it would, time after time, while another window is in front."""
        super().hideEvent(event)
        self._timer.stop()

    def _on_time_over(self) -> None:
        at_it = self.underMouse() or self.isAncestorOf(QApplication.focusWidget() or self._area)
        if at_it or not self.isActiveWindow():
            self._timer.start()
            return
        self.hide()

    def _place(self) -> None:
        margin = shadow_margin("float")
        x = (self._area.width() - self.width()) // 2
        y = self._area.height() - self._foot - _ABOVE_FOOT - self.height() + margin
        self.move(x, y)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch what this widget cares about elsewhere."""
        if watched is self._area and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
