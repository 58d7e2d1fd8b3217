"""Things in front of the window's content: side panels, pop-ups and dialogs, inside the window.

An overlay covers its window's content, takes the focus and gives it back. Esc or a press beside
the thing in front closes it. One is open at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QObject,
    QPoint,
    QPropertyAnimation,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.shadow import Elevation, paint_float, shadow_margin

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

Side = Literal["left", "right"]


class FloatFrame(QWidget):
    """A rounded ground with a shadow; its content goes into ``body``.

    Args:
        theme: Colours.
        kind: How far it stands in front.
        name: objectName.
    """

    def __init__(
        self, theme: Theme, *, name: str, kind: Elevation = "float", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._theme = theme
        self._kind = kind
        self._radius = 12 if kind == "dialog" else 8
        margin = shadow_margin(kind)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(margin + 1, margin + 1, margin + 1, margin + 1)
        self.body.setSpacing(0)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def ground(self) -> QRect:
        """Return where the thing itself is, without its shadow."""
        margin = shadow_margin(self._kind)
        return self.rect().adjusted(margin, margin, -margin, -margin)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        paint_float(painter, self.ground(), self._radius, self._theme, self._kind)
        painter.end()


class Overlay(QWidget):
    """Covers ``area``, holds one thing in front, and closes on Esc or a press beside it.

    Signals:
        closed: After it went and the focus is back.

    Args:
        area: The widget that is covered; the overlay becomes its child.
        theme: For the scrim.
        name: objectName.
        scrim: Whether what lies under is darkened.
    """

    closed = Signal()

    def __init__(self, area: QWidget, theme: Theme, *, name: str, scrim: bool = True) -> None:
        super().__init__(area)
        self.setObjectName(name)
        self._area = area
        self._theme = theme
        self._scrim = scrim
        self._content: QWidget | None = None
        self._side: Side | None = None
        self._before: QWidget | None = None
        self._move: QPropertyAnimation | None = None
        self.hide()
        area.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    @property
    def content(self) -> QWidget | None:
        """What stands in front, while the overlay is open."""
        return self._content

    def open_side(self, content: QWidget, side: Side, width: int) -> None:
        """Let a panel come in from one side, over the whole height."""
        self._take(content)
        self._side = side
        content.resize(width, self.height())
        self._place()
        self._slide_in(content, side)

    def open_centred(self, content: QWidget) -> None:
        """Show a dialog in the middle."""
        self._take(content)
        self._side = None
        content.adjustSize()
        self._place()

    def open_at(self, content: QWidget, top_left: QPoint) -> None:
        """Show a pop-up at a place in the area, moved as far as needed to be seen whole."""
        self._take(content)
        self._side = None
        content.adjustSize()
        room = self.rect()
        x = max(0, min(top_left.x(), room.width() - content.width()))
        y = max(0, min(top_left.y(), room.height() - content.height()))
        content.move(x, y)

    def close_content(self) -> None:
        """Close; the content is handed back to nobody and hidden."""
        content = self._content
        if content is None:
            return
        self._content = None
        if self._move is not None:
            self._move.stop()
        content.hide()
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self._before = None
        self.closed.emit()

    def _take(self, content: QWidget) -> None:
        if self._content is not None and self._content is not content:
            self.close_content()
        self._before = QApplication.focusWidget()
        self._content = content
        content.setParent(self)
        self.setGeometry(self._area.rect())
        self.show()
        self.raise_()
        content.show()
        target = content.focusProxy() or content
        target.setFocus(Qt.FocusReason.PopupFocusReason)

    def _place(self) -> None:
        content = self._content
        if content is None:
            return
        if self._side is None:
            content.move(
                max(0, (self.width() - content.width()) // 2),
                max(0, (self.height() - content.height()) // 2),
            )
            return
        left = 0 if self._at_left(self._side) else self.width() - content.width()
        content.setGeometry(left, 0, content.width(), self.height())

    def _at_left(self, side: Side) -> bool:
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        return (side == "left") != mirrored

    def _slide_in(self, content: QWidget, side: Side) -> None:
        duration = self._theme.duration("overlay")
        if not duration:
            return
        way = 24 if self._at_left(side) else -24
        move = QPropertyAnimation(content, b"pos", self)
        move.setDuration(duration)
        move.setEasingCurve(QEasingCurve.Type.OutCubic)
        move.setStartValue(content.pos() - QPoint(way, 0))
        move.setEndValue(content.pos())
        move.start(QPropertyAnimation.DeletionPolicy.KeepWhenStopped)
        if self._move is not None:
            self._move.deleteLater()
        self._move = move

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keep Tab inside while the overlay is open."""
        content = self._content
        current = QApplication.focusWidget()
        if content is None or current is None:
            return False
        candidate: QWidget = current
        for _ in range(2000):  # the focus chain is a ring through the whole window
            step = candidate.nextInFocusChain() if forward else candidate.previousInFocusChain()
            if step is None:
                return False
            candidate = step
            reachable = candidate.focusPolicy() & Qt.FocusPolicy.TabFocus
            inside = content.isAncestorOf(candidate)
            if inside and reachable and candidate.isVisible() and candidate.isEnabled():
                reason = Qt.FocusReason.TabFocusReason
                if not forward:
                    reason = Qt.FocusReason.BacktabFocusReason
                focus_by_keyboard(candidate, reason)
                return True
        return False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch what this widget cares about elsewhere."""
        if watched is self._area and event.type() == QEvent.Type.Resize and self.isVisible():
            if self._move is not None:
                self._move.stop()  # it leads to where the panel was to be before
            self.setGeometry(self._area.rect())
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys it knows."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_content()
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press."""
        content = self._content
        if content is None:
            return
        place = content.geometry()
        if isinstance(content, FloatFrame):
            place = content.ground().translated(content.pos())
        if not place.contains(event.position().toPoint()):
            self.close_content()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        if not self._scrim:
            return
        painter = QPainter(self)
        color = QColor(self._theme.scrim)
        color.setAlphaF(self._theme.scrim_alpha)
        painter.fillRect(self.rect(), color)
        painter.end()
