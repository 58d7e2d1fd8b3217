"""What a text costs in tokens by the language that it is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.plain_table import PlainTable, whole
from inference.tokenizing.orders import TellLanguages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.inside import Subject
    from desktop.widgets.theme import Theme
    from inference.tokenizing.orders import LanguageCost, Languages

_MOST_LANGUAGES: Final = 5


class LanguageCosts(QWidget):
    """Asks which languages a text holds, and shows what each costs.

    Signals:
        asked: A ``TellLanguages``.
    """

    asked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._question: TellLanguages | None = None
        heads = (
            self.tr("language"),
            self.tr("words"),
            self.tr("letters"),
            self.tr("tokens"),
            self.tr("a word"),
            self.tr("letters a token"),
        )
        written = (whole, whole, whole, two_digits, two_digits)
        title = self.tr("By language")
        self._table = PlainTable(theme, "token_languages", title, heads, written)
        self.frame = FigureFrame(
            self._table, theme, title, origin="derived", method=self.tr("guessed from letters")
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.frame)

    def show_subject(self, subject: Subject) -> None:
        """Ask about another text."""
        self._question = TellLanguages(subject.tokens, _said(subject))
        self._table.set_rows(())
        self._table.hide()
        self.frame.set_sentence(self.tr("Looking at which languages the text holds."))
        self.asked.emit(self._question)

    def take(self, question: object, found: Languages) -> None:
        """Show what each costs."""
        if question != self._question:
            return
        self._table.set_rows(tuple(map(_numbers, found.costs)))
        self._table.show()
        self.frame.set_sentence(self._words(found.costs))

    def refuse(self, question: object) -> None:
        """Leave the figure empty; the page says why."""
        if question == self._question:
            self.frame.set_sentence(self.tr("The languages were not told."))

    def _words(self, costs: tuple[LanguageCost, ...]) -> str:
        words = self.tr(
            "Guessed sentence by sentence from the letters, by py3langid. A sentence that is too "
            "short takes the language of the text around it, or counts as not told; code, "
            "numbers and signs are no words."
        )
        unspaced = [one.name for one in costs if one.language and one.words is None]
        if unspaced:
            words += " " + self.tr(
                "{0}: written without spaces, so that letters are counted and no words."
            ).format(", ".join(unspaced))
        return words


class LanguagesElsewhere:
    """How many tokens a word of each language takes with each tokenizer.

    Attributes:
        table: Its rows are those of the tokenizers; chosen together with them.
        frame: The table under its heading; hidden while there is nothing to compare.
    """

    def __init__(self, theme: Theme) -> None:
        title = self._tr("The same languages elsewhere")
        self.table = PlainTable(
            theme, "tokenizers_languages", title, (self._tr("tokenizer of"),), ()
        )
        self.frame = FigureFrame(
            self.table,
            theme,
            title,
            origin="derived",
            method=self._tr("guessed from letters"),
        )
        self.frame.hide()

    def show_rows(self, rows: Sequence[tuple[str, tuple[LanguageCost, ...]]], chosen: int) -> None:
        """Show the languages with most text, in bytes; each row has the same ones."""
        told = [one for one in rows[0][1] if one.language] if rows else []
        told = sorted(told, key=lambda one: -one.n_bytes)[:_MOST_LANGUAGES]
        heads = [
            (self._tr("{0}, a letter") if one.words is None else self._tr("{0}, a word")).format(
                one.name
            )
            for one in told
        ]
        self.table.set_heads((self._tr("tokenizer of"), *heads), (two_digits,) * len(told))
        self.table.set_rows(
            tuple(
                (name, tuple(_rate(costs, one.language) for one in told)) for name, costs in rows
            ),
            chosen,
        )
        self.frame.set_sentence(self._words(told))
        self.frame.setVisible(bool(told))

    def _words(self, told: Sequence[LanguageCost]) -> str:
        words = self._tr(
            "Tokens that a word takes, or a letter where a language is written without spaces. "
            "Compare within a column: the more tokens, the dearer the language for that tokenizer."
        )
        if len(told) == _MOST_LANGUAGES:
            words += " " + self._tr("At most {0} languages, those with most text.").format(
                _MOST_LANGUAGES
            )
        return words

    @staticmethod
    def _tr(words: str) -> str:
        return QCoreApplication.translate("LanguagesElsewhere", words)


def _rate(costs: Sequence[LanguageCost], language: str) -> float | None:
    """Return the tokens of a word or letter; none where no token begins in the language."""
    for one in costs:
        if one.language == language:
            return one.tokens / (one.words or one.characters or 1)
    return None


def two_digits(number: float) -> str:
    """Write a quotient."""
    return formatting.decimal(number, 2)


def _said(subject: Subject) -> tuple[str, ...]:
    """Return what was written in a chat; nothing for a text of one's own."""
    messages = subject.source.request.messages
    if messages is None:
        return ()
    return (*(message.content for message in messages), subject.source.answer)


def _numbers(cost: LanguageCost) -> tuple[str, tuple[float | None, ...]]:
    letters = cost.characters or None
    each = cost.tokens / cost.words if cost.words else None
    rate = cost.characters / cost.tokens if letters and cost.tokens else None
    return cost.name, (cost.words, letters, cost.tokens, each, rate)
