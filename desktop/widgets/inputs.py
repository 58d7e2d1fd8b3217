"""Switch, slider, combo box, segments and search field, painted as the design asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from desktop.widgets.controls import Button, KeyCap
from desktop.widgets.focus_ring import RING_PROPERTY
from desktop.widgets.icons import BUTTON, INLINE, paint_icon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.widgets.theme import Theme


class Switch(QAbstractButton):
    """On or off; 34 by 20 pixels."""

    def __init__(
        self, text: str, theme: Theme, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCheckable(True)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setProperty(RING_PROPERTY, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        return QSize(34, 26)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0.5, 3.5, 33, 19)
        on = self.isChecked()
        ground = theme.accent if on else theme.raised
        if self.underMouse() and not on:
            ground = theme.hover
        pen = QPen(theme.accent if on else theme.control)
        if not self.isEnabled():
            pen = QPen(theme.line_strong, 1, Qt.PenStyle.DashLine)
            ground = theme.raised
        painter.setPen(pen)
        painter.setBrush(ground)
        painter.drawRoundedRect(track, 9.5, 9.5)
        radius = 7 if self.isDown() else 6
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.on_accent if on and self.isEnabled() else theme.control)
        at_right = on != (self.layoutDirection() == Qt.LayoutDirection.RightToLeft)
        painter.drawEllipse(
            QPointF(track.right() - 9.5 if at_right else track.left() + 9.5, 13), radius, radius
        )
        painter.end()


class Slider(QSlider):
    """A horizontal slider with a filled track and a ringed knob; the wheel scrolls the page."""

    def __init__(
        self, text: str, theme: Theme, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setFixedHeight(26)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the page scroll instead."""
        event.ignore()  # a value must not change while somebody scrolls past it

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press."""
        if event.button() == Qt.MouseButton.LeftButton and not self._knob().contains(
            event.position().toPoint()
        ):
            self.setValue(self._value_at(event.position().x()))
        super().mousePressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        knob = QPointF(self._x_of(self.value()), self.height() / 2)
        track = QRectF(0, self.height() / 2 - 2, self.width(), 4)
        painter.setBrush(theme.line_strong)
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(theme.accent if self.isEnabled() else theme.control)
        done = QRectF(track)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            done.setLeft(knob.x())
        else:
            done.setRight(knob.x())
        painter.drawRoundedRect(done, 2, 2)
        self._paint_knob(painter, knob)
        painter.end()

    def _paint_knob(self, painter: QPainter, knob: QPointF) -> None:
        theme = self._theme
        if self.underMouse() and self.isEnabled():
            halo = QColor(theme.accent)
            halo.setAlphaF(0.14)
            painter.setBrush(halo)
            painter.drawEllipse(knob, 11, 11)
        if self.hasFocus() and self.window().testAttribute(
            Qt.WidgetAttribute.WA_KeyboardFocusChange
        ):
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(knob, 10, 10)
        painter.setPen(QPen(theme.accent if self.isEnabled() else theme.control, 2))
        painter.setBrush(theme.accent_soft if self.isSliderDown() else theme.raised)
        painter.drawEllipse(knob, 6, 6)

    def _x_of(self, value: int) -> float:
        span = max(1, self.maximum() - self.minimum())
        share = (value - self.minimum()) / span
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        return 7 + share * (self.width() - 14)

    def _value_at(self, x: float) -> int:
        share = min(1.0, max(0.0, (x - 7) / max(1, self.width() - 14)))
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        return round(self.minimum() + share * (self.maximum() - self.minimum()))

    def _knob(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )


class Combo(QComboBox):
    """A combo box with our outline and chevron; the wheel scrolls the page."""

    def __init__(
        self, text: str, theme: Theme, *, name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setFixedHeight(32)
        self.setProperty(RING_PROPERTY, True)
        self.setFont(theme.font("body"))

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        metrics = self.fontMetrics()
        words = [self.itemText(index) for index in range(self.count())]
        widest = max((metrics.horizontalAdvance(word) for word in words), default=60)
        return QSize(max(88, widest + 48), 32)

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(72, 32)

    def showPopup(self) -> None:
        """Name the list, which is made when it is first opened."""
        self.view().setObjectName(f"{self.objectName()}_list")
        self.view().setAccessibleName(self.accessibleName())
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the page scroll instead."""
        event.ignore()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the hover state."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Leave the hover state."""
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.control if self.underMouse() else theme.line_strong)
        if not self.isEnabled():
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(theme.raised if self.isEnabled() else theme.sunken)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.setPen(theme.text if self.isEnabled() else theme.text_off)
        painter.setFont(self.font())
        words = QRect(10, 0, self.width() - 40, self.height())
        arrow = QRect(self.width() - 26, 0, BUTTON, self.height())
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            words.moveLeft(30)
            arrow.moveLeft(10)
        text = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, words.width()
        )
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(words, int(align), text)
        paint_icon(painter, "chevron-down", theme.text2, arrow)
        painter.end()


class Segments(QFrame):
    """Two to four words of which one is chosen.

    Signals:
        chosen: With the value of the chosen word.
    """

    chosen = Signal(str)

    def __init__(
        self,
        text: str,
        options: Sequence[tuple[str, str]],
        theme: Theme,
        *,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setProperty("part", "segments")
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        self._group = QButtonGroup(self)
        self._values: dict[str, Button] = {}
        for value, word in options:
            button = Button(word, theme, kind="segment", name=f"{name}_{value}")
            button.setAccessibleName(f"{text}: {word}")
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, v=value: self.chosen.emit(v))
            self._group.addButton(button)
            self._values[value] = button
            row.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_value(self, value: str) -> None:
        """Show which word is chosen; nothing is emitted."""
        button = self._values.get(value)
        if button is not None:
            button.setChecked(True)


class SearchField(QLineEdit):
    """A field with a magnifier, and the key that leads to it at its end."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        name: str,
        keys: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(text)
        self.setPlaceholderText(text)
        self.setFont(theme.font("body"))
        self._cap = KeyCap(keys, theme, self) if keys else None
        self._set_margins()
        self.textChanged.connect(self._on_text_changed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _set_margins(self) -> None:
        before, after = 21, self._cap.sizeHint().width() + 4 if self._cap else 0
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            before, after = after, before
        self.setTextMargins(before, 0, after, 0)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the side one reads from."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._set_margins()

    def _on_text_changed(self, text: str) -> None:
        if self._cap is not None:
            self._cap.setVisible(not text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        if self._cap is not None:
            size = self._cap.sizeHint()
            left = self.width() - size.width() - 7
            if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
                left = 7
            self._cap.setGeometry(
                left, (self.height() - size.height()) // 2, size.width(), size.height()
            )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        super().paintEvent(event)
        painter = QPainter(self)
        left = 9
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            left = self.width() - 9 - INLINE
        place = QRect(left, 0, INLINE, self.height())
        paint_icon(painter, "search", self._theme.text3, place)
        painter.end()
