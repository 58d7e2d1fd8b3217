"""Layers: what each would say next, how far it moves the stream, and which words it pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.layers_votes import LayerVotes
from desktop.views.inside.view import InsideView
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.legend import Legend
from desktop.widgets.charts.lens_grid import LensGrid
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.update_bars import UpdateBars
from desktop.widgets.controls import scrolled
from desktop.widgets.inputs import Segments
from inference.inside.questions import Array, AskLens, AskLensAlong, AskUpdates, Lens

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme

_TOP_N = 5
_ALONG = 8


class LayersView(InsideView):
    """Figures about the token before the chosen place: there the next one is decided."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_layers")
        self._subject: Subject | None = None
        self._asked: tuple[AskLens | AskLensAlong, AskUpdates] | None = None
        self._is_along = False
        self._first = 0
        self._shown = 1
        self._lens = LensTable(theme, "lens_table", self.tr("What each layer would say next"))
        self._grid = LensGrid(
            theme, "lens_grid", self.tr("What each layer would say, word by word")
        )
        self._updates = UpdateBars(theme, "update_bars", self.tr("What each block adds"))
        self._votes = LayerVotes(theme, self)
        self._votes.layer_chosen.connect(self._updates.set_chosen)
        self._updates.place_chosen.connect(
            lambda place: self._votes.choose(self._updates.layer_of(place))
        )
        self._lens_frame = FigureFrame(
            self._lens,
            theme,
            self.tr("What each layer would say next"),
            origin="derived",
            method=self.tr("logit lens"),
        )
        self._grid_frame = FigureFrame(
            self._grid,
            theme,
            self.tr("What each layer would say next"),
            origin="derived",
            method=self.tr("logit lens"),
        )
        self._grid_frame.hide()
        self._grid.place_chosen.connect(self._on_cell)
        modes = (("here", self.tr("At this place")), ("along", self.tr("Along the text")))
        self._mode = Segments(self.tr("Logit lens"), modes, theme, name="lens_mode")
        self._mode.set_value("here")
        self._mode.chosen.connect(self._on_mode)
        legend = Legend(
            theme,
            (
                ("blue", self.tr("added by attention")),
                ("gold", self.tr("added by the feed-forward part")),
                ("tick", self.tr("length of the stream after the block")),
            ),
        )
        self._updates_frame = FigureFrame(
            self._updates,
            theme,
            self.tr("What each block adds"),
            origin="measured",
            method=self.tr("lengths of vectors"),
            legend=legend,
        )
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(20)
        column.addWidget(self._mode)
        frames = (self._lens_frame, self._grid_frame, self._updates_frame, *self._votes.frames())
        for frame in frames:
            frame.said.connect(self.said)
            column.addWidget(frame)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "layers_scroll", self.tr("Layers")))

    def show_subject(self, subject: Subject) -> None:
        """Ask about the place."""
        if self._subject is not None and self._subject.model != subject.model:
            self._votes.forget_choice()
        self._subject = subject
        before = subject.ids_before
        lens: AskLens | AskLensAlong = AskLens(before, _TOP_N)
        if self._is_along:
            self._first = max(0, len(before) - _ALONG)
            lens = AskLensAlong(before, tuple(range(self._first, len(before))))
        self._asked = lens, AskUpdates(before)
        self._votes.forget_asked()
        for question in self._asked:
            self.asked.emit(question)
        here = self._here(subject)
        if here is not None:
            self._ask_votes(subject, here)

    @staticmethod
    def _here(subject: Subject) -> int | None:
        """Return the id of the token at the place, if the text goes that far."""
        return next((one.id for one in subject.tokens[subject.chosen :]), None)

    def _ask_votes(self, subject: Subject, token: int) -> None:
        for question in self._votes.questions(subject.ids_before, token):
            self.asked.emit(question)

    def _on_mode(self, mode: str) -> None:
        self._is_along = mode == "along"
        self._lens_frame.setVisible(not self._is_along)
        self._grid_frame.setVisible(self._is_along)
        if self._subject is not None:
            self.show_subject(self._subject)

    def _on_cell(self, cell: int) -> None:
        """Look at the place whose column was chosen."""
        self.place_chosen.emit(self._first + cell % self._shown + 1)

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figure that waits for this answer."""
        if self._asked is None or question not in self._asked:
            return self._votes.frames_of(question)
        if isinstance(question, AskUpdates):
            return (self._updates_frame,)
        return (self._grid_frame if isinstance(question, AskLensAlong) else self._lens_frame,)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        self._votes.take(question, finding)
        subject = self._subject
        if subject is None or self._asked is None or question not in self._asked:
            return
        if isinstance(finding, Lens) and isinstance(question, AskLensAlong):
            self._show_along(subject, finding, question.positions)
        elif isinstance(finding, Lens):
            self._lens.set_layers(finding.layers, self._here(subject))
            words = self.tr("The last norm and the output head, applied after each block.")
            self._lens_frame.set_sentence(f"{self._lens.sentence()} {words}")
        elif isinstance(finding, Array):
            at_place = finding.numbers()[:, :, -1]  # (L, 3)
            rows = tuple((float(a), float(b), float(c)) for a, b, c in at_place)
            self._updates.set_layers(rows)
            words = self.tr("The number is the length of the stream after the block.")
            self._updates_frame.set_sentence(f"{self._updates.sentence()} {words}")
        if isinstance(finding, Lens) and self._here(subject) is None:
            *_, last = finding.layers  # its leader is what comes next; along a text at the end
            leader = last[-1] if isinstance(question, AskLensAlong) else last[0]
            self._ask_votes(subject, leader.id)

    def _show_along(self, subject: Subject, found: Lens, places: tuple[int, ...]) -> None:
        tokens = subject.tokens
        read = tuple(tokens[place] for place in places)
        following = tuple(
            tokens[place + 1].id if place + 1 < len(tokens) else None for place in places
        )
        self._shown = len(places)
        self._grid.set_layers(found.layers, read, following)
        words = self.tr("Columns are the tokens read; framed is what does follow.")
        self._grid_frame.set_sentence(f"{self._grid.sentence()} {words}")
