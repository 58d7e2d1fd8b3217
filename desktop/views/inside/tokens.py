"""Tokens: a text as the pieces that the model reads, with ids, bytes, and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.controls import scrolled

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme


class TokensView(InsideView):
    """The whole text in coloured pieces."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_tokens")
        self._text = TokenText(theme, "token_text", self.tr("The text in tokens"))
        self._text.place_chosen.connect(lambda place: self.place_chosen.emit(max(1, place)))
        self._frame = FigureFrame(
            self._text,
            theme,
            self.tr("The text in tokens"),
            origin="measured",
        )
        self._frame.said.connect(self.said)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.addWidget(self._frame)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "tokens_scroll", self.tr("Tokens")))

    def show_subject(self, subject: Subject) -> None:
        """Show another text."""
        self._text.set_text(subject.tokens, subject.chosen)
        self._frame.set_sentence(self._counts(subject))

    def take(self, question: Inquiry, finding: Result) -> None:
        """Nothing is asked here."""

    def _counts(self, subject: Subject) -> str:
        """Say how many tokens and words there are."""
        tokens = subject.tokens
        special = sum(piece.special for piece in tokens)
        text = "".join(piece.text for piece in tokens if not piece.special)
        words = len(text.split())
        each = (len(tokens) - special) / words if words else 0.0
        return self.tr(
            "{0} tokens ({1} of them special), {2} words, {3} bytes: {4} tokens a word. "
            "· is a space, ⏎ a new line."
        ).format(
            formatting.count(len(tokens)),
            formatting.count(special),
            formatting.count(words),
            formatting.count(len(text.encode())),
            formatting.decimal(each, 2),
        )
