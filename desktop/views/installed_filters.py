"""Which installed models are listed, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from desktop.widgets.inputs import Combo
from desktop.widgets.model_delegate import kind_word

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import ModelKind

_KINDS: tuple[ModelKind, ...] = ("instruct", "base", "thinking", "embedding", "unknown")


class InstalledFilters(QWidget):
    """Kind, engine and order, beside each other.

    Args:
        theme: Fonts.

    Signals:
        changed: Kind and engine, each empty for all, and the order.
    """

    changed = Signal(str, str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("installed_filters")
        self._kind = self._combo(theme, "kind", self.tr("Kind"))
        self._kind.addItem(self.tr("Any kind"), "")
        for kind in _KINDS:
            self._kind.addItem(kind_word(kind), kind)
        self._engine = self._combo(theme, "engine", self.tr("Engine"))
        self._engine.addItem(self.tr("Any engine"), "")
        self._engine.addItem(self.tr("GGUF"), "gguf")
        self._engine.addItem(self.tr("Native"), "native")
        self._order = self._combo(theme, "order", self.tr("Which come first"))
        for words, order in (
            (self.tr("Favourites"), "favourites"),
            (self.tr("Name"), "name"),
            (self.tr("Last used"), "used"),
            (self.tr("Size"), "size"),
        ):
            self._order.addItem(words, order)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 8)
        row.setSpacing(8)
        for combo in (self._kind, self._engine, self._order):
            row.addWidget(combo, 1)

    def _combo(self, theme: Theme, name: str, words: str) -> Combo:
        combo = Combo(words, theme, name=f"installed_{name}")
        combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        combo.activated.connect(self._emit)
        return combo

    def _emit(self, _index: int) -> None:
        data = [combo.currentData() for combo in (self._kind, self._engine, self._order)]
        self.changed.emit(*data)
