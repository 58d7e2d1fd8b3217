"""What a person looks for: words, filters, order, and the button that asks the hub."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.discover_values import Filters, FoundKind
from desktop.widgets.choice_button import ChoiceButton, Group
from desktop.widgets.controls import Button
from desktop.widgets.found_delegate import kind_words
from desktop.widgets.inputs import SearchField
from desktop.widgets.wrap_row import WrapRow

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_KINDS: tuple[FoundKind, ...] = ("base", "instruct", "thinking")
_NO_SIGN_IN = "no-sign-in"


class DiscoverFilters(QWidget):
    """Holds the filters.

    Args:
        theme: Colours.

    Signals:
        changed: With ``Filters``.
        hub_asked: The person wants the hub to be asked.
    """

    changed = Signal(object)
    hub_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters = Filters()
        self.field = SearchField(
            self.tr("Name, author, or paste a link"), theme, name="discover_search", keys="Ctrl+F"
        )
        self.field.textChanged.connect(lambda text: self._change(text=text))
        self.field.returnPressed.connect(self.hub_asked)
        self._fits = Button(
            self.tr("Fits here"), theme, kind="chip", name="discover_fits", small=True
        )
        self._fits.setCheckable(True)
        self._fits.toggled.connect(lambda fits: self._change(fits=fits))
        self._kind = ChoiceButton(self.tr("Kind"), theme, name="discover_kind")
        self._kind.set_choices([("", tuple((kind, kind_words(kind)) for kind in _KINDS))])
        self._kind.chosen.connect(lambda kinds: self._change(kinds=kinds))
        self._engine = ChoiceButton(self.tr("Engine"), theme, name="discover_engine")
        self._engine.set_choices(
            [("", (("gguf", self.tr("GGUF engine")),
                   ("safetensors", self.tr("Native engine (safetensors)"))))]
        )  # fmt: skip
        self._engine.chosen.connect(self._on_engine)
        self._license = ChoiceButton(self.tr("Licence"), theme, name="discover_license")
        self._license.chosen.connect(self._on_license)
        self._sort = ChoiceButton(
            self.tr("Recommended"), theme, name="discover_sort", one_each=True, kind="ghost",
            icon_name="arrow-up-down",
        )  # fmt: skip
        self._sort.setAccessibleName(self.tr("Order"))
        self._sort.chosen.connect(self._on_sort)
        self._hub = Button(
            self.tr("Search the hub"), theme, name="discover_hub", icon_name="globe", small=True
        )
        self._hub.clicked.connect(self.hub_asked)
        self._orders = {
            "recommended": self.tr("Recommended"),
            "name": self.tr("Name"),
            "size": self.tr("Size"),
            "parameters": self.tr("Parameters"),
        }
        self._hub_orders = {
            "trending": self.tr("Trending"),
            "downloads": self.tr("Most downloaded"),
            "likes": self.tr("Most liked"),
            "new": self.tr("Newest"),
        }
        self._sort.set_choices(
            [(self.tr("Curated models"), tuple(self._orders.items())),
             (self.tr("On the hub"), tuple((f"hub-{value}", words)
                                           for value, words in self._hub_orders.items()))]
        )  # fmt: skip
        self._sort.set_values(("recommended", "hub-trending"))
        self.set_licenses(())
        self._build()

    def filters(self) -> Filters:
        """Return what is looked for now."""
        return self._filters

    def set_licenses(self, licenses: tuple[str, ...]) -> None:
        """Offer these licences."""
        groups: list[Group] = [("", ((_NO_SIGN_IN, self.tr("No sign-in needed")),))]
        if licenses:
            groups.append((self.tr("Licence"), tuple((one.casefold(), one) for one in licenses)))
        self._license.set_choices(groups)

    def set_searched(self, *, searched: bool) -> None:
        """Name the order that is seen: the curated one, or the hub's."""
        filters = self._filters
        words = self._hub_orders[filters.hub_sort] if searched else self._orders[filters.sort]
        if words != self._sort.text():
            self._sort.setText(words)
            self._row.arrange()

    def set_text(self, text: str) -> None:
        """Put words into the field."""
        self.field.setText(text)

    def clear(self) -> None:
        """Look for everything."""
        for button in (self._kind, self._engine, self._license):
            button.set_values(())
        self._fits.setChecked(False)
        self.field.clear()
        order, hub_order = self._filters.sort, self._filters.hub_sort
        self._set(Filters(sort=order, hub_sort=hub_order))

    def _build(self) -> None:
        chips = WrapRow()
        chips.setObjectName("discover_chips")
        for chip in (self._fits, self._kind, self._engine, self._license):
            chips.add(chip)
        self._row = WrapRow(last_at_end=True)
        self._row.setObjectName("discover_order")
        self._row.add(self._hub)
        self._row.add(self._sort)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(chips)
        column.addWidget(self._row)

    def _change(self, **changes: object) -> None:
        self._set(replace(self._filters, **changes))  # type: ignore[arg-type]  # its own fields

    def _set(self, filters: Filters) -> None:
        if filters != self._filters:
            self._filters = filters
            self.changed.emit(filters)

    def _on_engine(self, engines: tuple[str, ...]) -> None:
        self._change(form=engines[0] if len(engines) == 1 else "any")

    def _on_license(self, values: tuple[str, ...]) -> None:
        licenses = tuple(value for value in values if value != _NO_SIGN_IN)
        self._change(licenses=licenses, without_sign_in=_NO_SIGN_IN in values)

    def _on_sort(self, values: tuple[str, ...]) -> None:
        before = self._filters.hub_sort
        hub = next(one.removeprefix("hub-") for one in values if one.startswith("hub-"))
        own = next(one for one in values if not one.startswith("hub-"))
        self._change(sort=own, hub_sort=hub)
        if hub != before:
            self.hub_asked.emit()  # its order is the hub's own, so it has to be asked again
