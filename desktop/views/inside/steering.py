"""Temperatures for each token that is written: a shape to choose, and a line to drag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets.charts.temperature_line import TemperatureLine
from desktop.widgets.controls import Button, label
from desktop.widgets.inputs import Combo

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

STEPS: Final = 16
_HOT: Final = 1.6
_COOL: Final = 0.2
_FEW: Final = 4
_FIRST_SEED: Final = 41


class Steering(QWidget):
    """What temperatures the changed run draws at; without any, both runs take the likeliest.

    Signals:
        changed: Other temperatures, or other random numbers.
    """

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("change_steering")
        self.seed = _FIRST_SEED
        self._plain = 0.7
        self._shape = Combo(self.tr("Temperature of each step"), theme, name="change_shape")
        for value, words in (
            ("off", self.tr("Always the likeliest")),
            ("flat", self.tr("The same at every step")),
            ("hot", self.tr("Hot at first, then cool")),
            ("cool", self.tr("Cool at first, then hot")),
            ("falling", self.tr("Cooler step by step")),
            ("own", self.tr("Your own line")),
        ):
            self._shape.addItem(words, value)
        self._shape.activated.connect(self._on_shape)
        self.line = TemperatureLine(
            theme, "change_temperatures", self.tr("Temperature of each step")
        )
        self.line.moved.connect(self._on_moved)
        self._words = label("", theme, "small", "text3", wrap=True, name="change_steering_words")
        self._again = Button(
            self.tr("Draw both again"),
            theme,
            name="change_draw",
            icon_name="dices",
            small=True,
        )
        self._again.clicked.connect(self._on_again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(label(self.tr("Temperature, step by step"), theme, "heading"))
        column.addWidget(self._shape)
        column.addWidget(self.line)
        column.addWidget(self._words)
        column.addWidget(self._again)
        self._show()

    @property
    def is_on(self) -> bool:
        """Whether tokens are drawn."""
        return bool(self._shape.currentData() != "off")

    def temperatures(self) -> tuple[float, ...]:
        """Return those of the changed run; empty where it takes the likeliest."""
        return self.line.values() if self.is_on else ()

    def plain(self) -> float:
        """Return that of the unchanged run."""
        return self._plain if self.is_on else 0.0

    def set_plain(self, temperature: float) -> None:
        """Draw the unchanged run at the text's own temperature."""
        self._plain = round(max(0.0, min(temperature, 2.0)), 2)
        self._show()

    def reset(self) -> None:
        """Take the likeliest again; nothing is emitted."""
        self._shape.setCurrentIndex(self._shape.findData("off"))
        self._show()

    def _on_shape(self) -> None:
        kind = self._shape.currentData()
        shapes = {
            "flat": (self._plain,) * STEPS,
            "hot": (_HOT,) * _FEW + (_COOL,) * (STEPS - _FEW),
            "cool": (_COOL,) * _FEW + (_HOT,) * (STEPS - _FEW),
            "falling": tuple(_HOT * (1 - n / (STEPS - 1)) for n in range(STEPS)),
        }
        if kind in shapes:
            self.line.set_values(shapes[kind])
        elif kind == "own" and not self.line.values():
            self.line.set_values((self._plain,) * STEPS)
        self._show()
        self.changed.emit()

    def _on_moved(self) -> None:
        self._shape.setCurrentIndex(self._shape.findData("own"))
        self.changed.emit()

    def _on_again(self) -> None:
        self.seed += 1
        self.changed.emit()

    def _show(self) -> None:
        for widget in (self.line, self._again):
            widget.setVisible(self.is_on)
        if self.is_on:
            words = self.tr(
                "Drag the points, or choose one with ← → and move it with ↑ ↓. The unchanged run "
                "draws at {0} with the same random numbers."
            ).format(f"{self._plain:.2f}")
        else:
            words = self.tr("Choose a shape to draw each token at a temperature of its own.")
        self._words.setText(words)
