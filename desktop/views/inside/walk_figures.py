"""The figures of the walk-through, one for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.walk_pair import WalkPair
from desktop.views.inside.walk_thinking import WalkThinking
from desktop.views.inside.walk_words import WalkWords
from desktop.widgets import formatting
from desktop.widgets.charts.chance_bars import ChanceBars, Chances, chance_rows
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.legend import Legend
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.pieces import shown, spoken
from desktop.widgets.charts.share_bars import ShareBars, likeliest
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.charts.update_bars import UpdateBars
from desktop.widgets.charts.vector_rows import VectorRows
from desktop.widgets.controls import Button, label, tell
from inference.inside.questions import Array, Lens, NextTokens
from inference.inside.stages import Sorted

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.controllers.pairs import OtherHalf
    from desktop.inside import Result, Subject
    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.charts.origin import OriginKind
    from desktop.widgets.theme import Theme
    from inference.inside.questions import ScoredToken
    from inference.types import ModelInfo

_SHOWN: Final = 7
_LOOKS: Final = 6


class WalkFigures(QWidget):
    """Shows the figure of the open step.

    Args:
        theme: The look at the start.
        half_of: Finds the other half of a model's pair.

    Signals:
        said: A sentence for the person.
    """

    said = Signal(str)

    def __init__(self, theme: Theme, half_of: Callable[[ModelInfo], OtherHalf]) -> None:
        super().__init__()
        self._theme = theme
        self._subject: Subject | None = None
        self._pages: dict[str, QWidget] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._frames: dict[str, FigureFrame] = {}
        self._drawn: int | None = None
        self._next: NextTokens | None = None
        tr = self.tr
        self._words = WalkWords(theme)
        self._pieces = TokenText(theme, "walk_pieces", tr("The text in pieces"))
        self._placed = TokenText(theme, "walk_places", tr("The pieces with their places"))
        self._vectors = VectorRows(theme, "walk_vectors", tr("The first numbers of vectors"))
        self._looks = ShareBars(theme, "walk_looks", tr("Where the last piece looks"))
        self._updates = UpdateBars(theme, "walk_updates", tr("What each layer adds"))
        self._lens = LensTable(theme, "walk_lens", tr("What each layer would say"))
        self._scores = ShareBars(theme, "walk_scores", tr("From scores to chances"))
        self._choice = ChanceBars(theme, "walk_choice", tr("Choosing one word"))
        self._drawn_words = label("", theme, "body", "text2", wrap=True, name="walk_drawn")
        self._drawn_words.hide()
        self._again = label("", theme, "reading", wrap=True, name="walk_again")
        self.draw_button = Button(tr("Draw"), theme, name="walk_draw", icon_name="dices")
        self.append_button = Button(
            tr("Append it, and again"), theme, name="walk_append", icon_name="plus"
        )
        self._add("words", self._words)
        self._add("pieces", self._framed(self._pieces, tr("Your text in pieces")))
        self._add("vectors", self._framed(self._vectors, tr("The first numbers")))
        self._add("places", self._framed(self._placed, tr("Each piece has a place")))
        self._add(
            "attention",
            self._framed(
                self._looks, tr("Where the last piece looks"), "derived", tr("average of heads")
            ),
        )
        self._add("forward", self._updates_framed())
        self._add(
            "layers", self._framed(self._lens, tr("If it ended here"), "derived", tr("logit lens"))
        )
        self._add("scores", self._framed(self._scores, tr("Piece and score, then its chance")))
        self._add(
            "choice",
            self._stacked(self._choice_framed(), self.draw_button, self._drawn_words),
        )
        self._why_not = label("", theme, "small", "text3", wrap=True, name="walk_why_not")
        self._why_not.hide()
        head = label(tr("With its next piece"), theme, "heading")
        self._add("again", self._stacked(head, self._again, self.append_button, self._why_not))
        self.pair = WalkPair(theme, half_of)
        self.pair.said.connect(self.said)
        self._add("pair", self.pair)
        self.thinking = WalkThinking(theme)
        self._add("thinking", self.thinking)

    # --- built -----------------------------------------------------------------------------

    def _add(self, name: str, widget: QWidget) -> None:
        self._pages[name] = widget
        self._column.addWidget(widget)

    def _framed(
        self,
        figure: Figure,
        title: str,
        origin: OriginKind = "measured",
        method: str = "",
        legend: QWidget | None = None,
    ) -> QWidget:
        frame = FigureFrame(figure, self._theme, title, origin=origin, method=method, legend=legend)
        self._frames[figure.objectName()] = frame
        frame.said.connect(self.said)
        return self._stacked(frame)

    def _updates_framed(self) -> QWidget:
        legend = Legend(
            self._theme,
            (
                ("blue", self.tr("added by attention")),
                ("gold", self.tr("added by the feed-forward part")),
                ("tick", self.tr("length of the vector after it")),
            ),
        )
        framed = self._framed(self._updates, self.tr("What each layer adds"), legend=legend)
        self._frames["walk_updates"].set_sentence(
            self.tr("The number is the length of the vector after the layer.")
        )
        return framed

    def _choice_framed(self) -> QWidget:
        legend = Legend(
            self._theme,
            (
                ("outline", self.tr("the model's own chance")),
                ("blue", self.tr("after your settings")),
            ),
        )
        return self._framed(
            self._choice,
            self.tr("What may be drawn"),
            method=self.tr("bars after settings derived"),
            legend=legend,
        )

    def _stacked(self, *widgets: QWidget) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            if isinstance(widget, Button):
                column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
            else:
                column.addWidget(widget)
        column.addStretch(1)
        return box

    # --- shown -----------------------------------------------------------------------------

    def open(self, step_id: str) -> None:
        """Show the figure of a step."""
        for name, page in self._pages.items():
            page.setVisible(name == step_id)
        if step_id == "pair" and self._subject is not None:
            self.pair.show_subject(self._subject)

    def set_subject(self, subject: Subject) -> None:
        """Show another text."""
        self._subject = subject
        self._drawn = None
        self._drawn_words.hide()
        before = subject.tokens[: subject.chosen]
        self._words.show_subject(subject)
        self._pieces.set_text(before, -1)
        self._placed.set_text(before, -1)
        self._placed.show_places()

    def show_finding(self, step_id: str, finding: Result) -> None:
        """Show what was found for a step."""
        if isinstance(finding, Array):
            self._show_array(step_id, finding)
        elif isinstance(finding, Lens):
            self._lens.set_layers(finding.layers, None)
        elif isinstance(finding, NextTokens):
            self._show_next(step_id, finding)

    def _show_array(self, step_id: str, finding: Array) -> None:
        subject, numbers = self._subject, finding.numbers()
        if subject is None:
            return
        before = subject.tokens[: subject.chosen]
        if step_id == "vectors":
            self._vectors.set_vectors(before[-len(numbers) :], numbers)
        elif step_id == "attention":
            row = numbers[0]
            best = np.argsort(-row)[:_LOOKS]
            self._looks.set_rows(tuple((before[int(n)], float(row[n])) for n in best))
        elif step_id == "forward":
            self._updates.set_layers(
                tuple((float(a), float(b), float(c)) for a, b, c in numbers[:, :, -1])
            )

    def _show_next(self, step_id: str, finding: NextTokens) -> None:
        top = finding.top[:_SHOWN]
        if step_id == "scores":
            self._scores.set_rows(
                likeliest(top, _SHOWN),
                tuple(formatting.decimal(one.logit, 1) for one in top),
            )
            self._say_rest(finding, sum(one.chance for one in top))
        elif step_id == "choice":
            self._show_choice(finding)
        elif step_id == "again":
            self._show_again(finding)
        else:
            self.pair.show_next(finding)

    def _show_again(self, finding: NextTokens) -> None:
        if self._subject is None:
            return
        piece = self.piece_to_append(finding)
        shown_piece = shown(piece) if piece.special or piece.raw else piece.text
        self._again.setText(f"{self._subject.going_on}{shown_piece}")
        reason = ""
        if piece.special:
            reason = self.tr("This piece is a mark, not a word: the text ends here.")
        elif piece.raw:
            reason = self.tr("This piece is a part of a letter and cannot stand in a text alone.")
        self.append_button.set_reason(reason)
        tell(self._why_not, reason)

    def _say_rest(self, finding: NextTokens, shown_share: float) -> None:
        subject = self._subject
        if subject is None:
            return
        going_on = formatting.tail(subject.going_on)
        where = self.tr("“{0} ___”").format(going_on) if going_on else self.tr("The answer begins.")
        rest = self.tr("{0} further pieces share the remaining {1}.").format(
            formatting.count(max(0, subject.loaded.n_vocab - len(finding.top[:_SHOWN]))),
            formatting.chance(max(0.0, 1.0 - shown_share)),
        )
        self._frames["walk_scores"].set_sentence(f"{where} {rest}")

    def _show_choice(self, finding: NextTokens) -> None:
        subject = self._subject
        if subject is None:
            return
        ordered = Sorted.found_in(finding)
        stages = ordered.stages(subject.source.request.sampling)
        rows = chance_rows(stages, finding.top, _SHOWN + 3, self._drawn)
        self._choice.set_chances(Chances(rows))
        self._next = finding

    def show_drawn(self, token_id: int) -> None:
        """Tick the piece that was drawn."""
        self._drawn = token_id
        if self._next is None:
            return
        self._show_choice(self._next)
        words = self.tr("Drawn: “{0}”").format(spoken(self.piece_to_append(self._next)))
        self._drawn_words.setText(words)
        self._drawn_words.show()
        self.draw_button.setAccessibleDescription(words)

    def piece_to_append(self, finding: NextTokens) -> ScoredToken:
        """Return the piece that was drawn, or the likeliest one."""
        return next((one for one in finding.top if one.id == self._drawn), finding.top[0])
