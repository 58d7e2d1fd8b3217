"""How its context turns the chosen token's vector, layer by layer, in one text or in two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.inside import ReadText
from desktop.views.inside.embedding_near import two_digits
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.layer_lines import LayerLine, LayerLines
from desktop.widgets.charts.legend import Legend
from desktop.widgets.charts.pieces import shown
from desktop.widgets.controls import Button, label
from inference.inside.questions import Array, AskContext

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_MARKS: Final = ("line blue", "dash gold", "line accent", "dot slate")
_AROUND: Final = 8


class ContextSection(QWidget):
    """The chosen token where it stands, and, where a person writes one, in a second text.

    Signals:
        asked: An ``Inquiry``.
        said: A sentence for the person.
    """

    asked = Signal(object)
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("embedding_context")
        self._subject: Subject | None = None
        self._place = 0
        self._read: ReadText | None = None
        self._other: tuple[TokenPiece, ...] = ()
        self._asked: AskContext | None = None
        self._field = QLineEdit()
        self._field.setObjectName("context_other")
        self._field.setAccessibleName(self.tr("Another text with the same word"))
        self._field.returnPressed.connect(self._on_text)
        look = Button(self.tr("Compare"), theme, name="context_compare")
        look.clicked.connect(self._on_text)
        self._told = label("", theme, "small", "text2", wrap=True, name="context_told")
        self._lines = LayerLines(theme, "context_lines", self.tr("How the context turns it"))
        self._legend = Legend(theme, ((_MARKS[0], self.tr("here, with its start")),))
        self._frame = FigureFrame(
            self._lines,
            theme,
            self.tr("How the context turns the chosen token"),
            origin="derived",
            method=self.tr("cosine"),
            legend=self._legend,
        )
        self._frame.said.connect(self.said)
        row = QHBoxLayout()
        row.addWidget(self._field, 1)
        row.addWidget(look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._frame)
        column.addLayout(row)
        column.addWidget(self._told)

    def show_subject(self, subject: Subject) -> None:
        """Show the chosen token; a second text stays, as far as it has that token."""
        self._subject = subject
        self._place = min(subject.chosen, len(subject.tokens) - 1)
        word = shown(subject.tokens[self._place])
        self._field.setPlaceholderText(self.tr("Another sentence with “{0}” in it").format(word))
        if self._field.text().strip():
            self._on_text()
        else:
            self._ask()

    def frames_of(self, question: Inquiry) -> tuple[FigureFrame, ...]:
        """Return the figure, where it waits for this answer."""
        return (self._frame,) if question == self._asked else ()

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found."""
        if question == self._read and isinstance(finding, tuple):
            self._on_pieces(finding)  # type: ignore[arg-type]  # texts were asked for
        elif question == self._asked and isinstance(finding, Array):
            self._show(tuple(tuple(map(float, row)) for row in finding.numbers()))

    def _on_text(self) -> None:
        text = self._field.text().strip()
        if not text:
            self._ask()
            return
        # With the space the first word is the same token as within the text.
        self._read = ReadText((f" {text}", text))
        self.asked.emit(self._read)

    def _on_pieces(self, forms: tuple[tuple[TokenPiece, ...], ...]) -> None:
        """Ask for both texts, if the token stands in the second one too."""
        if self._subject is None:
            return
        here = self._subject.tokens[self._place]
        for pieces in forms:
            places = [n for n, piece in enumerate(pieces) if piece.id == here.id]
            if places:
                self._ask(pieces, places[-1])
                return
        self._ask()
        self._told.setText(
            self.tr(
                "“{0}” does not stand in that text as one token: {1}. Write a sentence with it, "
                "spelled the same way."
            ).format(shown(here), " ".join(shown(piece) for piece in forms[-1]))
        )

    def _ask(self, other: tuple[TokenPiece, ...] = (), place: int = 0) -> None:
        subject = self._subject
        if subject is None:
            return
        self._other = other
        ids = subject.ids[: self._place + 1]
        self._asked = AskContext(ids, self._place, tuple(one.id for one in other), place)
        here = self._around(subject.tokens, self._place)
        words = self.tr("Here: {0}").format(here)
        if other:
            words += "\n" + self.tr("There: {0}").format(self._around(other, place))
        self._told.setText(words)
        self.asked.emit(self._asked)

    def _around(self, pieces: tuple[TokenPiece, ...], place: int) -> str:
        """Return the words that a token has seen, the nearest ones."""
        first = max(0, place - _AROUND)
        before = "".join(piece.text for piece in pieces[first:place] if not piece.special)
        dots = "…" if first else ""
        word = pieces[place].text
        space = " " if word[:1] == " " else ""
        return f"{dots}{before}{space}[{word.strip()}]".strip()

    def _show(self, rows: tuple[tuple[float, ...], ...]) -> None:
        names = (
            self.tr("here, with its start"),
            self.tr("there, with its start"),
            self.tr("here with there"),
            self.tr("any two tokens"),
        )
        # What any two tokens have in a layer says something beside two contexts only.
        shown = rows if len(rows) == len(names) else rows[:1]
        lines = tuple(
            LayerLine(name, row, style)
            for style, (name, row) in enumerate(zip(names, shown, strict=False))
            if not math.isnan(row[0])  # texts of one token have no pairs
        )
        self._legend.set_entries(tuple((_MARKS[line.style], line.name) for line in lines))
        self._lines.set_lines(lines, self._sentence(rows))
        self._frame.set_sentence(self._lines.sentence())

    def _sentence(self, rows: tuple[tuple[float, ...], ...]) -> str:
        last = len(rows[0]) - 1
        if len(rows) < 4:
            return self.tr(
                "After layer {0} its vector has a cosine of {1} with the one it started as."
            ).format(last, two_digits(rows[0][-1]))
        words = self.tr(
            "The same token in two contexts: cosine {0} at the start, {1} after layer {2}."
        ).format(two_digits(rows[2][0]), two_digits(rows[2][-1]), last)
        any_two = rows[3][-1]
        if math.isnan(any_two):
            return words
        return f"{words} " + self.tr(
            "Any two different tokens have {0} by then: what lies above that belongs to the word."
        ).format(two_digits(any_two))
