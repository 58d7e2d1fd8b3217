"""Installed models to tick: a flat list with a check box in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from desktop.itemmodels.models import InstalledModelsList

if TYPE_CHECKING:
    from desktop.itemmodels.models import Index
    from inference.types import ModelInfo


class TickedModels(InstalledModelsList):
    """What is ticked stays so while words filter the rows.

    Signals:
        ticks_changed: Others are ticked now.
    """

    ticks_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent, grouped=False)
        self._ticked: dict[str, ModelInfo] = {}

    def ticked(self) -> tuple[ModelInfo, ...]:
        """Return the ticked models, in the order in which they were ticked."""
        return tuple(self._ticked.values())

    def tick(self, info: ModelInfo, *, on: bool) -> None:
        """Tick a model, or take its tick away."""
        if on:
            self._ticked[info.id] = info
        else:
            self._ticked.pop(info.id, None)
        row = self.row_of(info.id)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))
        self.ticks_changed.emit()

    def keep_only(self, ids: set[str]) -> None:
        """Take the ticks of models away that are not there any more."""
        gone = [model_id for model_id in self._ticked if model_id not in ids]
        for model_id in gone:
            del self._ticked[model_id]
        if gone:
            self.ticks_changed.emit()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view asks of one row."""
        if role == Qt.ItemDataRole.CheckStateRole:
            model = self.model_at(index)
            on = model is not None and model.info.id in self._ticked
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        return super().data(index, role)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick a row, or take its tick away."""
        model = self.model_at(index)
        if role != Qt.ItemDataRole.CheckStateRole or model is None:
            return False
        self.tick(model.info, on=Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a row."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if flags else flags
