"""What a model needs of memory: predicted from its files beside measured once it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop.widgets import formatting
from desktop.widgets.controls import Badge, label

if TYPE_CHECKING:
    from desktop.controllers.model_care import ModelFacts
    from desktop.values import EngineState, InstalledModel
    from desktop.widgets.theme import Theme
    from inference.library.estimate import MemoryEstimate
    from inference.types import LoadedModel

_ROWS = ("weights", "context", "buffers", "total", "process")


class ModelMemory(QWidget):
    """A small table; where nothing was measured, or nothing derived, it says so.

    Args:
        theme: Fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("model_memory_table")
        self.setAccessibleName(self.tr("Memory"))
        self._forecast: MemoryEstimate | None = None
        self._model: InstalledModel | None = None
        self._state: EngineState | None = None
        self._titles: dict[str, QLabel] = {}
        self._derived: dict[str, QLabel] = {}
        self._measured: dict[str, QLabel] = {}
        self._where = label("", theme, "small", "text3", wrap=True, name="model_where")
        self._build(theme)

    def show_model(self, model: InstalledModel, state: EngineState) -> None:
        """Show what the engine measured."""
        if self._model is None or self._model.info != model.info:
            self._forecast = None
        self._model, self._state = model, state
        self._show()

    def show_facts(self, facts: ModelFacts) -> None:
        """Show what was derived."""
        self._forecast = facts.forecast
        self._show()

    def _loaded(self) -> LoadedModel | None:
        model, state = self._model, self._state
        same = model is not None and state is not None and state.model is not None
        if not same or model is None or state is None or state.model is None:
            return None
        return state.loaded if state.model.id == model.info.id else None

    def _show(self) -> None:
        loaded, forecast = self._loaded(), self._forecast
        derived = dict.fromkeys(_ROWS, "")
        measured = dict(derived)
        if forecast is not None:
            sizes = (forecast.weights_bytes, forecast.kv_cache_bytes, forecast.buffers_bytes)
            for name, size in zip(_ROWS, (*sizes, forecast.total_bytes), strict=False):
                derived[name] = self.tr("about {0}").format(formatting.size(size))
        elif self._model is not None and self._model.estimate_bytes:
            estimate = formatting.size(self._model.estimate_bytes)
            derived["total"] = self.tr("about {0}").format(estimate)
        if loaded is not None:
            parts = (loaded.weights_bytes, loaded.kv_cache_bytes, loaded.buffers_bytes)
            for name, size in zip(_ROWS, parts, strict=False):
                measured[name] = formatting.size(size) if size else ""
            if all(parts):
                measured["total"] = formatting.size(sum(parts))
            if self._model is not None and self._model.memory_bytes:
                measured["process"] = formatting.size(self._model.memory_bytes)
        self._fill(derived, measured)
        context = self.tr("Context")
        is_stale = self._model is not None and self._model.is_stale  # the two would differ
        if loaded is not None and not is_stale:
            context = self.tr("Context of {0} tokens").format(formatting.count(loaded.n_ctx))
        self._titles["context"].setText(context)
        self._where.setText(self._place_words(loaded))
        self._where.setVisible(loaded is not None)

    def _fill(self, derived: dict[str, str], measured: dict[str, str]) -> None:
        for name in _ROWS:
            shown = bool(derived[name] or measured[name]) or name == "total"
            for cells, words in ((self._derived, derived[name]), (self._measured, measured[name])):
                cells[name].setText(words or self.tr("not known"))
                cells[name].setVisible(shown)
            self._titles[name].setVisible(shown)
        self._derived["process"].setText("")
        if not any(measured.values()):
            for name in _ROWS:
                self._measured[name].setText("")
            self._measured["total"].setText(self.tr("once it is loaded"))

    def _place_words(self, loaded: LoadedModel | None) -> str:
        if loaded is None:
            return ""
        device = self.tr("the processor") if loaded.device.lower() == "cpu" else loaded.device
        words = self.tr("Runs on {0}, {1}, {2}. {3}")
        many = self.tr("{0} threads").format(formatting.count(loaded.threads))
        threads = many if loaded.threads != 1 else self.tr("one thread")
        return words.format(device, loaded.dtype, threads, loaded.device_reason)

    def _build(self, theme: Theme) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(4)
        grid.addWidget(label(self.tr("Memory"), theme, "heading"), 0, 0)
        grid.addWidget(Badge(self.tr("derived"), theme), 0, 1)
        grid.addWidget(Badge(self.tr("measured"), theme), 0, 2)
        titles = {
            "weights": self.tr("Weights"),
            "context": self.tr("Context"),
            "buffers": self.tr("To compute in"),
            "total": self.tr("Together"),
            "process": self.tr("The whole process"),
        }
        for row, (name, title) in enumerate(titles.items(), 1):
            strong = name == "total"
            self._titles[name] = label(title, theme, "body_medium" if strong else "body", "text2")
            for column, cells in ((1, self._derived), (2, self._measured)):
                kind = "derived" if column == 1 else "measured"
                cell = label("", theme, "body_medium" if strong else "body")
                cell.setObjectName(f"memory_{kind}_{name}")
                cell.setFont(theme.font("body_medium" if strong else "body", tabular=True))
                cell.setAccessibleDescription(f"{title}, {kind}")
                cells[name] = cell
                grid.addWidget(cell, row, column)
            grid.addWidget(self._titles[name], row, 0)
        grid.addWidget(self._where, len(titles) + 1, 0, 1, 4)
        grid.setColumnStretch(3, 1)
        grid.setAlignment(Qt.AlignmentFlag.AlignTop)
