"""Which parts voted for the word at a place, and the words that one layer pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from PySide6.QtCore import QObject, Signal

from desktop.widgets.charts.colour_scale import ColourScale
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.part_names import layer_words
from desktop.widgets.charts.push_lists import PushLists
from desktop.widgets.charts.vote_bars import VoteBars
from inference.inside.pushes import AskPushes, AskVotes, Pushes, Votes

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result
    from desktop.widgets.theme import Theme

VoteQuestions: TypeAlias = tuple[AskVotes, AskPushes]

_TOP_N: Final = 8


class LayerVotes(QObject):
    """Two figures: every part's vote for one word, and the lists of the layer that was chosen.

    The engine is asked about all layers at once: a GGUF file unpacks its output head for each
    question, and a click has its answer at once.

    Signals:
        layer_chosen: The layer whose lists are shown, from 0; -1 = what belongs to none.
    """

    layer_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._asked: VoteQuestions | None = None
        self._pushes: Pushes | None = None
        self._layer: int | None = None
        self._is_own_choice = False
        self.bars = VoteBars(theme, "vote_bars", self.tr("Who voted for this word"))
        self.lists = PushLists(theme, "push_lists", self.tr("What one layer makes likelier"))
        self.bars.place_chosen.connect(lambda place: self.choose(self.bars.layer_of(place)))
        method = self.tr("direct logit attribution")
        self.bars_frame = FigureFrame(
            self.bars,
            theme,
            self.tr("Who voted for this word"),
            origin="derived",
            method=method,
            legend=ColourScale(
                theme,
                self.tr("against"),
                self.tr("for the word"),
                self.tr("Colours from against the word to for it"),
                diverging=True,
            ),
        )
        self.lists_frame = FigureFrame(
            self.lists,
            theme,
            self.tr("What one layer makes likelier"),
            origin="derived",
            method=method,
        )

    def frames(self) -> tuple[FigureFrame, ...]:
        """Return both, from the top."""
        return self.bars_frame, self.lists_frame

    def questions(self, before: tuple[int, ...], token: int) -> VoteQuestions:
        """Return what is to be asked about the word that follows some tokens."""
        asked = AskVotes(before, token), AskPushes(before, top_n=_TOP_N)
        if self._asked is None or asked[1] != self._asked[1]:
            self._pushes = None  # a click must not show lists of another place
        self._asked = asked
        return asked

    def forget_asked(self) -> None:
        """Wait for no answer: another place is looked at, and its word is not known yet."""
        self._asked = None

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figure that waits for this answer."""
        if self._asked is None or question not in self._asked:
            return ()
        return (self.bars_frame if isinstance(question, AskVotes) else self.lists_frame,)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if self._asked is None or question not in self._asked:
            return
        if isinstance(finding, Votes):
            self.bars.set_votes(finding)
            words = self.tr(
                "Each part's addition is put through the last norm, its scale held as it is here, "
                "and the output head: together the bars are the whole lead."
            )
            if finding.cap:
                words += " " + self.tr("The model presses its scores softly after that.")
            self.bars_frame.set_sentence(f"{self.bars.sentence()} {words}")
            strongest = self.bars.strongest()
            if not self._is_own_choice and strongest is not None:
                self._show_layer(strongest)
        elif isinstance(finding, Pushes):
            self._pushes = finding
            if self._layer is not None:
                self._show_layer(self._layer)

    def choose(self, layer: int) -> None:
        """Show the lists of a layer, from 0, from now on."""
        self._is_own_choice = True
        self._show_layer(layer)

    def forget_choice(self) -> None:
        """Choose for the person again: the model is another one."""
        self._is_own_choice, self._layer, self._pushes = False, None, None

    def _show_layer(self, layer: int) -> None:
        self._layer = layer
        self.bars.set_chosen(layer)
        self.layer_chosen.emit(layer)
        if self._pushes is None:
            return
        self.lists.set_parts(tuple(part for part in self._pushes.parts if part.layer == layer))
        which = layer_words(layer) if layer >= 0 else self.tr("what belongs to no layer")
        words = self.tr(
            "Shown: {0}. Choose another in the two figures above. Numbers say how far a part alone "
            "lifts a token's score above the mean of all tokens."
        )
        self.lists_frame.set_sentence(f"{words.format(which)} {self.lists.sentence()}")
