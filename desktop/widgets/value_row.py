"""One number a person may set: name, value box, slider, and a sentence that says what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets.controls import label
from desktop.widgets.inputs import Slider

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QResizeEvent, QShowEvent, QWheelEvent

    from desktop.widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """What can be set.

    Attributes:
        name: objectName of the row.
        title: For people.
        low, high: What the box takes.
        slider_low, slider_high: What the slider reaches; the useful part.
        step: Smallest change.
        digits: After the point.
        help: Says in a sentence what a value does.
    """

    name: str
    title: str
    low: float
    high: float
    slider_low: float
    slider_high: float
    step: float
    digits: int
    help: Callable[[float], str]


class ValueBox(QDoubleSpinBox):
    """A number typed by hand; the wheel scrolls the page."""

    def __init__(self, spec: ValueSpec, theme: Theme) -> None:
        super().__init__()
        self.setObjectName(f"{spec.name}_box")
        self.setAccessibleName(spec.title)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setRange(spec.low, spec.high)
        self.setDecimals(spec.digits)
        self.setSingleStep(spec.step)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFont(theme.font("body", tabular=True))
        self.setFixedWidth(58)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the text in its place."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the text in its place when the style changes."""
        super().changeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Keep the text in its place when the style is first applied."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        # A styled box without buttons leaves its text one pixel; give it the whole box.
        self.lineEdit().setGeometry(self.rect().adjusted(7, 1, -7, -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the page scroll instead."""
        event.ignore()


class ValueRow(QWidget):
    """A slider and a box over one number.

    Signals:
        value_changed: With the number, when a person has settled on it.
        value_moved: With the number, already while the slider is dragged.
    """

    value_changed = Signal(float)
    value_moved = Signal(float)

    def __init__(self, spec: ValueSpec, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = spec
        self.setObjectName(spec.name)
        self._box = ValueBox(spec, theme)
        self._slider = Slider(spec.title, theme, name=f"{spec.name}_slider")
        self._slider.setRange(0, round((spec.slider_high - spec.slider_low) / spec.step))
        self._slider.setPageStep(max(1, self._slider.maximum() // 10))
        self._help = label("", theme, "small", "text3", wrap=True, name=f"{spec.name}_help")
        head = QHBoxLayout()
        head.addWidget(label(spec.title, theme, "body_medium"))
        head.addStretch(1)
        head.addWidget(self._box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._slider)
        column.addWidget(self._help)
        self._slider.valueChanged.connect(self._on_slider_moved)
        self._slider.sliderReleased.connect(self._emit)
        self._box.valueChanged.connect(self._on_box_changed)

    def value(self) -> float:
        """Return the number shown."""
        return self._box.value()

    def set_value(self, value: float) -> None:
        """Show a number; nothing is emitted."""
        with QSignalBlocker(self._box):
            self._box.setValue(value)
        self._follow(value)

    def _on_slider_moved(self, position: int) -> None:
        value = self._spec.slider_low + position * self._spec.step
        with QSignalBlocker(self._box):
            self._box.setValue(value)
        self._say(value)
        self.value_moved.emit(value)
        if not self._slider.isSliderDown():
            self._emit()

    def _on_box_changed(self, value: float) -> None:
        self._follow(value)
        self.value_moved.emit(value)
        self._emit()

    def _follow(self, value: float) -> None:
        with QSignalBlocker(self._slider):
            self._slider.setValue(round((value - self._spec.slider_low) / self._spec.step))
        self._say(value)

    def _say(self, value: float) -> None:
        words = self._spec.help(value)
        self._help.setText(words)
        self._slider.setAccessibleDescription(words)
        self._box.setAccessibleDescription(words)

    def _emit(self) -> None:
        self.value_changed.emit(self._box.value())
