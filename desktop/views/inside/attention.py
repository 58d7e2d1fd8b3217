"""Attention: one head as a heat map or lines, all heads at a glance, and where a token looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.pieces import shown_piece
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import label, panel, scrolled
from desktop.widgets.inputs import Combo, Segments, Slider
from inference.inside.questions import Array, AskAttention, AskAttentionOverview, AskRollout

if TYPE_CHECKING:
    import numpy.typing as npt

    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme
    from inference.inside.questions import Question, Window

How = Literal["one", "mean", "max", "rollout"]
_CELLS: Final = 512
_AT_FIRST: Final = 32
_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class _Choice:
    """What of the attention is shown."""

    how: How = "mean"
    layer: int = 0
    head: int = 0


class AttentionView(InsideView):
    """Asks for one matrix at a time; a part of it is cut out by the engine."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_attention")
        self._subject: Subject | None = None
        self._choice = _Choice()
        self._window: Window | None = None
        self._asked: Question | None = None
        self._row_asked: Question | None = None
        self._is_waiting = False
        self._overview_asked: Question | None = None
        self._bar = _Bar(theme)
        self._bar.changed.connect(self._on_choice)
        self._bar.shape_chosen.connect(self._on_shape)
        self._map = HeatMap(theme, "attention_map", self.tr("Attention"))
        self._map.window_wanted.connect(self._on_window)
        self._map.place_chosen.connect(self._on_cell)
        self._lines = LookLines(theme, "attention_lines", self.tr("Attention as lines"))
        self._bar.threshold_moved.connect(self._lines.set_threshold)
        self._lines.place_chosen.connect(lambda row: self._choose(self._lines.first + row))
        words = self.tr("Each row is a token that looks; each column one it can look at.")
        self._frames = [
            FigureFrame(self._map, theme, self.tr("Where tokens look"), words, origin="measured"),
            FigureFrame(self._lines, theme, self.tr("Where tokens look"), words, origin="measured"),
        ]
        self._shapes = QStackedWidget()
        for frame in self._frames:
            self._shapes.addWidget(frame)
        self._side = _Side(theme)
        self._side.grid.place_chosen.connect(self._on_head)
        for frame in (*self._frames, self._side.grid_frame, self._side.row_frame):
            frame.said.connect(self.said)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(24, 12, 12, 16)
        column.addWidget(self._shapes)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._bar)
        whole.addWidget(scrolled(left, "attention_scroll", self.tr("Attention")), 1)

    def controls(self) -> QWidget | None:
        """Return all heads, and where the chosen token looks."""
        return self._side

    def show_subject(self, subject: Subject) -> None:
        """Show another text: the part around the chosen token, as many as can be read."""
        new = self._subject is None or self._subject.tokens is not subject.tokens
        self._subject = subject
        if new:
            self._map.set_text(subject.tokens)
            self._bar.set_model(subject.loaded.n_layers, 0)
            self._window = self._first_window(subject)
            self._overview_asked = AskAttentionOverview(subject.ids)
            self.asked.emit(self._overview_asked)
        self._ask()

    def show_place(self, subject: Subject) -> None:
        """Show where another token looks."""
        self._subject = subject
        row = self._row()
        if self._window is not None and not self._window[0] <= row < sum(self._window[::2]):
            self._window = self._first_window(subject)
            self._ask()
        else:
            self._mark_row()
            self._ask_row()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if not isinstance(finding, Array) or self._subject is None:
            return
        numbers = finding.numbers()
        if question == self._overview_asked:
            self._bar.set_model(numbers.shape[0], numbers.shape[1])
            self._side.grid.set_overview(numbers)
            self._mark_head()
        elif question == self._asked and self._window is not None:
            self._map.set_weights(numbers, self._window)
            self._lines.set_weights(self._subject.tokens, numbers, self._window)
            self._mark_row()
            self._is_waiting = False
            self._ask_row()
        elif question == self._row_asked:
            self._show_row(numbers[0])

    def _first_window(self, subject: Subject) -> Window:
        total = len(subject.tokens)
        count = min(total, _AT_FIRST)
        first = max(0, min(subject.chosen - count + 3, total - count))
        return (first, first, count, count)

    def _row(self) -> int:
        """Return the token that looks: the chosen one, or the last."""
        subject = self._subject
        return 0 if subject is None else min(subject.chosen, len(subject.tokens) - 1)

    def _question(self, window: Window, size: int) -> Question:
        subject, choice = self._subject, self._choice
        ids = () if subject is None else subject.ids
        if choice.how == "rollout":
            return AskRollout(ids, window, size)
        heads = choice.head if choice.how == "one" else choice.how
        return AskAttention(ids, choice.layer, heads, window, size)

    def _ask(self) -> None:
        if self._subject is None or self._window is None:
            return
        self._mark_head()
        self._asked = self._question(self._window, _CELLS)
        derived = self._choice.how != "one"
        for frame in self._frames:
            frame.origin.set_origin("derived" if derived else "measured", self._method())
        self._is_waiting = True
        self.asked.emit(self._asked)

    def _ask_row(self) -> None:
        """Ask where the chosen token looks; not before the matrix has come.

        Of two questions of a kind the newer one counts, and the row is cut out of the same matrix.
        """
        subject = self._subject
        if subject is None or self._is_waiting:
            return
        row = self._row()
        self._row_asked = self._question((row, 0, 1, row + 1), 0)
        self._side.say_row(shown_piece(subject.tokens[row]))
        self.asked.emit(self._row_asked)

    def _method(self) -> str:
        return {
            "one": "",
            "mean": self.tr("average over heads"),
            "max": self.tr("maximum over heads"),
            "rollout": self.tr("roll-out"),
        }[self._choice.how]

    def _show_row(self, row: npt.NDArray[np.float32]) -> None:
        subject = self._subject
        if subject is None:
            return
        best = np.argsort(-row)[:_SHOWN]
        words = [(shown_piece(subject.tokens[int(n)]), float(row[n])) for n in best]
        self._side.row.set_rows(tuple(words))
        start = float(row[0])
        here, before = float(row[-1]), float(row[-2]) if len(row) > 1 else 0.0
        self._side.say_summary(
            self.tr(
                "{0} on itself, {1} on the token before, {2} on the very first one, where heads "
                "rest when nothing fits (the attention sink)."
            ).format(*(formatting.chance(share) for share in (here, before, start)))
        )

    def _mark_row(self) -> None:
        self._map.set_row(self._row())
        self._lines.set_row(self._row())

    def _mark_head(self) -> None:
        choice = self._choice
        self._side.grid.set_chosen(choice.layer, choice.head, is_one=choice.how == "one")

    def _on_choice(self, choice: _Choice) -> None:
        self._choice = choice
        self._ask()

    def _on_head(self, place: int) -> None:
        heads = self._bar.n_heads
        if heads:
            layer, head = divmod(place, heads)
            self._bar.choose(_Choice("one", layer, head))

    def _on_window(self, window: Window) -> None:
        self._window = window
        self._ask()

    def _on_cell(self, place: int) -> None:
        self._choose(self._map.row_of(place))

    def _choose(self, token: int) -> None:
        self.place_chosen.emit(max(1, token))

    def _on_shape(self, shape: str) -> None:
        self._shapes.setCurrentIndex(1 if shape == "lines" else 0)


class _Bar(QWidget):
    """How heads are taken together, which layer and head, heat map or lines.

    Signals:
        changed: A ``_Choice``.
        shape_chosen: ``map`` or ``lines``.
        threshold_moved: Share from which lines are drawn.
    """

    changed = Signal(object)
    shape_chosen = Signal(str)
    threshold_moved = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._choice = _Choice()
        self.n_heads = 0
        self._how = Combo(self.tr("Heads taken together"), theme, name="attention_how")
        for value, words in (
            ("one", self.tr("One head")),
            ("mean", self.tr("Average of heads")),
            ("max", self.tr("Maximum of heads")),
            ("rollout", self.tr("Roll-out")),
        ):
            self._how.addItem(words, value)
        self._how.activated.connect(lambda row: self._on_how(self._how.itemData(row)))
        self._layer = Combo(self.tr("Layer"), theme, name="attention_layer")
        self._head = Combo(self.tr("Head"), theme, name="attention_head")
        self._layer.activated.connect(self._on_place)
        self._head.activated.connect(self._on_place)
        self._shape = Segments(
            self.tr("Shape"),
            (("map", self.tr("Heat map")), ("lines", self.tr("Lines"))),
            theme,
            name="attention_shape",
        )
        self._shape.chosen.connect(self._on_shape)
        self._shape.set_value("map")
        self._threshold = Slider(self.tr("Lines from"), theme, name="attention_threshold")
        self._threshold.setRange(1, 50)
        self._threshold.setValue(5)
        self._threshold.setFixedWidth(110)
        self._threshold.valueChanged.connect(lambda value: self.threshold_moved.emit(value / 100))
        self._threshold.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 8, 16, 4)
        row.setSpacing(8)
        row.addWidget(self._how)
        row.addWidget(label(self.tr("Layer"), theme, "body", "text2"))
        row.addWidget(self._layer)
        self._head_words = label(self.tr("Head"), theme, "body", "text2")
        row.addWidget(self._head_words)
        row.addWidget(self._head)
        row.addStretch(1)
        row.addWidget(self._threshold)
        row.addWidget(self._shape)
        self._show()

    def set_model(self, n_layers: int, n_heads: int) -> None:
        """Offer so many layers and heads; 0 heads = not known yet."""
        self.n_heads = n_heads
        for combo, count in ((self._layer, n_layers), (self._head, n_heads)):
            if combo.count() != count:
                combo.clear()
                combo.addItems([str(n + 1) for n in range(count)])
        self._show()

    def choose(self, choice: _Choice) -> None:
        """Take a choice made elsewhere."""
        self._choice = choice
        self._show()
        self.changed.emit(choice)

    def _show(self) -> None:
        choice = self._choice
        self._how.setCurrentIndex(self._how.findData(choice.how))
        self._layer.setCurrentIndex(min(choice.layer, self._layer.count() - 1))
        self._head.setCurrentIndex(min(choice.head, self._head.count() - 1))
        self._layer.setEnabled(choice.how != "rollout")
        for widget in (self._head, self._head_words):
            widget.setVisible(choice.how == "one")

    def _on_how(self, how: How) -> None:
        self.choose(_Choice(how, self._choice.layer, self._choice.head))

    def _on_place(self) -> None:
        layer, head = self._layer.currentIndex(), max(0, self._head.currentIndex())
        self.choose(_Choice(self._choice.how, layer, head))

    def _on_shape(self, shape: str) -> None:
        self._threshold.setVisible(shape == "lines")
        self.shape_chosen.emit(shape)


class _Side(QWidget):
    """All heads, and where the chosen token looks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("attention_side")
        self.grid = HeadGrid(theme, "attention_heads", self.tr("All heads"))
        self.grid_frame = FigureFrame(
            self.grid,
            theme,
            self.tr("All heads"),
            self.tr("Rows are layers, columns are heads. Choose one to enlarge it."),
            origin="measured",
        )
        self.row = ShareBars(theme, "attention_row", self.tr("Where the chosen token looks"))
        self.row_frame = FigureFrame(self.row, theme, self.tr("From here"), origin="measured")
        self._summary = label("", theme, "small", "text2", wrap=True, name="attention_summary")
        honest = label(self.tr("Attention is not an explanation."), theme, "body_strong")
        words = self.tr("It shows where a head looked, not why the next word came.")
        why = label(words, theme, "small", "text2", wrap=True)
        body = panel("side", "attention_side_body")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(14)
        for widget in (self.grid_frame, self.row_frame, self._summary, honest, why):
            column.addWidget(widget)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        area = scrolled(body, "attention_side_scroll", self.tr("All heads"))
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        whole.addWidget(area)

    def say_row(self, word: str) -> None:
        """Name the token that looks."""
        self.row_frame.set_sentence(self.tr("“{0}” looks most at").format(word))

    def say_summary(self, words: str) -> None:
        """Say what the row comes to."""
        self._summary.setText(words)
