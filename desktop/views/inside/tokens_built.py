"""Below the tokens: how the chosen piece was built, what words and kinds of writing cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.merge_steps import MergeSteps
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.plain_table import PlainTable, whole
from desktop.widgets.controls import label
from inference.tokenizing.counts import by_kind, costliest
from inference.tokenizing.orders import BuildTokens

if TYPE_CHECKING:
    from desktop.inside import Subject
    from desktop.widgets.theme import Theme
    from inference.tokenizing.merges import BuiltToken, How
    from inference.tokenizing.orders import Built
    from inference.types import TokenPiece

_MOST_WORDS: Final = 8


class HowBuilt(QWidget):
    """The merges of the token looked at.

    Signals:
        asked: A ``BuildTokens``.
    """

    asked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._piece: TokenPiece | None = None
        self._question: BuildTokens | None = None
        self._steps = MergeSteps(theme, "merge_steps", self.tr("How this piece was built"))
        self.frame = FigureFrame(
            self._steps, theme, self.tr("How this piece was built"), origin="measured"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.frame)

    def show_place(self, subject: Subject) -> None:
        """Ask about the token at the place; the place behind the text has none."""
        tokens, at = subject.tokens, subject.chosen
        self._piece = tokens[at] if at < len(tokens) else tokens[-1]
        self._question = BuildTokens(subject.model.path, (self._piece.id,))
        self.asked.emit(self._question)

    def take(self, question: object, found: Built) -> None:
        """Show the steps."""
        if question != self._question or self._piece is None:
            return
        (token,) = found.tokens
        self._steps.set_token(token if token.how == "merged" else None)
        self._steps.setVisible(token.how == "merged")
        self.frame.set_sentence(self._words(self._piece, token, found))

    def _words(self, piece: TokenPiece, token: BuiltToken, found: Built) -> str:
        name = shown(piece)
        if token.how == "merged":
            words = self.tr(
                "“{0}” out of {1} symbols: the pair that comes first in the tokenizer's list is "
                "joined, then the next, until none is left."
            ).format(name, len(token.start))
            if not found.n_merges:
                words = self.tr(
                    "“{0}” out of {1} symbols: the pair that makes the token of highest score is "
                    "joined, then the next, until none is left."
                ).format(name, len(token.start))
            if found.whole_first:
                words += " " + self.tr("Where a whole word is a token, it is taken at once.")
        else:
            words = self._how(token.how).format(name)
            if found.method == "Unigram" and token.score is not None:
                score = formatting.decimal(token.score, 2)
                words += " " + self.tr("Its score, the log of its chance, is {0}.").format(score)
        merges = self.tr(", {0} merges").format(formatting.count(found.n_merges))
        return f"{words} {found.method}{merges if found.n_merges else ''}."

    def _how(self, how: How) -> str:
        return {
            "single": self.tr("“{0}” is a symbol of the vocabulary; nothing was joined."),
            "byte": self.tr("“{0}” is one byte: the vocabulary lacks the letter it is part of."),
            "added": self.tr("“{0}” is an added token: cut out of the text before any joining."),
            "whole": self.tr("“{0}” was taken whole from the vocabulary; no merges make it."),
        }.get(how, self.tr("“{0}” is in the vocabulary; this kind of tokenizer joins nothing."))


class TokenCosts(QWidget):
    """What the text costs, by the kind of writing and by word."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        kind, word = self.tr("by kind of writing"), self.tr("words that cost most")
        tokens = self.tr("tokens")
        share, times = self.tr("share"), self.tr("times")
        counts, shares = (whole, whole), (whole, formatting.chance)
        self._kinds = PlainTable(theme, "token_kinds", kind, (kind, tokens, share), shares)
        self._words = PlainTable(theme, "token_words", word, (word, tokens, times), counts)
        self.frames = tuple(
            FigureFrame(figure, theme, title, words, origin="measured")
            for figure, title, words in (
                (
                    self._kinds,
                    self.tr("By writing"),
                    self.tr(
                        "The script of each token's first letter, or of the letter it is part of."
                    ),
                ),
                (
                    self._words,
                    self.tr("Costly words"),
                    self.tr("Words of several tokens. Rare words and names are cut into more."),
                ),
            )
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(32)
        self._none = label(
            self.tr("Every word is one token."), theme, "small", "text3", name="token_words_none"
        )
        for frame, below in zip(self.frames, (None, self._none), strict=True):
            column = QVBoxLayout()
            column.addWidget(frame)
            if below is not None:
                column.addWidget(below)
            column.addStretch(1)
            row.addLayout(column, 1)

    def show_tokens(self, tokens: tuple[TokenPiece, ...]) -> None:
        """Count another text."""
        total = max(1, len(tokens))
        self._kinds.set_rows(tuple((kind, (n, n / total)) for kind, n in by_kind(tokens)))
        costs = costliest(tokens, _MOST_WORDS)
        self._words.set_rows(tuple((cost.word, (cost.tokens, cost.times)) for cost in costs))
        self._words.setVisible(bool(costs))
        self._none.setVisible(not costs)
