"""The ring round the focused button: 2 px wide, 2 px away, shown for keyboard focus only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFocusFrame, QProxyStyle, QStyle, QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from PySide6.QtWidgets import QStyleHintReturn, QStyleOption

    from desktop.widgets.theme import Theme

RING_PROPERTY: Final = "ring"
_GAP: Final = 4


def focus_by_keyboard(widget: QWidget, reason: Qt.FocusReason) -> None:
    """Give a widget the focus as the Tab key does, ring included."""
    window = widget.window()
    window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    widget.setFocus(reason)
    # Outside the handling of a key Qt takes the attribute away again.
    window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    ring = window.findChild(FocusRing)
    if ring is not None:
        ring.follow(QApplication.focusWidget())


class _RingStyle(QProxyStyle):
    """Leaves room for the ring and its distance; Qt's own styles leave too little for either."""

    def pixelMetric(
        self,
        metric: QStyle.PixelMetric,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> int:
        """Return how far the frame reaches beyond its widget, in pixels."""
        if metric in {
            QStyle.PixelMetric.PM_FocusFrameHMargin,
            QStyle.PixelMetric.PM_FocusFrameVMargin,
        }:
            return _GAP
        return super().pixelMetric(metric, option, widget)

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: QStyleHintReturn | None = None,  # noqa: N803  Qt's name
    ) -> int:
        """Let the ring lie over whatever is around; its widget's parent would cut it off."""
        if hint == QStyle.StyleHint.SH_FocusFrame_AboveWidget:
            return 1
        return super().styleHint(hint, option, widget, returnData)


class FocusRing(QFocusFrame):
    """One ring for a whole window; it goes to the widget that has the ``ring`` property and focus.

    Fields and rows draw their own focus inside and do not carry the property.
    """

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self.setObjectName("focus_ring")
        self._theme = theme
        self._window = window
        style = _RingStyle()
        style.setParent(self)  # a widget does not own its style
        self.setStyle(style)
        self.hide()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus_changed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        if isValid(self._window):  # a window on its way out loses the focus once more
            self.follow(new)

    def follow(self, new: QWidget | None) -> None:
        """Go to the widget that has the focus now, if it came there by keyboard."""
        by_keyboard = self._window.testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if new is not None and by_keyboard and new.property(RING_PROPERTY):
            self.setWidget(new)
            return
        if self.widget() is not None:
            self.hide()
            self.setWidget(None)  # type: ignore[arg-type]  # Qt takes a null here, the stub forgot

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.focus, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        painter.end()
