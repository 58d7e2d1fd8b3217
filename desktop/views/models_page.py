"""The Models page: its header with tabs and what this computer has free, and the open tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.widgets.controls import label, panel
from desktop.widgets.machine_strip import MachineStrip
from desktop.widgets.tab_bar import TabBar
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QHideEvent, QShowEvent

    from desktop.widgets.theme import Theme


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its id, its words, and what makes its view when it is first opened."""

    id: str
    title: str
    make: Callable[[Theme], QWidget]


class ModelsPage(QFrame):
    """Holds the tabs; each is made when it is first opened.

    Args:
        theme: The look at the start.
        tabs: From left to right; the first one is open at first.
        parent: Qt parent.

    Signals:
        tab_opened: With the id of the tab that is seen now.
        seen: Whether the page is on the screen.
    """

    tab_opened = Signal(str)
    seen = Signal(bool)

    def __init__(self, theme: Theme, tabs: tuple[Tab, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tabs = {tab.id: tab for tab in tabs}
        self._views: dict[str, QWidget] = {}
        self.setObjectName("models_page")
        self.setAccessibleName(self.tr("Models"))
        self.setProperty("ground", "page")
        names = [(tab.id, tab.title) for tab in tabs]
        self._bar = TabBar(self.tr("Views of the models page"), names, theme, name="models_tab")
        self._bar.chosen.connect(self.open_tab)
        self.strip = MachineStrip(theme)
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.setObjectName("key_find_model")
        find.activated.connect(self.focus_search)
        self._stack = QStackedWidget()
        self._stack.setObjectName("models_views")
        head = panel("page", "models_header", "bottom")
        head.setFixedHeight(layout("header"))
        row = QHBoxLayout(head)
        row.setContentsMargins(24, 0, 24, 1)
        row.setSpacing(12)
        row.addWidget(label(self.tr("Models"), theme, "title"))
        row.addWidget(self._bar)
        row.addWidget(self.strip, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(head)
        self._column.addWidget(self._stack, 1)

    def put_above(self, widget: QWidget) -> None:
        """Hold something between the header and the tabs' views; it is hidden at first."""
        widget.hide()
        self._column.insertWidget(1, widget)

    def set_theme(self, theme: Theme) -> None:
        """Make views with this theme from now on."""
        self._theme = theme

    def open_tab(self, tab_id: str) -> QWidget:
        """Open a tab, making its view on its first time."""
        view = self._views.get(tab_id)
        if view is None:
            view = self._views[tab_id] = self._tabs[tab_id].make(self._theme)
            self._stack.addWidget(view)
        self._bar.set_current(tab_id)
        self._stack.setCurrentWidget(view)
        self.tab_opened.emit(tab_id)
        return view

    def current_tab(self) -> str:
        """Return the id of the open tab; empty before one was opened."""
        shown = self._stack.currentWidget()
        return next((name for name, view in self._views.items() if view is shown), "")

    def focus_search(self) -> None:
        """Put the keyboard into the search field of the open tab, if it has one."""
        focus = getattr(self._stack.currentWidget(), "focus_search", None)
        if callable(focus):
            focus()

    def showEvent(self, event: QShowEvent) -> None:
        """Open the first tab the first time."""
        super().showEvent(event)
        if not self._views:
            self.open_tab(next(iter(self._tabs)))
        self.seen.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Say that nobody looks any more."""
        super().hideEvent(event)
        self.seen.emit(False)
