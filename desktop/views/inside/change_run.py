"""One of the two runs of Change and see: what it would say at a step, and what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import spoken
from desktop.widgets.charts.share_bars import ShareBars, likeliest
from desktop.widgets.controls import label
from desktop.widgets.token_strip import TokenStrip
from inference.types import TokenPiece

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.inside.questions import ScoredToken, WrittenStep

_SHOWN: Final = 8


class RunColumn(QWidget):
    """Bars of a step, the tokens that are written, and their text.

    Args:
        theme: Colours.
        name: Of the run, as the beginning of all objectNames.
        title: Of the run, for people.

    Signals:
        step_chosen: From 1.
        said: A sentence for the person.
    """

    step_chosen = Signal(int)
    said = Signal(str)

    def __init__(self, theme: Theme, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(f"{name}_run")
        self._title = title
        self._steps: tuple[WrittenStep, ...] = ()
        self._bars = ShareBars(theme, name, title, full=1.0)
        self._onward = label("", theme, "small", "text3", name=f"{name}_onward")
        self._strip = TokenStrip(theme, f"{name}_steps", open_end=False)
        self._strip.setAccessibleName(self.tr("{0}: what it writes").format(title))
        self._strip.place_chosen.connect(self.step_chosen)
        self._text = label("", theme, "body", "text2", wrap=True, name=f"{name}_text")
        frame = FigureFrame(self._bars, theme, title, origin="measured")
        frame.said.connect(self.said)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(frame)
        column.addWidget(self._onward)
        column.addWidget(self._strip)
        column.addWidget(self._text)
        column.addStretch(1)

    def show_chances(self, top: tuple[ScoredToken, ...]) -> None:
        """Show what may come next, while nothing is written yet."""
        self._steps = ()
        self._bars.set_rows(likeliest(top, _SHOWN))
        self._onward.setText(self.tr("It goes on:"))
        self._text.setText("…")
        self._strip.hide()

    def show_written(self, steps: tuple[WrittenStep, ...], text: str, *, is_ended: bool) -> None:
        """Show what is written; ``is_ended``: the last token ends an answer."""
        self._steps = steps
        if not is_ended:
            words = self.tr("It goes on:")
        elif len(steps) == 1:
            words = self.tr("It ends here.")
        else:
            words = self.tr("It goes on, and ends at step {0}:").format(len(steps))
        self._onward.setText(words)
        self._text.setText(text.strip())
        self._strip.show()

    def show_step(self, number: int) -> str:
        """Show a step, from 1, or the last one before it; return what is said of it."""
        at = max(1, min(number, len(self._steps)))
        step = self._steps[at - 1]
        self._strip.set_text((TokenPiece(-1, "…"), *self._steps), at)
        self._bars.set_rows(likeliest(step.top, _SHOWN))
        if at < number:
            return self.tr("{0}: ended at step {1}.").format(self._title, at)
        bits = formatting.decimal(step.entropy_bits, 1)
        if not step.temperature:
            return self.tr("{0}: “{1}” is the likeliest, {2} bits of uncertainty.").format(
                self._title, spoken(step), bits
            )
        return self.tr("{0}: “{1}” drawn at temperature {2}, {3} bits of uncertainty.").format(
            self._title, spoken(step), formatting.decimal(step.temperature, 2), bits
        )
