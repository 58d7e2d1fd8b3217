"""Widgets in a row that goes on in the next line where it is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

_GAP = 6


class WrapRow(QWidget):
    """Places its widgets from left to right, as wide as they ask to be.

    Args:
        last_at_end: The last one stands at the end of its line.
        parent: Qt parent.
    """

    def __init__(self, *, last_at_end: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._last_at_end = last_at_end
        self._widgets: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the end."""
        widget.setParent(self)
        self._widgets.append(widget)
        self.updateGeometry()

    def arrange(self) -> None:
        """Place them again: one asks for another width."""
        self._place(self.width(), moves=True)
        self.updateGeometry()

    def _place(self, width: int, *, moves: bool) -> int:
        left = top = line = 0
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for widget in self._widgets:
            size = widget.sizeHint()
            if left and left + size.width() > width:
                left, top = 0, top + line + _GAP
                line = 0
            if self._last_at_end and widget is self._widgets[-1]:
                left = max(left, width - size.width())
            if moves:
                x = width - left - size.width() if mirrored else left
                widget.setGeometry(x, top, min(size.width(), max(1, width)), size.height())
            left += size.width() + _GAP
            line = max(line, size.height())
        return top + line

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._place(width, moves=False)

    def sizeHint(self) -> QSize:
        """Return the size of one line."""
        sizes = [widget.sizeHint() for widget in self._widgets]
        width = sum(size.width() + _GAP for size in sizes)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(60, 28)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        self.arrange()
