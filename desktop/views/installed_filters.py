"""Which installed models are listed, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.widgets.choice_button import ChoiceButton
from desktop.widgets.model_delegate import kind_word

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import ModelKind

_KINDS: tuple[ModelKind, ...] = ("base", "instruct", "thinking", "embedding", "unknown")


class InstalledFilters(QWidget):
    """Kind, engine and order, beside each other.

    Args:
        theme: Fonts.

    Signals:
        changed: Tuples of kinds and of engines, each empty for all, and the order.
    """

    changed = Signal(tuple, tuple, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("installed_filters")
        self._kinds: tuple[str, ...] = ()
        self._engines: tuple[str, ...] = ()
        self._orders = {
            "favourites": self.tr("Favourites first"),
            "name": self.tr("Name"),
            "used": self.tr("Last used"),
            "size": self.tr("Size"),
        }
        self._kind = kind = ChoiceButton(self.tr("Kind"), theme, name="installed_kind")
        kind.set_choices([("", tuple((one, kind_word(one)) for one in _KINDS))])
        kind.chosen.connect(self._on_kinds)
        self._engine = engine = ChoiceButton(self.tr("Engine"), theme, name="installed_engine")
        engines = (("gguf", self.tr("GGUF engine")), ("native", self.tr("Native engine")))
        engine.set_choices([("", engines)])
        engine.chosen.connect(self._on_engines)
        self._order = ChoiceButton(
            "", theme, name="installed_order", one_each=True, kind="ghost",
            icon_name="arrow-up-down",
        )  # fmt: skip
        self._order.setAccessibleName(self.tr("Order"))
        self._order.set_choices([("", tuple(self._orders.items()))])
        self._order.chosen.connect(self._on_order)
        self._on_order(("favourites",))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 8)
        row.setSpacing(6)
        row.addWidget(kind)
        row.addWidget(engine)
        row.addStretch(1)
        row.addWidget(self._order)

    def clear(self) -> None:
        """List every kind and engine."""
        for button in (self._kind, self._engine):
            button.set_values(())
        self._kinds = self._engines = ()
        self._emit()

    def _on_kinds(self, kinds: tuple[str, ...]) -> None:
        self._kinds = kinds
        self._emit()

    def _on_engines(self, engines: tuple[str, ...]) -> None:
        self._engines = engines
        self._emit()

    def _on_order(self, values: tuple[str, ...]) -> None:
        self._chosen = values[0]
        self._order.set_values(values)
        self._order.setText(self._orders[self._chosen])
        self._emit()

    def _emit(self) -> None:
        self.changed.emit(self._kinds, self._engines, self._chosen)
