"""Something that takes the height it needs, and scrolls where there is less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

_LEAST: Final = 150


class ShrinkingArea(QScrollArea):
    """Shows a widget whole if there is room.

    Args:
        body: What is shown.
        name: objectName.
        words: Accessible name.
    """

    def __init__(self, body: QWidget, name: str, words: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(words)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        self._body = body
        self.setWidget(body)

    def sizeHint(self) -> QSize:
        """Return the height that the widget needs at this width."""
        width = max(self.viewport().width(), 200)
        layout = self._body.layout()
        height = layout.totalHeightForWidth(width) if layout is not None else -1
        return QSize(width, height if height >= 0 else self._body.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return a height at which something can still be read."""
        return QSize(200, min(_LEAST, self.sizeHint().height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for another height when the widget needs one."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._measure()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need another height."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._measure()

    def _measure(self) -> None:
        """Give the widget the height it needs here; its own least one is that of a narrow place."""
        self._body.setMinimumHeight(self.sizeHint().height())
        self.updateGeometry()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Bring what gets the keyboard into sight."""
        moved = super().focusNextPrevChild(forward)
        focus = self.window().focusWidget()
        if focus is not None and self._body.isAncestorOf(focus):
            self.ensureWidgetVisible(focus, 8, 8)
        return moved
