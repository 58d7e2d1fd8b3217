"""Attention: one head as a heat map or lines, all heads at a glance, and where a token looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.attention_bar import AttentionBar, Choice, LinesLegend, MapLegend
from desktop.views.inside.attention_scores import ScoresFrame
from desktop.views.inside.attention_side import AttentionSide, grid_frame
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.controls import scrolled
from inference.inside.products import Products
from inference.inside.questions import (
    Array,
    AskAttention,
    AskAttentionOverview,
    AskHabits,
    AskRollout,
)

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.views.inside.attention_bar import Shape
    from desktop.widgets.charts.origin import OriginKind
    from desktop.widgets.theme import Theme
    from inference.inside.questions import Question, Window

_CELLS: Final = 512
_AT_FIRST: Final = 32
_MOST_LINES: Final = 48
_WIDEST: Final = 144.0


class AttentionView(InsideView):
    """Asks for one matrix at a time; a part of it is cut out by the engine."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_attention")
        self._subject: Subject | None = None
        self._choice = Choice()
        self._shape: Shape = "map"
        self._window: Window | None = None
        self._asked: Question | None = None
        self._row_asked: Question | None = None
        self._habits_asked: Question | None = None
        self._overview_asked: Question | None = None
        self._scores_asked: Question | None = None
        self._is_waiting = False
        self._bar = AttentionBar(theme)
        self._map = HeatMap(theme, "attention_map", self.tr("Attention"))
        self._lines = LookLines(theme, "attention_lines", self.tr("Attention as lines"))
        self._grid = HeadGrid(
            theme, "attention_all_heads", self.tr("All heads, large"), widest=_WIDEST
        )
        self._side = AttentionSide(theme)
        title = self.tr("Where tokens look")
        self._map_legend, self._lines_legend = MapLegend(theme), LinesLegend(theme)
        self._scores = ScoresFrame(theme)
        self._frames: dict[str, FigureFrame] = {
            "map": FigureFrame(self._map, theme, title, origin="measured", legend=self._map_legend),
            "lines": FigureFrame(
                self._lines, theme, title, origin="measured", legend=self._lines_legend
            ),
            "all": grid_frame(self._grid, theme, self.tr("All heads")),
            "scores": self._scores,
        }
        self._connect()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(24, 12, 12, 16)
        for frame in self._frames.values():
            column.addWidget(frame, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._bar)
        whole.addWidget(scrolled(left, "attention_scroll", self.tr("Attention")), 1)
        self._bar.open_shape("map")

    def _connect(self) -> None:
        self._bar.changed.connect(self._on_choice)
        self._bar.shape_chosen.connect(self._on_shape)
        self._lines_legend.threshold_moved.connect(self._lines.set_threshold)
        self._map_legend.zoom_asked.connect(self._on_zoom)
        self._map.window_wanted.connect(self._on_window)
        self._map.place_chosen.connect(self._on_cell)
        self._lines.place_chosen.connect(lambda row: self._choose(self._lines.first + row))
        self._side.grid.place_chosen.connect(self._on_head)
        self._grid.place_chosen.connect(self._on_head)
        for frame in (*self._frames.values(), self._side.grid_frame, self._side.row_frame):
            frame.said.connect(self.said)

    def controls(self) -> QWidget | None:
        """Return all heads, and where the chosen token looks."""
        return self._side

    def show_subject(self, subject: Subject) -> None:
        """Show another text: the part around the chosen token, as many as can be read."""
        before, self._subject = self._subject, subject
        if before is None or before.model != subject.model:
            self._choice = self._bar.begin_model(subject.loaded.n_layers)
        if before is None or before.tokens is not subject.tokens:
            self._map.set_text(subject.tokens)
            self._bar.set_model(subject.loaded.n_layers, 0)
            self._window = self._first_window(subject)
            self._overview_asked = None
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

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figures that wait for this answer; the row is cut out of the same matrix."""
        shapes, side = self._frames, self._side
        if question == self._asked:
            return shapes["map"], shapes["lines"], side.row_frame
        if question == self._row_asked:
            return (side.row_frame,)
        if question == self._overview_asked:
            return side.grid_frame, shapes["all"]
        return (self._scores,) if question == self._scores_asked else ()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if self._subject is not None and isinstance(finding, Products):
            if question == self._scores_asked:
                self._scores.show_found(self._subject, self._row(), finding)
            return
        if not isinstance(finding, Array) or self._subject is None:
            return
        numbers = finding.numbers()
        if question == self._overview_asked:
            self._bar.set_model(numbers.shape[0], numbers.shape[1])
            for grid in (self._side.grid, self._grid):
                grid.set_overview(numbers)
            self._mark_head()
        elif question == self._asked and self._window is not None:
            self._say_origin()
            self._map.set_weights(numbers, self._window)
            self._lines.set_weights(self._subject.tokens, numbers, self._window)
            self._mark_row()
            self._say_part()
            self._is_waiting = False
            self._ask_row()
            self._ask_habits()
        elif question == self._row_asked:
            self._side.name_row(self._subject.tokens[self._row()])
            self._side.show_row(self._subject.tokens, numbers[0])
            self._ask_overview()
        elif question == self._habits_asked:
            self._side.show_habits(numbers)

    def _first_window(self, subject: Subject) -> Window:
        total = len(subject.tokens)
        count = min(total, _MOST_LINES if self._shape == "lines" else _AT_FIRST)
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
        self._is_waiting = True
        self.asked.emit(self._asked)

    def _say_origin(self) -> None:
        """Say where the numbers that have come are from."""
        kind: OriginKind = "measured" if self._choice.how == "one" else "derived"
        for frame in (self._frames["map"], self._frames["lines"]):
            frame.origin.set_origin(kind, self._method())
        self._side.row_frame.origin.set_origin(kind)  # there is no room for more beside it

    def _ask_row(self) -> None:
        """Ask where the chosen token looks; not before the matrix has come.

        Of two questions of a kind the newer one counts, and the row is cut out of the same matrix.
        """
        subject = self._subject
        if subject is None or self._is_waiting:
            return
        row = self._row()
        self._row_asked = self._question((row, 0, 1, row + 1), 0)
        self.asked.emit(self._row_asked)
        self._ask_scores()

    def _ask_scores(self) -> None:
        """Ask what the looks of the chosen token are made of, where that is shown."""
        subject, choice = self._subject, self._choice
        if subject is None or self._shape != "scores" or choice.how != "one":
            return
        self._scores_asked = self._scores.question(subject, self._row(), choice.layer, choice.head)
        self.asked.emit(self._scores_asked)

    def _ask_habits(self) -> None:
        """Ask where tokens look over the whole text; a roll-out has no layer to ask about."""
        subject, choice = self._subject, self._choice
        if subject is None or choice.how == "rollout":
            self._side.hide_habits()
            return
        heads = choice.head if choice.how == "one" else choice.how
        self._habits_asked = AskHabits(subject.ids, choice.layer, heads)
        self.asked.emit(self._habits_asked)

    def _ask_overview(self) -> None:
        """Ask for all heads once, after the one layer that is looked at: it takes far longer."""
        if self._overview_asked is None and self._subject is not None:
            self._overview_asked = AskAttentionOverview(self._subject.ids)
            self.asked.emit(self._overview_asked)

    def _say_part(self) -> None:
        """Say how to read the figure, and which part of the text it shows."""
        if self._subject is None or self._window is None:
            return
        words = self.tr("Each row is a token that looks; each column one it can look at.")
        total, (top, left, rows, columns) = len(self._subject.tokens), self._window
        if columns == total and self._choice.how != "max":
            words += " " + self.tr("Rows add up to 1.")
        if rows < total:
            words += " " + self.tr("Shown: tokens {0} to {1} at tokens {2} to {3}, of {4}.").format(
                *map(formatting.count, (top + 1, top + rows, left + 1, left + columns, total))
            )
        if rows > _CELLS:
            words += " " + self.tr(
                "Each cell shows the strongest look of up to {0} by {0}."
            ).format(-(-rows // _CELLS))
        for frame in (self._frames["map"], self._frames["lines"]):
            frame.set_sentence(words)

    def _method(self) -> str:
        return {
            "one": "",
            "mean": self.tr("average over heads"),
            "max": self.tr("maximum over heads"),
            "rollout": self.tr("roll-out"),
        }[self._choice.how]

    def _mark_row(self) -> None:
        self._map.set_row(self._row())
        self._lines.set_row(self._row())

    def _mark_head(self) -> None:
        choice = self._choice
        for grid in (self._side.grid, self._grid):
            grid.set_chosen(choice.layer, choice.head, is_one=choice.how == "one")

    def _on_choice(self, choice: Choice) -> None:
        self._choice = choice
        if self._shape == "scores" and choice.how != "one":
            self._bar.open_shape("map")  # only one head has scores
        self._ask()

    def show_layer(self, layer: int) -> None:
        """Show the average of all heads of a layer, counted from 0."""
        self._bar.choose(Choice("mean", layer, 0))

    def _on_head(self, place: int) -> None:
        heads = self._bar.n_heads
        if heads:
            layer, head = divmod(place, heads)
            if self._shape == "all":
                self._bar.open_shape("map")
            self._bar.choose(Choice("one", layer, head))

    def _on_window(self, window: Window) -> None:
        self._window = window
        self._ask()

    def _on_cell(self, place: int) -> None:
        self._choose(self._map.row_of(place))

    def _choose(self, token: int) -> None:
        self.place_chosen.emit(max(1, token))

    def _on_zoom(self, share: float) -> None:
        if share:
            self._map.zoom(share)
        else:
            self._map.show_all()

    def _on_shape(self, shape: str) -> None:
        self._shape = cast("Shape", shape)
        for name, frame in self._frames.items():
            frame.setVisible(name == shape)
        if shape == "scores":
            if self._choice.how == "one":
                self._ask_scores()
            else:
                self._bar.choose(replace(self._choice, how="one"))
        # Lines stand for single tokens, and for as many as can be told apart.
        if shape == "lines" and self._subject is not None and self._window is not None:
            top, left, rows, columns = self._window
            if max(rows, columns) > _MOST_LINES or top != left:
                self._window = self._first_window(self._subject)
                self._ask()
