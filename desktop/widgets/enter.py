"""Enter presses the button that has the keys, as Space does.

Qt leaves that to the desktop, and not every one does: on a bare X server Enter does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QAbstractButton

    _Base = QAbstractButton
else:
    _Base = object

_WITH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


class PressedByEnter(_Base):
    """Goes before the kind of button in a class's bases."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for Space."""
        super().keyPressEvent(_as_space(event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Take Enter for Space."""
        super().keyReleaseEvent(_as_space(event))


def _as_space(event: QKeyEvent) -> QKeyEvent:
    if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter} or event.modifiers() & _WITH:
        return event
    space, none = Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier
    return QKeyEvent(event.type(), space, none, " ", event.isAutoRepeat())
