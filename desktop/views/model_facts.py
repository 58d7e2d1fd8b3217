"""Facts of one model from its files: a grid, its kind to correct, and its weights by type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QDateTime, QLocale, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import label
from desktop.widgets.inputs import Combo
from desktop.widgets.model_delegate import kind_word, kind_words

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.controllers.model_care import ModelFacts
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo, ModelKind

_WIDE: Final = 620
_KINDS: Final[tuple[ModelKind, ...]] = ("instruct", "base", "thinking", "embedding")


class ModelFactGrid(QWidget):
    """Names over values, four or two beside each other.

    Args:
        theme: Fonts.

    Signals:
        kind_chosen: A ``ModelKind``, or ``None`` for the one that was found.
    """

    kind_chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._values: dict[str, QLabel] = {}
        self._cells: list[tuple[QWidget, QWidget]] = []
        self._columns = 0
        self._info: ModelInfo | None = None
        self._facts: ModelFacts | None = None
        self.setObjectName("model_facts")
        self.setAccessibleName(self.tr("Facts"))
        self._kind = Combo(self.tr("Kind of model"), theme, name="fact_kind")
        self._kind.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self._kind.activated.connect(self._on_kind)
        self._types = label("", theme, "small", "text3", wrap=True, name="fact_types")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(2)
        self._make_cells()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(self.tr("Facts from the files"), theme, "heading"))
        column.addLayout(self._grid)
        column.addWidget(self._types)
        self._arrange(4)

    def show_model(self, model: InstalledModel) -> None:
        """Show what the list knows of it."""
        info = model.info
        if self._info is None or self._info != info:
            self._types.setText("")
            self._types.hide()
            self._facts = None
        self._info = info
        for name, words in self._words(model).items():
            self._values[name].setText(words)
        self._show_kinds(model)
        if self._facts is not None:
            self.show_facts(self._facts)

    def show_facts(self, facts: ModelFacts) -> None:
        """Show what was read from its files by and by."""
        self._facts = facts
        details = facts.details
        shares = [
            self.tr("{0}: {1} tensors, {2}").format(
                share.type_name, formatting.count(share.tensors), formatting.size(share.size_bytes)
            )
            for share in details.types
        ]
        self._types.setText(self.tr("Weights by type: {0}.").format("; ".join(shares)))
        self._types.setVisible(bool(shares))
        if details.vocabulary and facts.info.n_vocab:
            words = self.tr("{0} tokens, {1}")
            count = formatting.count(facts.info.n_vocab)
            self._values["vocabulary"].setText(words.format(count, details.vocabulary))
        if details.origin.repo:
            self._values["source"].setText(details.origin.repo.replace("/", "/\u200b"))

    def _show_kinds(self, model: InstalledModel) -> None:
        corrected = model.note.kind if model.note is not None else None
        self._kind.clear()
        if corrected is None:
            self._kind.addItem(self.tr("{0}, as found").format(kind_words(model.info)), None)
        else:
            self._kind.addItem(self.tr("As found in the files"), None)
        for kind in _KINDS:
            self._kind.addItem(kind_word(kind), kind)
        at = 0 if corrected is None else self._kind.findData(corrected)
        self._kind.setCurrentIndex(max(0, at))

    def _on_kind(self, _index: int) -> None:
        self.kind_chosen.emit(self._kind.currentData())

    def _words(self, model: InstalledModel) -> dict[str, str]:
        info = model.info
        unknown = self.tr("not stated")
        tokens = self.tr("{0} tokens")
        sources = {
            "starter": self.tr("came with the app"),
            "models folder": self.tr("models folder"),
            "added": self.tr("added by you"),
        }
        used = model.note.last_used if model.note is not None else 0.0
        parameters = formatting.parameters(info.parameters) if info.parameters else unknown
        context, words = formatting.count(info.n_ctx_train), formatting.count(info.n_vocab)
        return {
            "parameters": parameters,
            "architecture": info.architecture or unknown,
            "context": tokens.format(context) if info.n_ctx_train else unknown,
            "vocabulary": tokens.format(words) if info.n_vocab else unknown,
            "format": info.quantization or unknown,
            "size": formatting.size(info.size_bytes) if info.size_bytes else unknown,
            "license": info.license or unknown,
            "source": sources.get(info.origin, info.origin or unknown),
            "used": when(used) if used else self.tr("never here"),
        }

    def _make_cells(self) -> None:
        titles = {
            "kind": self.tr("Kind"),
            "parameters": self.tr("Parameters"),
            "architecture": self.tr("Architecture"),
            "context": self.tr("Longest context"),
            "vocabulary": self.tr("Vocabulary"),
            "format": self.tr("Form of the weights"),
            "size": self.tr("Size on disk"),
            "license": self.tr("Licence"),
            "source": self.tr("Where it came from"),
            "used": self.tr("Last used"),
        }
        for name, title in titles.items():
            value: QWidget = self._kind
            if name != "kind":
                text = label("", self._theme, "body_medium", wrap=True, name=f"fact_{name}")
                text.setAccessibleDescription(title)
                self._values[name] = text
                value = text
            self._cells.append((label(title, self._theme, "small", "text3"), value))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for number, (title, value) in enumerate(self._cells):
            row, column = divmod(number, columns)
            self._grid.addWidget(title, row * 3, column)
            self._grid.addWidget(value, row * 3 + 1, column)
            self._grid.setRowMinimumHeight(row * 3 + 2, 8)
        for column in range(4):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        self._arrange(4 if event.size().width() >= _WIDE else 2)


def when(seconds: float) -> str:
    """Return a moment as this place writes it; ``seconds`` since the epoch."""
    moment = QDateTime.fromSecsSinceEpoch(int(seconds))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)
