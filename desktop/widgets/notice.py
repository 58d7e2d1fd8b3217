"""A band that says what is wrong with something lasting, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets.controls import Button, IconButton, label
from desktop.widgets.empty_state import Glyph

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

Severity = Literal["info", "warn", "bad", "ok"]
_ICONS = {"info": "info", "warn": "triangle-alert", "bad": "circle-alert", "ok": "circle-check"}


class Notice(QWidget):
    """Icon, title, sentence and perhaps buttons on a soft ground.

    Signals:
        acted: Id of the pressed action.
        dismissed: The close button was pressed; the notice is hidden.
    """

    acted = Signal(str)
    dismissed = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        name: str,
        severity: Severity = "bad",
        actions: tuple[tuple[str, str], ...] = (),
        closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._theme = theme
        self._severity: Severity = severity
        self._buttons: dict[str, Button] = {}
        self._glyph = Glyph(_ICONS[severity], theme, severity, 18)
        self._title = label("", theme, "body_strong", wrap=True, name=f"{name}_title")
        self._text = label("", theme, "small", "text2", wrap=True, name=f"{name}_text")
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addWidget(self._text)
        if actions:
            column.addSpacing(6)
            column.addLayout(self._action_row(actions))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        if closable:
            close = IconButton(
                "x", self.tr("Close the notice"), theme, name=f"{name}_close", size=26
            )
            close.clicked.connect(self._on_closed)
            row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def say(self, title: str, text: str, severity: Severity | None = None) -> None:
        """Show other words."""
        if severity is not None:
            self._severity = severity
            self._glyph.set_icon(_ICONS[severity], severity)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.update()

    def show_action(self, action: str, *, shown: bool) -> None:
        """Leave an action out where it cannot help."""
        self._buttons[action].setVisible(shown)

    def name_action(self, action: str, words: str) -> None:
        """Give a button other words."""
        self._buttons[action].setText(words)
        self._buttons[action].setAccessibleName(words)

    def lead_with(self, action: str) -> None:
        """Make one button the main one."""
        for name, button in self._buttons.items():
            button.set_kind("main" if name == action else "secondary", self._theme)

    def _action_row(self, actions: tuple[tuple[str, str], ...]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for number, (action, words) in enumerate(actions):
            kind = "secondary" if number else "main"
            button = Button(
                words,
                self._theme,
                kind="main" if kind == "main" else "secondary",
                name=f"{self.objectName()}_{action}",
                small=True,
            )
            button.clicked.connect(lambda _checked=False, a=action: self.acted.emit(a))
            self._buttons[action] = button
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _on_closed(self) -> None:
        self.hide()
        self.dismissed.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(getattr(self._theme, f"{self._severity}_line"))
        painter.setBrush(getattr(self._theme, f"{self._severity}_soft"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.end()
