"""What is installed: the list on the left, the chosen one on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.itemmodels.models import InstalledModelsList
from desktop.values import EngineState, Models
from desktop.views.installed_filters import InstalledFilters
from desktop.views.model_detail import ModelDetail
from desktop.views.split_page import SplitPage
from desktop.widgets import formatting
from desktop.widgets.controls import Button, label, panel
from desktop.widgets.empty_state import EmptyState
from desktop.widgets.icons import icon
from desktop.widgets.inputs import SearchField
from desktop.widgets.model_delegate import ModelDelegate
from desktop.widgets.row_list import RowList

if TYPE_CHECKING:
    from desktop.itemmodels.model_sieve import Order
    from desktop.store.settings import Settings
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme

_SETTLE_MS = 150  # while somebody types, the page of each model that comes first is not wanted


class InstalledPage(SplitPage):
    """Installed models and their facts.

    Args:
        theme: The look at the start.
        settings: The general settings at the start.
        parent: Qt parent.

    Signals:
        load_asked, remove_asked, chat_asked: Model id.
        unload_asked, cancel_asked: No argument.
        add_asked: Path of a file or folder.
    """

    load_asked = Signal(str)
    remove_asked = Signal(str)
    chat_asked = Signal(str)
    unload_asked = Signal()
    cancel_asked = Signal()
    add_asked = Signal(str)

    def __init__(self, theme: Theme, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chosen = ""
        self._models = Models()
        self._state = EngineState()
        self._shown: tuple[InstalledModel | None, EngineState] | None = None
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLE_MS)
        self._settled.timeout.connect(self._choose_first)
        self.setObjectName("installed_page")
        self.setAccessibleName(self.tr("Installed models"))
        self.setProperty("ground", "page")
        self._items = InstalledModelsList(self, grouped=False)
        self._delegate = ModelDelegate(theme, "page", self)
        self._search = SearchField(self.tr("Name, kind or engine"), theme, name="models_search")
        self._search.textChanged.connect(self._on_typed)
        self._filters = InstalledFilters(theme)
        self._filters.changed.connect(self._on_filtered)
        self._view = self._make_view()
        self._add = Button(self.tr("Add a model"), theme, name="models_add", icon_name="plus")
        self._add.clicked.connect(self._open_add_menu)
        self._disk = label("", theme, "small", "text3", name="models_disk")
        self.detail = ModelDetail(theme, settings)
        self._connect_detail()
        self._empty = EmptyState(
            "box",
            self.tr("No model is chosen"),
            self.tr("Choose one on the left, or add a GGUF file or a folder with safetensors."),
            theme,
            name="models_empty",
        )
        self._build()

    @property
    def chosen(self) -> str:
        """Id of the model that is shown; empty where there is none."""
        return self._chosen

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self._view.viewport().update()

    def set_models(self, models: Models) -> None:
        """Show what is installed; a model that has come in is the one to look at."""
        before = self._models.rows
        if before and len(before) != len(models.rows):
            known = {row.info.id for row in before}
            came = [row.info.id for row in models.rows if row.info.id not in known]
            self._chosen = came[0] if len(came) == 1 else self._chosen
        self._models = models
        self._items.set_models(models)
        total = sum(row.info.size_bytes for row in models.rows if not row.info.absent)
        number = len(models.rows)
        words = self.tr("1 model, {1} on disk" if number == 1 else "{0} models, {1} on disk")
        self._disk.setText(words.format(formatting.count(number), formatting.size(total)))
        self._choose(self._chosen or self._first_choice())

    def set_engine(self, state: EngineState) -> None:
        """Show what the engine does."""
        self._state = state
        self._show_chosen()

    def show_model(self, model_id: str) -> None:
        """Open the page of a model, whatever is looked for now."""
        if self._items.row_of(model_id) < 0:
            self._search.clear()
            self._filters.clear()
        self._choose(model_id)
        self.show_page_part()

    def focus_search(self) -> None:
        """Put the keyboard into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _first_choice(self) -> str:
        if self._state.model is not None:
            return self._state.model.id
        model = self._items.model_at(self._items.index(self._items.first_row()))
        return model.info.id if model is not None else ""

    def _make_view(self) -> RowList:
        words = self.tr("Installed models")
        view = RowList(self._theme, name="models_list", words=words)
        view.setModel(self._items)
        view.setItemDelegate(self._delegate)
        view.selectionModel().currentChanged.connect(self._on_current_changed)
        view.activated.connect(self._on_row_activated)
        return view

    def _connect_detail(self) -> None:
        detail = self.detail
        detail.load_asked.connect(self.load_asked)
        detail.remove_asked.connect(self.remove_asked)
        detail.chat_asked.connect(self.chat_asked)
        detail.unload_asked.connect(self.unload_asked)
        detail.cancel_asked.connect(self.cancel_asked)
        detail.back_asked.connect(self._show_list)

    def _build(self) -> None:
        right = QWidget()
        self._right = QStackedLayout(right)
        self._right.setContentsMargins(0, 0, 0, 0)
        self._right.addWidget(self._empty)
        self._right.addWidget(self.detail)
        self.set_parts(self._make_left(), right)
        self.detail.set_narrow(narrow=False)
        self.narrowed.connect(lambda narrow: self.detail.set_narrow(narrow=narrow))

    def _make_left(self) -> QFrame:
        left = panel("side", "models_left", "right")
        field = QHBoxLayout()
        field.setContentsMargins(16, 12, 16, 8)
        field.setSpacing(8)
        field.addWidget(self._search, 1)
        field.addWidget(self._add)
        rows = QHBoxLayout()
        rows.setContentsMargins(8, 0, 8, 0)
        rows.addWidget(self._view)
        foot = QHBoxLayout()
        foot.setContentsMargins(18, 6, 16, 8)
        foot.addWidget(self._disk)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(field)
        column.addWidget(self._filters)
        column.addLayout(rows, 1)
        column.addLayout(foot)
        return left

    def _on_filtered(self, kinds: tuple[str, ...], engines: tuple[str, ...], order: Order) -> None:
        self._items.set_filter(kinds, engines)
        self._items.set_order(order)
        self._keep_choice()

    def _on_typed(self, words: str) -> None:
        self._items.set_words(words)
        self._keep_choice()

    def _keep_choice(self) -> None:
        """Stay with the chosen model where it is still shown, else go to the first one soon."""
        if self._items.row_of(self._chosen) < 0:
            self._settled.start()
        else:
            self._settled.stop()
            self._choose(self._chosen)

    def _choose_first(self) -> None:
        if self._items.row_of(self._chosen) < 0:
            self._choose(self._first_choice())

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        model = self._items.model_at(current)
        if model is not None:
            self._chosen = model.info.id
            self._show_chosen()

    def _on_row_activated(self, index: QModelIndex) -> None:
        model = self._items.model_at(index)
        if model is not None:
            self.show_page_part()

    def _choose(self, model_id: str) -> None:
        row = self._items.row_of(model_id)
        if row < 0:
            row = self._items.first_row()
        if row != self._view.currentIndex().row():
            self._view.setCurrentIndex(self._items.index(row))
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self._items.model(self._chosen)
        if self._shown == (chosen, self._state):
            return
        self._shown = (chosen, self._state)
        if chosen is None:
            self._right.setCurrentIndex(0)
            return
        self.detail.show_model(chosen, self._state)
        self._right.setCurrentIndex(1)

    def _show_list(self) -> None:
        self.show_list_part()
        self._view.setFocus(Qt.FocusReason.TabFocusReason)

    def _open_add_menu(self) -> None:
        menu = QMenu(self)
        menu.setObjectName("models_add_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme = self._theme
        one = menu.addAction(icon("file-box", theme), self.tr("A GGUF file"))
        one.triggered.connect(self._ask_file)
        folder = menu.addAction(icon("folder-open", theme), self.tr("A folder with safetensors"))
        folder.triggered.connect(self._ask_folder)
        menu.popup(self._add.mapToGlobal(self._add.rect().bottomLeft()))

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Add a GGUF file"), "", self.tr("GGUF files (*.gguf)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open_dialog(dialog)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Add a folder with safetensors"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._open_dialog(dialog)

    def _open_dialog(self, dialog: QFileDialog) -> None:
        dialog.setObjectName("models_add_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.add_asked)
        dialog.open()
