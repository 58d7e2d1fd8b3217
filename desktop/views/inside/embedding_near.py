"""Neighbours of the chosen token, or of a sum of words, by a search through the model's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.views.inside.word_pieces import both_ways, cut
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import Button, label
from inference.inside.questions import AskNeighbours, AskSum, Neighbours, Term
from inference.inside.word_forms import better, terms

if TYPE_CHECKING:
    from desktop.inside import Inquiry, ReadWords, Result, Subject, Words
    from desktop.widgets.theme import Theme

_SHOWN: Final = 12


def two_digits(number: float) -> str:
    """Write a cosine."""
    return formatting.decimal(number, 2)


class NearSection(QWidget):
    """A field for words, what the model makes of them, and what is nearest.

    Signals:
        asked: An ``Inquiry``.
        said: A sentence for the person.
        words_found: Token ids of each word asked with and of each neighbour, and how many of them
            were asked with.
    """

    asked = Signal(object)
    said = Signal(str)
    words_found = Signal(object, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("embedding_near")
        self._signs: tuple[int, ...] = ()
        self._asked_with: tuple[tuple[int, ...], ...] = ()
        self._asked: AskNeighbours | AskSum | None = None
        self._words: ReadWords | None = None
        self._field = QLineEdit()
        self._field.setObjectName("embedding_words")
        self._field.setAccessibleName(self.tr("Words to add and subtract"))
        self._field.setPlaceholderText(self.tr("king - man + woman"))
        self._field.returnPressed.connect(self._on_words)
        look = Button(self.tr("Find neighbours"), theme, name="embedding_look")
        look.clicked.connect(self._on_words)
        self._told = label("", theme, "small", "text2", wrap=True, name="embedding_told")
        self._left_out = label("", theme, "small", "text2", wrap=True, name="embedding_left_out")
        title = self.tr("Nearest neighbours")
        self._near = ShareBars(theme, "neighbours", title, two_digits, full=1.0, unit="cosine")
        self._frame = FigureFrame(
            self._near,
            theme,
            title,
            self.tr("Tokens whose vectors point the same way; a cosine of 1 is the same one."),
            origin="measured",
        )
        self._frame.said.connect(self.said)
        row = QHBoxLayout()
        row.addWidget(self._field, 1)
        row.addWidget(look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self._told)
        column.addWidget(self._frame)
        column.addWidget(self._left_out)

    def show_subject(self, subject: Subject) -> None:
        """Show the neighbours of the chosen token."""
        piece = subject.tokens[min(subject.chosen, len(subject.tokens) - 1)]
        self._told.setText(self.tr("Now: “{0}” of the text.").format(shown(piece)))
        self._asked_with = ((piece.id,),)
        self._ask(AskNeighbours((piece.id,), top_n=_SHOWN))

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figure, where it waits for this answer."""
        return (self._frame,) if question == self._asked else ()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if question == self._words and isinstance(finding, tuple):
            self._on_pieces(finding)  # type: ignore[arg-type]  # words were asked for
        elif question == self._asked and isinstance(finding, Neighbours):
            self._on_neighbours(finding)

    def _ask(self, question: AskNeighbours | AskSum) -> None:
        self._asked = question
        self.asked.emit(question)

    def _on_words(self) -> None:
        found = terms(self._field.text().strip() or self._field.placeholderText())
        if not any(sign > 0 for sign, _ in found):
            self._told.setText(self.tr("Write at least one word that is added."))
            return
        self._signs = tuple(sign for sign, _ in found)
        self._words = both_ways([word for _, word in found])
        self.asked.emit(self._words)

    def _on_pieces(self, found: Words) -> None:
        """Look for neighbours of the words."""
        words = better(found)
        self._asked_with = tuple(tuple(piece.id for piece in word) for word in words)
        told = "  ".join(
            ("- " if sign < 0 else "+ ") + cut(word)
            for sign, word in zip(self._signs, words, strict=True)
        )
        sentence = self.tr("As this model has them: {0}").format(told)
        broken = [cut(word) for word in words if len(word) > 1]
        if broken:
            sentence += ". " + self.tr(
                "{0}: cut up by this model, so the mean of its pieces counts, which is no vector "
                "that the model has."
            ).format(", ".join(broken))
        self._told.setText(sentence)
        made = zip(self._asked_with, self._signs, strict=True)
        self._ask(AskSum(tuple(Term(ids, sign) for ids, sign in made), _SHOWN))

    def _on_neighbours(self, finding: Neighbours) -> None:
        self._near.set_rows(tuple((one, one.cosine) for one in finding.found))
        is_sum = finding.origin == "derived"
        method = self.tr("sum of words") if is_sum else ""
        self._frame.origin.set_origin(finding.origin, method)
        scores = ", ".join(f"{shown(one)} {two_digits(one.cosine)}" for one in finding.left_out)
        words = self.tr(
            "Left out, because words asked with are often nearest to their own sum: {0}."
        )
        self._left_out.setText(words.format(scores))
        self._left_out.setVisible(is_sum)
        near = tuple((one.id,) for one in finding.found)
        self.words_found.emit((*self._asked_with, *near), len(self._asked_with))
