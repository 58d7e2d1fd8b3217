"""A card to choose base or instruct with: icon, name, a sentence, and whether it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.widgets.enter import PressedByEnter
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import BUTTON
from desktop.widgets.row_painting import RowPainter

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme


class KindCard(PressedByEnter, QAbstractButton):
    """One of two or three cards of which one is chosen.

    Args:
        icon_name: Lucide icon.
        text: Its name.
        theme: Colours.
        name: objectName.
    """

    def __init__(
        self, icon_name: str, text: str, theme: Theme, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = icon_name
        self._sentence = ""
        self.setText(text)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setProperty(RING_PROPERTY, True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_sentence(self, sentence: str) -> None:
        """Say what it is good for."""
        self._sentence = sentence
        self.setAccessibleDescription(sentence)
        self.setToolTip(sentence)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(220, 64)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme, chosen = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inset = 1.0 if chosen else 0.5
        painter.setPen(QPen(theme.accent if chosen else theme.line_strong, 2 * inset))
        ground = theme.hover if self.underMouse() else theme.raised
        painter.setBrush(theme.accent_soft if chosen else ground)
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, 8, 8)
        row = RowPainter(painter, self.rect(), theme)
        ink = theme.accent_text if chosen else theme.text2
        row.icon(row.place(15, 14, BUTTON, BUTTON), self._icon_name, ink)
        mark = row.place(self.width() - 15 - BUTTON, 14, BUTTON, BUTTON)
        row.icon(mark, "circle-dot" if chosen else "circle", ink)
        name = row.place(40, 12, self.width() - 80, 20)
        row.words(name, self.text(), theme.font("body_strong"), theme.text)
        sentence = row.place(15, 34, self.width() - 30, 20)
        row.words(sentence, self._sentence, theme.font("small"), theme.text2)
        painter.end()
