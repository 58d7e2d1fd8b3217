"""A line between hairlines in which the app says something; never a message of a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_APART = 10
_LEAST_LINE = 16


class SystemLine(QWidget):
    """Small text in the middle; hidden at first.

    Args:
        theme: Colours and font.
        name: objectName.
    """

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._text = ""
        self.setObjectName(name)
        self.setFont(theme.font("small"))
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def say(self, text: str) -> None:
        """Show a sentence."""
        self._text = text
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(240, self.heightForWidth(max(240, self.width())))

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._box(width).height() + 6

    def _box(self, width: int) -> QRect:
        room = QRect(0, 0, max(1, width - 2 * (_APART + _LEAST_LINE)), 10_000)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        return QFontMetrics(self.font()).boundingRect(room, int(flags), self._text)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the words and a hairline on each side."""
        painter = QPainter(self)
        box = self._box(self.width())
        box.moveCenter(self.rect().center())
        painter.setFont(self.font())
        painter.setPen(self._theme.text3)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(box.adjusted(-2, 0, 2, 0), int(flags), self._text)
        painter.setPen(QPen(self._theme.line, 1))
        middle = self.height() / 2
        painter.drawLine(QLineF(0, middle, box.left() - _APART, middle))
        painter.drawLine(QLineF(box.right() + _APART, middle, self.width(), middle))
        painter.end()
