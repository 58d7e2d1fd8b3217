"""What stands where nothing is yet: an icon, a line, a sentence, and perhaps a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets.controls import Button, label
from desktop.widgets.icons import EMPTY, paint_icon

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme


class Glyph(QWidget):
    """One icon in one colour of the theme.

    Args:
        icon_name: Lucide icon.
        theme: Colours.
        tone: Name of the colour.
        size: Edge in pixels.
    """

    def __init__(
        self,
        icon_name: str,
        theme: Theme,
        tone: str = "text3",
        size: int = EMPTY,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self._theme = theme
        self._tone = tone
        self.setFixedSize(size, size)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_icon(self, icon_name: str, tone: str) -> None:
        """Show another icon."""
        self._icon_name = icon_name
        self._tone = tone
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        color = getattr(self._theme, self._tone)
        paint_icon(painter, self._icon_name, color, QRect(0, 0, self.width(), self.height()))
        painter.end()


class EmptyState(QWidget):
    """Centred words in place of content.

    Signals:
        acted: The button was pressed.
    """

    acted = Signal()

    def __init__(
        self,
        icon_name: str,
        title: str,
        sentence: str,
        theme: Theme,
        *,
        name: str,
        action: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setAccessibleDescription(sentence)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(4)
        column.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(Glyph(icon_name, theme), 0, centre)
        column.addSpacing(6)
        head = label(title, theme, "body_medium", wrap=True)
        head.setAlignment(centre)
        column.addWidget(head)
        text = label(sentence, theme, "small", "text3", wrap=True)
        text.setAlignment(centre)
        column.addWidget(text)
        if action:
            column.addSpacing(8)
            button = Button(action, theme, name=f"{name}_action")
            button.clicked.connect(self.acted)
            column.addWidget(button, 0, centre)
        column.addStretch(1)
