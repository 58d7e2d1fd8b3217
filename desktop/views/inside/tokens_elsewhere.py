"""One text through the tokenizers of the installed models, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.views.inside.tokens_languages import LanguagesElsewhere, two_digits
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.plain_table import PlainTable, whole
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.controls import Button, label
from inference.tokenizing.orders import Cut, CutText

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.widgets.charts.plain_table import PlainRow
    from desktop.widgets.theme import Theme
    from inference.tokenizing.orders import Told
    from inference.types import ModelInfo

    Row = tuple[str, Cut, int]


class Elsewhere(QWidget):
    """Counts when asked to; models whose tokens are the same share a row.

    Args:
        theme: The look at the start.
        models: Everything installed that can be read.

    Signals:
        asked: A ``CutText``.
    """

    asked = Signal(object)

    def __init__(self, theme: Theme, models: Callable[[], tuple[ModelInfo, ...]]) -> None:
        super().__init__()
        self._installed = models
        self._models: tuple[ModelInfo, ...] = ()
        self._text = ""
        self._question: CutText | None = None
        self._rows: list[Row] = []
        title = self.tr("The same text elsewhere")
        heads = (
            self.tr("tokenizer of"),
            self.tr("tokens"),
            self.tr("a word"),
            self.tr("letters a token"),
            self.tr("of its context"),
        )
        written = (whole, two_digits, two_digits, formatting.chance)
        self._table = PlainTable(theme, "tokenizers_table", title, heads, written)
        self._table.place_chosen.connect(self._choose)
        self._languages = LanguagesElsewhere(theme)
        self._languages.table.place_chosen.connect(self._choose)
        self._pieces = TokenText(theme, "tokenizers_text", self.tr("The text in its tokens"))
        self.frames = (
            FigureFrame(self._table, theme, title, origin="measured"),
            self._languages.frame,
            FigureFrame(self._pieces, theme, self.tr("In its tokens"), origin="measured"),
        )
        self._run = Button(
            self.tr("Count with every installed tokenizer"), theme, name="tokenizers_run"
        )
        self._run.clicked.connect(self._ask)
        self._told = label("", theme, "small", "text3", wrap=True, name="tokenizers_told")
        row = QHBoxLayout()
        row.addWidget(self._run)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self.frames[0])
        column.addLayout(row)
        column.addWidget(self._told)
        column.addWidget(self.frames[1])
        column.addWidget(self.frames[2])
        self._clear()

    def show_text(self, text: str) -> None:
        """Take another text; what was asked about this one and not told yet is given up."""
        if text != self._text or not self._rows:
            self._text = text
            self._clear()

    def take(self, question: object, found: tuple[Told, ...]) -> None:
        """Show the counts."""
        if question != self._question:
            return
        self._rows, problems = _merged(self._models, found)
        self._told.setText(" ".join(problems))
        self._told.setVisible(bool(problems))
        self._table.show()
        self._run.hide()
        self._choose(0)

    def let_ask(self) -> None:
        """Offer the button again: nothing came of it."""
        self._run.setEnabled(True)

    def _clear(self) -> None:
        self._question, self._rows = None, []
        self._table.set_rows(())
        self._table.hide()
        self._told.hide()
        self._languages.show_rows((), -1)
        self.frames[2].hide()
        self._run.show()
        self._run.setEnabled(True)
        words = self.tr(
            "Each model brings a tokenizer of its own, and the same text costs more or fewer "
            "tokens. Only the tokenizers are read, not the models."
        )
        self.frames[0].set_sentence(words)

    def _ask(self) -> None:
        self._models = self._installed()
        self._question = CutText(
            tuple(model.path for model in self._models), self._text, languages=True
        )
        self._run.setEnabled(False)
        self.asked.emit(self._question)

    def _choose(self, place: int) -> None:
        if not self._rows:
            return
        words = max(1, len(self._text.split()))
        self._table.set_rows(
            tuple(_numbers(row, len(self._text), words) for row in self._rows), place
        )
        told = [(name, cut.languages) for name, cut, _context in self._rows]
        self._languages.show_rows(told, place)
        name, cut, _context = self._rows[place]
        self._pieces.set_text(cut.tokens, -1)
        self.frames[2].set_sentence(name)
        self.frames[2].show()


def _numbers(row: Row, letters: int, words: int) -> PlainRow:
    name, cut, context = row
    count = len(cut.tokens)
    return name, (
        count,
        count / words,
        letters / count if count else None,
        count / context if context else None,
    )


def _merged(models: tuple[ModelInfo, ...], found: tuple[Told, ...]) -> tuple[list[Row], list[str]]:
    """Return a row for each way of cutting, fewest tokens first, and sentences of trouble."""
    rows: dict[object, Row] = {}
    problems: list[str] = []
    for model, told in zip(models, found, strict=True):
        if not isinstance(told, Cut):
            problems.append(f"{model.name}: {getattr(told, 'message', '')}")
            continue
        key = (tuple((piece.id, piece.text) for piece in told.tokens), told.n_vocab)
        known = rows.get(key)
        if known is None:
            rows[key] = (model.name, told, model.n_ctx_train)
        elif model.name not in known[0].split(", "):
            rows[key] = (f"{known[0]}, {model.name}", told, max(known[2], model.n_ctx_train))
    return sorted(rows.values(), key=lambda row: (len(row[1].tokens), row[0])), problems
