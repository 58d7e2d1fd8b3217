"""The round button that leads to the end of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.widgets.enter import PressedByEnter
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import BUTTON, paint_icon

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

SIZE: Final = 36


class JumpButton(PressedByEnter, QAbstractButton):
    """An arrow on a small round ground that floats over the messages."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("jump_to_end")
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setProperty(RING_PROPERTY, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedSize(SIZE, SIZE)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint ground, outline and arrow."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = theme.pressed if self.isDown() else theme.raised
        if self.underMouse() and not self.isDown():
            ground = theme.hover
        painter.setPen(theme.line_strong)
        painter.setBrush(ground)
        painter.drawEllipse(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        inset = (SIZE - BUTTON) // 2
        place = self.rect().adjusted(inset, inset, -inset, -inset)
        paint_icon(painter, "arrow-down", theme.text, place)
        painter.end()
