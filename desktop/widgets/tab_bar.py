"""The tabs of a page's header: words with a line under the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QSizePolicy,
    QWidget,
)

from desktop.widgets.enter import PressedByEnter
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.widgets.theme import Theme

_PADDING = 12


class _TabButton(PressedByEnter, QAbstractButton):
    def __init__(self, words: str, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setText(words)
        self.setObjectName(name)
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for, chosen or not."""
        width = QFontMetrics(self._theme.font("body_strong")).horizontalAdvance(self.text())
        return QSize(width + 2 * _PADDING, layout("header") - 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = self.isChecked()
        lit = self.underMouse() or self.isDown()
        painter.setFont(theme.font("body_strong" if current else "body"))
        painter.setPen(theme.text if current or lit else theme.text2)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if current:
            painter.fillRect(_PADDING, self.height() - 2, self.width() - 2 * _PADDING, 2,
                             theme.accent)  # fmt: skip
        by_keyboard = self.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if self.hasFocus() and by_keyboard:
            painter.setPen(QPen(theme.focus, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 11, -3, -11), 6, 6)
        painter.end()


class TabBar(QWidget):
    """Lets a person choose one of a few views; arrow keys move, as in a group of radio buttons.

    Args:
        text: Accessible name of the whole.
        tabs: Id and words of each.
        theme: Colours.
        name: Stem of the objectNames.

    Signals:
        chosen: With the tab's id.
    """

    chosen = Signal(str)

    def __init__(
        self, text: str, tabs: Sequence[tuple[str, str]], theme: Theme, *, name: str
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(text)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, _TabButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for tab_id, words in tabs:
            button = _TabButton(words, theme, f"{name}_{tab_id}")
            button.clicked.connect(lambda _checked=False, chosen=tab_id: self.chosen.emit(chosen))
            self._group.addButton(button)
            self._buttons[tab_id] = button
            row.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_current(self, tab_id: str) -> None:
        """Show which view is open; nothing is emitted."""
        self._buttons[tab_id].setChecked(True)
