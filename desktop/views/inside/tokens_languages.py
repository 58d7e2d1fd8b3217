"""What a text costs in tokens by the language that it is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.plain_table import PlainTable, whole
from inference.tokenizing.orders import TellLanguages

if TYPE_CHECKING:
    from desktop.inside import Subject
    from desktop.widgets.theme import Theme
    from inference.tokenizing.orders import LanguageCost, Languages


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
            "short takes the language of the text around it, or counts as not told."
        )
        unspaced = [one.name for one in costs if one.language and one.words is None]
        if unspaced:
            words += " " + self.tr(
                "{0}: written without spaces, so that letters are counted and no words."
            ).format(", ".join(unspaced))
        return words


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
