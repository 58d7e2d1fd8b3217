"""How one model is loaded: rows that stand in place of the general settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.views.settings_rows import SettingsCard, SettingsRow
from desktop.widgets import formatting
from desktop.widgets.inputs import Combo
from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    from desktop.store.settings import Settings
    from desktop.values import InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo

_CONTEXTS: Final = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
_USUAL_CONTEXT: Final = 4096
_LONGEST: Final = 1 << 30  # what can be kept; no model is trained for more
Options = list[tuple[str, object]]


class ModelLoading(QWidget):
    """Load options of one model; each says what it was changed from.

    Args:
        theme: Fonts.

    Signals:
        changed: Field of ``ModelDefaults`` and its value; ``None`` = as in the settings.
        load_asked: Load it again.
    """

    changed = Signal(str, object)
    load_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._info: ModelInfo | None = None
        self._combos: dict[str, Combo] = {}
        self._rows: dict[str, SettingsRow] = {}
        self.setObjectName("model_loading")
        self._stale = Notice(
            theme,
            name="loading_stale",
            severity="info",
            actions=(("load", self.tr("Load it again")),),
        )
        self._stale.say(
            self.tr("Applies when the model is loaded again."),
            self.tr("It is in memory with other options than these."),
        )
        self._stale.acted.connect(self.load_asked)
        self._stale.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self._card = SettingsCard(self.tr("How it is loaded"), self._make_rows(), theme)
        column.addWidget(self._card)
        column.addWidget(self._stale)

    def show_model(self, model: InstalledModel, settings: Settings) -> None:
        """Show what is set for it, and what holds where nothing is."""
        info = model.info
        if self._info is None or self._info.id != info.id:
            self._info = info
            self._fill(info)
        self._stale.setVisible(model.is_stale)
        defaults = model.note.defaults if model.note is not None else None
        general = self._general(settings)
        for name, row in self._rows.items():
            combo = self._combos[name]
            combo.setItemText(0, self.tr("As in the settings: {0}").format(general[name]))
            value = getattr(defaults, name) if defaults is not None else None
            self._select(combo, value)
            words = self.tr("Changed from {0},").format(general[name])
            row.say_changed(words if value is not None else "")

    def _select(self, combo: Combo, value: object) -> None:
        data = [combo.itemData(index) for index in range(combo.count())]
        matches = [at for at, one in enumerate(data) if one == value and type(one) is type(value)]
        if not matches and isinstance(value, int):
            combo.addItem(formatting.count(value), value)
            matches = [combo.count() - 1]
        combo.setCurrentIndex(matches[0] if matches else 0)

    def _general(self, settings: Settings) -> dict[str, str]:
        engine = settings.engine
        trained = self._info.n_ctx_train if self._info is not None else 0
        usual = min(trained or _USUAL_CONTEXT, _USUAL_CONTEXT)
        auto = self.tr("automatic")
        layers = self.tr("as many as fit")
        return {
            "n_ctx": formatting.count(engine.n_ctx or usual),
            "gpu_layers": layers if engine.gpu_layers is None else str(engine.gpu_layers),
            "kv_cache_type": self.tr("16 bit"),
            "flash_attention": auto,
            "threads": auto if engine.threads is None else formatting.count(engine.threads),
            "device": auto,
            "dtype": auto,
        }

    def _fill(self, info: ModelInfo) -> None:
        shown = (
            ("n_ctx", "gpu_layers", "kv_cache_type", "flash_attention", "threads")
            if info.engine == "gguf"
            else ("n_ctx", "device", "dtype", "threads")
        )
        self._card.show_only([self._rows[name] for name in shown])
        for name in ("n_ctx", "gpu_layers"):
            combo = self._combos[name]
            while combo.count() > 1:
                combo.removeItem(1)
            for words, value in self._of_model(name, info):
                combo.addItem(words, value)

    def _of_model(self, name: str, info: ModelInfo) -> Options:
        if name == "n_ctx":
            most = min(info.n_ctx_train or _CONTEXTS[-1], _LONGEST)
            lengths = sorted({n for n in _CONTEXTS if n < most} | {most})
            return [(self.tr("{0} tokens").format(formatting.count(n)), n) for n in lengths]
        layers = info.n_layers + 1 if info.n_layers else 64
        steps = sorted({0, layers, *(round(layers * part / 8) for part in range(1, 8))})
        return [(formatting.count(n) if n else self.tr("none"), n) for n in steps]

    def _fixed(self) -> dict[str, Options]:
        cores = min(os.cpu_count() or 1, 64)
        return {
            "kv_cache_type": [
                (self.tr("32 bit"), "f32"),
                (self.tr("16 bit"), "f16"),
                (self.tr("8 bit"), "q8_0"),
                (self.tr("4 bit"), "q4_0"),
            ],
            "flash_attention": [(self.tr("on"), True), (self.tr("off"), False)],
            "threads": [(formatting.count(n), n) for n in range(1, cores + 1)],
            "device": [
                (self.tr("Processor"), "cpu"),
                (self.tr("NVIDIA GPU (cuda)"), "cuda"),
                (self.tr("Apple GPU (mps)"), "mps"),
            ],
            "dtype": [(name, name) for name in ("float32", "bfloat16", "float16")],
        }

    def _make_rows(self) -> list[SettingsRow]:
        fixed = self._fixed()
        texts = {
            "n_ctx": (
                self.tr("Context"),
                self.tr("How much text it can look back on; longer needs more memory."),
            ),
            "gpu_layers": (
                self.tr("Layers on the GPU"),
                self.tr("The rest runs on the processor, more slowly."),
            ),
            "kv_cache_type": (
                self.tr("Memory for the context"),
                self.tr("8 bit halves it, with little loss. 4 bit is for long documents."),
            ),
            "flash_attention": (
                self.tr("Flash attention"),
                self.tr("Needs less memory for long contexts; 8 and 4 bit need it."),
            ),
            "device": (
                self.tr("Where it runs"),
                self.tr("Automatic takes a GPU where there is one."),
            ),
            "dtype": (
                self.tr("Type to compute in"),
                self.tr("16 bit halves the memory; float32 is exact on the processor."),
            ),
            "threads": (
                self.tr("Processor threads"),
                self.tr("Automatic: one per core, one for tiny models."),
            ),
        }  # fmt: skip
        for name, (title, words) in texts.items():
            combo = Combo(title, self._theme, name=f"default_{name}")
            combo.addItem("", None)
            for choice, value in fixed.get(name, ()):
                combo.addItem(choice, value)
            combo.activated.connect(lambda _index, n=name: self._on_chosen(n))
            row = SettingsRow(title, words, combo, self._theme, name=f"default_{name}_row")
            row.reset_asked.connect(lambda n=name: self.changed.emit(n, None))
            self._combos[name], self._rows[name] = combo, row
        return list(self._rows.values())

    def _on_chosen(self, name: str) -> None:
        self.changed.emit(name, self._combos[name].currentData())
