"""The Discover tab: curated models that are there without a network, then what the hub has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QListView, QStackedWidget, QVBoxLayout, QWidget

from desktop.itemmodels.found_models import FoundModelsList
from desktop.views.discover_filters import DiscoverFilters
from desktop.views.found_detail import FoundDetail
from desktop.views.split_page import SplitPage
from desktop.widgets import formatting
from desktop.widgets.controls import label, panel, rule
from desktop.widgets.empty_state import EmptyState
from desktop.widgets.found_delegate import FoundDelegate
from desktop.widgets.row_list import RowList
from desktop.widgets.theme import rows

if TYPE_CHECKING:
    from desktop.controllers.discover import DiscoverController
    from desktop.discover_values import CardView, FoundKind, FoundModel, FoundPage
    from desktop.views.model_card_view import ModelCardView
    from desktop.widgets.theme import Theme


class DiscoverPage(SplitPage):
    """The list on the left, the chosen model on the right.

    Args:
        theme: The look at the start.
        controller: What can be found.
        parent: Qt parent.
    """

    def __init__(
        self, theme: Theme, controller: DiscoverController, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._controller = controller
        self._chosen = ""
        self._wanted: tuple[str, str, FoundKind | None] | None = None
        self._goes_to_hub = False
        self.setObjectName("discover_page")
        self.setAccessibleName(self.tr("Discover models"))
        self.setProperty("ground", "page")
        self.filters = DiscoverFilters(theme)
        self.items = FoundModelsList(
            controller.fit, controller.installed, controller.is_starred, self
        )
        self._delegate = FoundDelegate(theme, self)
        self.view = self._make_view()
        self._section = label("", theme, "label_strong", "text3", name="discover_section")
        self._count = label("", theme, "label", "text3", name="discover_count")
        self.detail = FoundDetail(theme)
        self._nothing = EmptyState(
            "search-x",
            self.tr("Nothing matches"),
            self.tr("Try fewer words or fewer filters, or ask the hub."),
            theme,
            name="discover_nothing",
            action=self.tr("Clear the search"),
        )
        self._nothing.acted.connect(self.filters.clear)
        self._build()
        self._connect()
        self._show_rows()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme

    def focus_search(self) -> None:
        """Put the keyboard into the search field."""
        self.filters.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.field.selectAll()

    def open(self, key: str, version_id: str = "", kind: FoundKind | None = None) -> None:
        """Open a model of the list, with a version and a kind of it chosen.

        Where the list is still being read, as soon as it is there.
        """
        if not self._controller.licenses():
            self._wanted = key, version_id, kind
            return
        self._wanted = None
        row = self.items.row_of(key)
        if row < 0:
            self.filters.clear()
            row = self.items.row_of(key)
        if row >= 0:
            self.view.setCurrentIndex(self.items.index(row))
            if kind is not None:
                self._controller.pages.set_kind(kind)
            self.detail.choose_version(version_id)

    def _make_view(self) -> RowList:
        words = self.tr("Models to be found")
        view = RowList(self._theme, name="discover_list", words=words)
        view.setModel(self.items)
        view.setItemDelegate(self._delegate)
        return view

    def _connect(self) -> None:
        controller, detail, pages = self._controller, self.detail, self._controller.pages
        self.filters.changed.connect(controller.set_filters)
        self.filters.hub_asked.connect(self._on_hub_asked)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        self.view.activated.connect(self._on_activated)
        self.view.clicked.connect(self._on_clicked)
        self.view.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        controller.rows_changed.connect(self._show_rows)
        controller.judged_again.connect(self.items.judge_again)
        pages.changed.connect(self._show_page)
        detail.kind_asked.connect(pages.set_kind)
        detail.context_asked.connect(pages.set_context)
        detail.header_asked.connect(pages.read_header)
        detail.again_asked.connect(pages.try_again)
        detail.back_asked.connect(self._show_list)
        detail.star_asked.connect(lambda on: controller.star(self._chosen, on=on))
        detail.neighbour_asked.connect(self.open)
        detail.card_asked.connect(self._open_card)
        detail.browser_asked.connect(self._open_browser)
        detail.repository_asked.connect(self._search_for)
        pages.card_changed.connect(self._show_card)

    def _build(self) -> None:
        left = panel("side", "discover_left", "right")
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 20, 4)
        head.addWidget(self._section, 1)
        head.addWidget(self._count)
        inset = QHBoxLayout()
        inset.setContentsMargins(8, 0, 8, 0)
        inset.addWidget(self.view)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(0)
        column.addWidget(self.filters)
        column.addWidget(rule())
        column.addLayout(head)
        column.addLayout(inset, 1)
        column.addWidget(self._nothing, 1)
        self._right = QStackedWidget()
        self._right.setObjectName("discover_right")
        self._right.addWidget(QWidget())
        self._right.addWidget(self.detail)
        self._card: ModelCardView | None = None
        self.set_parts(left, self._right)
        self.narrowed.connect(lambda narrow: self.detail.set_narrow(narrow=narrow))

    # --- the list --------------------------------------------------------------------------

    def _show_rows(self) -> None:
        controller = self._controller
        state = controller.hub_state()
        self.filters.set_licenses(controller.licenses())
        self.filters.set_searched(searched=state.status != "idle")
        self.items.set_found(controller.curated(), controller.hub_rows(), state)
        is_empty = self.items.rowCount() == 0 and bool(controller.licenses())
        self._nothing.setVisible(is_empty)
        self.view.setVisible(not is_empty)
        self._keep_chosen()
        if self._wanted is not None:
            self.open(*self._wanted)
        self._show_section()
        if self._goes_to_hub:
            QTimer.singleShot(0, self.view, self._show_hub)  # once the rows are laid out

    def _keep_chosen(self) -> None:
        """After a reset the chosen row is chosen again, or the first one where it is gone."""
        row = self.items.row_of(self._chosen)
        if row >= 0:
            if self.view.currentIndex().row() != row:
                self.view.setCurrentIndex(self.items.index(row))
        elif not self._chosen and self.items.rowCount():
            self.view.setCurrentIndex(self.items.index(0))

    def _show_section(self) -> None:
        words, count = self.items.section_of(self._row_at(0))
        self._section.setText(words)
        self._count.setText(formatting.count(count))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        found = self.items.found_at(current)
        if found is not None:
            self._chosen = found.key
            self._controller.open(found.key)

    def _on_activated(self, index: QModelIndex) -> None:
        note = self.items.note_at(index)
        if note is not None and note.kind == "section":
            self._controller.close_search()
        elif note is not None:
            self._controller.more()
        elif self.is_narrow and self.items.found_at(index) is not None:
            self.show_page_part()
            self.detail.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_clicked(self, index: QModelIndex) -> None:
        if self.items.note_at(index) is not None or self.is_narrow:
            self._on_activated(index)

    def _on_scrolled(self) -> None:
        self._show_section()
        if self.items.is_near_end(self._row_at(self.view.viewport().height())):
            self._controller.more()

    def _row_at(self, y: int) -> int:
        """Return the row at a height of the view; asking Qt would lay all rows out at once."""
        return (self.view.verticalScrollBar().value() + y) // rows("model")

    def _on_hub_asked(self) -> None:
        self._controller.set_filters(self.filters.filters())
        self._goes_to_hub = True
        self._controller.search_hub()

    def _search_for(self, repo: str) -> None:
        self.filters.clear()
        self.filters.set_text(repo)
        self._on_hub_asked()

    def _show_hub(self) -> None:
        """Bring what the hub says into view, first that it is asked, then the first page."""
        self._goes_to_hub = self._goes_to_hub and self._controller.hub_state().status == "asking"
        row = len(self._controller.curated())
        if row < self.items.rowCount():
            self.view.scrollTo(self.items.index(row), QListView.ScrollHint.PositionAtTop)
        found = self._controller.hub_rows()
        if self._controller.hub_state().status == "end" and len(found) == 1:
            self.open(found[0].key)  # an address that was pasted means this one

    # --- the model -------------------------------------------------------------------------

    def _show_page(self, page: FoundPage) -> None:
        self.detail.show_page(page)
        is_curated = page.key.startswith("catalog:")
        self.detail.show_star(on=self._controller.is_starred(page.key), shown=is_curated)
        if self._card is None or self._right.currentWidget() is not self._card:
            self._right.setCurrentWidget(self.detail)
        elif self._card.repo() != page.repo:
            self._close_card()

    def _open_card(self) -> None:
        if self._card is None:
            from desktop.views.model_card_view import ModelCardView  # noqa: PLC0415  rarely seen

            self._card = ModelCardView(self._theme)
            self._card.back_asked.connect(self._close_card)
            self._card.again_asked.connect(self._controller.pages.read_card)
            self._right.addWidget(self._card)
        self._controller.pages.read_card()
        self._right.setCurrentWidget(self._card)
        self._card.focus_back()

    def _show_card(self, card: CardView) -> None:
        if self._card is not None:
            self._card.show_card(card)

    def _close_card(self) -> None:
        self._controller.pages.close_card()
        self._right.setCurrentWidget(self.detail)
        self.detail.focus_card()

    def _open_browser(self, repo: str) -> None:
        QDesktopServices.openUrl(QUrl(self._controller.page_of(repo)))

    def found(self) -> FoundModel | None:
        """Return the chosen row."""
        return self.items.found_at(self.view.currentIndex())

    def _show_list(self) -> None:
        self.show_list_part()
        self.view.setFocus(Qt.FocusReason.TabFocusReason)
