"""The Settings page: categories on the left, rows that apply at once on the right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QModelIndex, QSize, QStringListModel, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.store.settings import EngineOptions
from desktop.values import Models
from desktop.views.past_card import PastCard, past_limits, past_title
from desktop.views.settings_rows import SettingsCard, SettingsRow, settings_column
from desktop.widgets import formatting
from desktop.widgets.category_delegate import CategoryDelegate
from desktop.widgets.controls import Button, label, panel
from desktop.widgets.inputs import Combo, Segments
from desktop.widgets.model_delegate import engine_words
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QShowEvent

    from desktop.store.settings import Settings
    from desktop.views.network_settings import NetworkSettings
    from desktop.widgets.theme import Theme
    from inference.paths import AppPaths

_LIST_WIDTH: Final = 216
_NETWORK: Final = 3
_READING_SIZES: Final = (13, 14, 15, 16, 17, 18, 20, 22)
_CONTEXTS: Final = (1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
_REST_MINUTES: Final = (5, 15, 30, 60, 120, 480)
_LAYERS: Final = (0, 4, 8, 16, 24, 32, 48, 64, 96)


class SettingsPage(QFrame):
    """Shows the settings and asks for changes.

    Signals:
        change_asked: Field names of ``Settings`` and their new values, as a dict.
        past_shown: The use of the disk by what models have read is to be counted.
        past_clear_asked: That is to be deleted.
        network_made: With the ``NetworkSettings``, when they are first opened.
    """

    change_asked = Signal(object)
    past_shown = Signal()
    past_clear_asked = Signal()
    network_made = Signal(object)

    def __init__(self, theme: Theme, settings: Settings, paths: AppPaths) -> None:
        super().__init__()
        self._theme = theme
        self._settings = settings
        self._paths = paths
        self.setObjectName("settings_page")
        self.setAccessibleName(self.tr("Settings"))
        self.setProperty("ground", "page")
        self._combos: dict[str, Combo] = {}
        self._segments: dict[str, Segments] = {}
        self._models = Models()
        self._offered: object = []  # whose names the combo holds
        self._past_card: PastCard | None = None
        self._network: NetworkSettings | None = None
        self._stack = QStackedWidget()
        self._stack.setObjectName("settings_pages")
        names = [
            self.tr("Appearance"),
            self.tr("Models"),
            self.tr("Chats and data"),
            self.tr("Network"),
            self.tr("About"),
        ]
        self._makers = (
            self._appearance_cards,
            self._model_cards,
            self._data_cards,
            self._network_cards,
            self._about_cards,
        )
        self._made: dict[int, QWidget] = {}
        self._title = label(names[0], theme, "title", name="settings_title")
        self._categories = self._make_categories(names)
        self._build()
        self._open_category(0)

    def set_settings(self, settings: Settings) -> None:
        """Show these settings; nothing is emitted."""
        self._settings = settings
        self._show_values()

    def set_models(self, models: Models) -> None:
        """Offer these models as the one to load at the start."""
        self._models = models
        combo = self._combos.get("default_model")
        infos = [row.info for row in models.rows]
        if combo is None or infos == self._offered:
            return
        self._offered = infos
        combo.clear()
        for info in (one for one in infos if not one.problem):
            parts = (info.name, info.quantization, engine_words(info))  # maybe several forms of one
            combo.addItem(", ".join(part for part in parts if part), info.id)
        self._select("default_model", self._settings.default_model)

    def _open_category(self, number: int) -> None:
        if number not in self._made:
            name = f"settings_scroll_{number}"
            self._made[number] = settings_column(self._makers[number](), name, self.tr("Settings"))
            self._stack.addWidget(self._made[number])
            self.set_models(self._models)
            self._show_values()
        self._stack.setCurrentWidget(self._made[number])
        self._measure_past()

    def showEvent(self, event: QShowEvent) -> None:
        """Count again what is kept, if that is what is shown."""
        super().showEvent(event)
        self._measure_past()

    def set_past_bytes(self, used: int) -> None:
        """Show how much of what models have read is kept."""
        if self._past_card is not None:
            self._past_card.set_bytes(used)

    def _measure_past(self) -> None:
        if self._past_card is not None and self._past_card.isVisibleTo(self):
            self.past_shown.emit()

    def _show_values(self) -> None:
        settings = self._settings
        values = {
            "theme": settings.theme,
            "motion": settings.motion,
            "measure": settings.measure,
            "font_size": settings.font_size,
            "at_start": settings.at_start,
            "default_model": settings.default_model,
            "n_ctx": settings.engine.n_ctx,
            "gpu_layers": settings.engine.gpu_layers,
            "threads": settings.engine.threads,
            "unload_after_min": settings.engine.unload_after_min,
            "past_disk_mb": settings.engine.past_disk_mb,
        }
        for name, segments in self._segments.items():
            segments.set_value(str(values[name]))
        for name in self._combos:
            self._select(name, values[name])

    def _select(self, name: str, value: object) -> None:
        combo = self._combos[name]
        at = combo.findData(value)
        if at < 0 and isinstance(value, int):
            words = formatting.minutes if name == "unload_after_min" else formatting.count
            combo.addItem(words(value), value)
            at = combo.count() - 1
        combo.setCurrentIndex(at)

    def _ask(self, **changes: object) -> None:
        self.change_asked.emit(changes)

    def _ask_engine(self, **changes: object) -> None:
        self._ask(engine=msgspec.structs.replace(self._settings.engine, **changes))

    def set_theme(self, theme: Theme) -> None:
        """Make the categories that are not made yet with this theme."""
        self._theme = theme

    def _combo(self, name: str, title: str, options: list[tuple[str, object]]) -> Combo:
        combo = Combo(title, self._theme, name=f"setting_{name}")
        for words, value in options:
            combo.addItem(words, value)
        combo.activated.connect(lambda _index, n=name: self._on_chosen(n))
        self._combos[name] = combo
        return combo

    def _segment(self, name: str, title: str, options: tuple[tuple[str, str], ...]) -> Segments:
        segments = Segments(title, options, self._theme, name=f"setting_{name}")
        segments.chosen.connect(
            lambda value: self._ask(**{name: int(value) if value.isdigit() else value})
        )
        self._segments[name] = segments
        return segments

    def _on_chosen(self, name: str) -> None:
        value = self._combos[name].currentData()
        if name in EngineOptions.__struct_fields__:
            self._ask_engine(**{name: value})
        else:
            self._ask(**{name: value})

    def _row(self, name: str, title: str, words: str, control: QWidget | None) -> SettingsRow:
        return SettingsRow(title, words, control, self._theme, name=f"setting_{name}_row")

    def _appearance_cards(self) -> list[QWidget]:
        theme = self._theme
        title = self.tr("Theme")
        choice = self._segment(
            "theme",
            title,
            (("system", self.tr("System")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))),
        )
        measure = self._segment(
            "measure",
            self.tr("Length of a line"),
            (("560", self.tr("Shorter")), ("640", self.tr("Usual"))),
        )
        motion = self._segment(
            "motion",
            self.tr("Motion"),
            (("system", self.tr("As the system")), ("reduced", self.tr("Reduced"))),
        )
        sizes: list[tuple[str, object]] = [
            (self.tr("{0} pixels").format(px), px) for px in _READING_SIZES
        ]
        size = self._combo("font_size", self.tr("Size of message text"), sizes)
        looks = [
            self._row(
                "theme",
                title,
                self.tr("Light, dark, or as your system is set."),
                choice,
            ),
            self._row(
                "motion",
                self.tr("Motion"),
                self.tr("Reduced: panels and folds appear at once."),
                motion,
            ),
        ]
        reading = [
            self._row(
                "font_size",
                self.tr("Size of message text"),
                self.tr("Messages and the composer. The line grows with it."),
                size,
            ),
            self._row(
                "measure",
                self.tr("Length of a line"),
                self.tr("Usual holds about 85 characters, shorter about 75."),
                measure,
            ),
        ]
        return [
            SettingsCard(self.tr("Look"), looks, theme),
            SettingsCard(self.tr("Reading"), reading, theme),
        ]

    def _model_cards(self) -> list[QWidget]:
        auto = self.tr("Automatic")
        contexts: list[tuple[str, object]] = [(auto, None)]
        contexts += [(self.tr("{0} tokens").format(formatting.count(n)), n) for n in _CONTEXTS]
        layers: list[tuple[str, object]] = [(self.tr("As many as fit"), None)]
        layers += [(formatting.count(n) if n else self.tr("None"), n) for n in _LAYERS]
        cores = os.cpu_count() or 1
        threads: list[tuple[str, object]] = [(auto, None)]
        threads += [(formatting.count(n), n) for n in range(1, min(cores, 64) + 1)]
        start = self._combo("default_model", self.tr("Usual model"), [])
        start.setMaximumWidth(340)
        later = self.tr("Applies when a model is loaded again.")
        loading = [
            self._row(
                "n_ctx",
                self.tr("Context"),
                self.tr(
                    "How much text a model can look back on; longer needs more memory. "
                    "Automatic: what the model was trained for, at most 4,096. "
                )
                + later,
                self._combo("n_ctx", self.tr("Context"), contexts),
            ),
            self._row(
                "gpu_layers",
                self.tr("Layers on the GPU"),
                self.tr("The rest runs on the processor, more slowly. ") + later,
                self._combo("gpu_layers", self.tr("Layers on the GPU"), layers),
            ),
            self._row(
                "threads",
                self.tr("Processor threads"),
                self.tr(
                    "This computer has {0}. Automatic: one per core, one for tiny models. "
                ).format(formatting.count(cores))
                + later,
                self._combo("threads", self.tr("Processor threads"), threads),
            ),
            self._rest_row(),
        ]
        first = [
            self._row(
                "at_start",
                self.tr("Model at the start"),
                self.tr("Loads in the background; the window does not wait for it."),
                self._combo("at_start", self.tr("Model at the start"), self._starts()),
            ),
            self._row(
                "default_model",
                self.tr("Usual model"),
                self.tr("Also for a first message, where no other model was chosen."),
                start,
            ),
        ]
        return [
            SettingsCard(self.tr("At the start"), first, self._theme),
            SettingsCard(self.tr("Loading models"), loading, self._theme),
        ]

    def _starts(self) -> list[tuple[str, object]]:
        return [
            (self.tr("The usual model"), "chosen"),
            (self.tr("The last one used"), "last"),
            (self.tr("None until the first message"), "none"),
        ]

    def _rest_row(self) -> SettingsRow:
        times: list[tuple[str, object]] = [(self.tr("Never"), None)]
        times += [(formatting.minutes(number), number) for number in _REST_MINUTES]
        title = self.tr("Unload a model after")
        words = self.tr(
            "Nobody used it for so long: its memory is given back. The next message loads it again."
        )
        combo = self._combo("unload_after_min", title, times)
        return self._row("unload_after_min", title, words, combo)

    def _data_cards(self) -> list[QWidget]:
        places = (
            ("data", self.tr("Chats"), self._paths.data),
            ("models", self.tr("Models folder"), self._paths.models),
            ("config", self.tr("Settings"), self._paths.config),
            ("log", self.tr("Log"), self._paths.log),
        )
        parts = []
        for name, title, path in places:
            button = Button(
                self.tr("Open"),
                self._theme,
                name=f"open_{name}",
                icon_name="folder-open",
                small=True,
            )
            button.setAccessibleName(self.tr("Open the folder: {0}").format(title))
            button.clicked.connect(lambda _checked=False, p=path: self._open_folder(p))
            parts.append(self._row(f"folder_{name}", title, str(path), button))
        words = self.tr(
            "Nothing you write leaves this computer. Chats are kept in one file, with the model "
            "and the settings of each answer."
        )
        privacy = [self._row("privacy", self.tr("Your chats stay here"), words, None)]
        return [
            SettingsCard(self.tr("Privacy"), privacy, self._theme),
            self._make_past_card(),
            SettingsCard(self.tr("Folders"), parts, self._theme),
        ]

    def _make_past_card(self) -> PastCard:
        combo = self._combo("past_disk_mb", past_title(), past_limits())
        self._past_card = PastCard(combo, self._theme)
        self._past_card.clear_button.clicked.connect(self.past_clear_asked)
        return self._past_card

    def _network_cards(self) -> list[QWidget]:
        from desktop.views.network_settings import NetworkSettings  # noqa: PLC0415  as below

        self._network = NetworkSettings(self._theme, self._settings.downloads)
        self.network_made.emit(self._network)
        return [self._network]

    def show_network(self, *, with_token: bool) -> None:
        """Open the network's settings, with the keyboard where a token is typed if asked."""
        self._categories.setCurrentIndex(self._categories.model().index(_NETWORK, 0))
        if with_token and self._network is not None:
            self._network.focus_token()

    def _about_cards(self) -> list[QWidget]:
        from desktop.views.about import about_cards  # noqa: PLC0415  reads package metadata

        return about_cards(self._theme)

    @staticmethod
    def _open_folder(path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _make_categories(self, names: list[str]) -> QListView:
        view = QListView()
        view.setObjectName("settings_categories")
        view.setAccessibleName(self.tr("Categories"))
        view.setModel(QStringListModel(names, view))
        view.setItemDelegate(
            CategoryDelegate(("palette", "box", "database", "globe", "info"), self._theme, view)
        )
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setMouseTracking(True)
        view.setIconSize(QSize(16, 16))
        view.setCurrentIndex(view.model().index(0, 0))
        view.selectionModel().currentChanged.connect(self._on_category)
        return view

    def _on_category(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self._open_category(current.row())
        self._title.setText(str(current.data()))

    def _build(self) -> None:
        theme = self._theme
        left = panel("side", "settings_left", "right")
        left.setFixedWidth(_LIST_WIDTH)
        left_head = QWidget()
        left_head.setFixedHeight(layout("header"))
        left_row = QHBoxLayout(left_head)
        left_row.setContentsMargins(16, 0, 16, 0)
        left_row.addWidget(label(self.tr("Settings"), theme, "heading"))
        rows_box = QHBoxLayout()
        rows_box.setContentsMargins(8, 0, 8, 8)
        rows_box.addWidget(self._categories)
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 0, 0)
        left_column.setSpacing(0)
        left_column.addWidget(left_head)
        left_column.addLayout(rows_box, 1)
        head = panel("page", "settings_header", "bottom")
        head.setFixedHeight(layout("header"))
        head_row = QHBoxLayout(head)
        head_row.setContentsMargins(24, 0, 24, 0)
        head_row.addWidget(self._title)
        head_row.addStretch(1)
        head_row.addWidget(label(self.tr("Changes apply at once"), theme, "small", "text3"))
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(head)
        right.addWidget(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(left)
        outer.addLayout(right, 1)
