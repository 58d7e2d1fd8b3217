"""Tokens: a text as the pieces that the model reads, with ids, bytes, and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.inside.tokens_built import HowBuilt, TokenCosts
from desktop.views.inside.tokens_elsewhere import Elsewhere
from desktop.views.inside.tokens_languages import LanguageCosts
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.controls import scrolled
from inference.tokenizing.orders import Built, CutText, Languages

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.theme import Theme
    from inference.tokenizing.orders import Told
    from inference.types import ModelInfo


class TokensView(InsideView):
    """The whole text in coloured pieces, how each was built, and what it costs here and elsewhere.

    Args:
        theme: The look at the start.
        models: Everything installed whose tokenizer can be read.
    """

    def __init__(self, theme: Theme, models: Callable[[], tuple[ModelInfo, ...]] = tuple) -> None:
        super().__init__(theme, "inside_tokens")
        self._text = TokenText(theme, "token_text", self.tr("The text in tokens"))
        self._text.place_chosen.connect(lambda place: self.place_chosen.emit(max(1, place)))
        self._frame = FigureFrame(
            self._text,
            theme,
            self.tr("The text in tokens"),
            origin="measured",
        )
        self._built = HowBuilt(theme)
        self._costs = TokenCosts(theme)
        self._languages = LanguageCosts(theme)
        self._elsewhere = Elsewhere(theme, models)
        for asking in (self._built, self._languages, self._elsewhere):
            asking.asked.connect(self.asked)
        for frame in (
            self._frame,
            self._built.frame,
            self._languages.frame,
            *self._costs.frames,
            *self._elsewhere.frames,
        ):
            frame.said.connect(self.said)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(24)
        for part in (self._frame, self._built, self._languages, self._costs, self._elsewhere):
            column.addWidget(part)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "tokens_scroll", self.tr("Tokens")))

    def show_subject(self, subject: Subject) -> None:
        """Show another text."""
        self._text.set_text(subject.tokens, subject.chosen)
        self._say_origin(subject)
        self._frame.set_sentence(f"{self._counts(subject)} {self._rest(subject)}".strip())
        self._costs.show_tokens(subject.tokens)
        self._elsewhere.show_text(subject.text)
        self._built.show_place(subject)
        self._languages.show_subject(subject)

    def show_place(self, subject: Subject) -> None:
        """Show another place of the same text."""
        self._text.set_text(subject.tokens, subject.chosen)
        self._built.show_place(subject)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show how a piece was built, what languages cost, or how others cut the text."""
        if isinstance(finding, Built):
            self._built.take(question, finding)
        elif isinstance(finding, Languages):
            self._languages.take(question, finding)
        elif isinstance(question, CutText):
            self._elsewhere.take(question, cast("tuple[Told, ...]", finding))

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Let it be asked again; the page says why it could not be told."""
        del problem
        self._languages.refuse(question)
        if isinstance(question, CutText):
            self._elsewhere.let_ask()

    def _say_origin(self, subject: Subject) -> None:
        anew = subject.reading == "cut anew"
        for frame in (self._frame, *self._costs.frames):
            if anew:
                frame.origin.set_origin("derived", self.tr("cut anew from the text"))
            else:
                frame.origin.set_origin("measured")

    def _rest(self, subject: Subject) -> str:
        """Say where the last token goes on behind the answer."""
        rest = subject.cut_off
        if not rest:
            return ""
        return self.tr(
            "The last token goes on with “{0}”: a stop text ended the answer in it."
        ).format(shown(rest))

    @staticmethod
    def _number(number: int, one: str, many: str) -> str:
        return one if number == 1 else many.format(formatting.count(number))

    def _counts(self, subject: Subject) -> str:
        """Say how many tokens and words there are."""
        tokens = subject.tokens
        special = sum(piece.special for piece in tokens)
        text = "".join(piece.text for piece in tokens if not piece.special)
        words = len(text.split())
        each = (len(tokens) - special) / words if words else 0.0
        return self.tr(
            "{0} ({1} of them special), {2}, {3}: {4} tokens a word. · is a space, ⏎ a new line."
        ).format(
            self._number(len(tokens), self.tr("1 token"), self.tr("{0} tokens")),
            formatting.count(special),
            self._number(words, self.tr("1 word"), self.tr("{0} words")),
            self._number(len(text.encode()), self.tr("1 byte"), self.tr("{0} bytes")),
            formatting.decimal(each, 2),
        )
