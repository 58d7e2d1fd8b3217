"""Models to tick: ticks outlast a search, and go with the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop.itemmodels.ticked_models import TickedModels
from desktop.values import Models
from tests.desktop.itemmodels.test_models import listed, row

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

CHECK = Qt.ItemDataRole.CheckStateRole


def test_ticks_stay_while_rows_are_filtered(qtbot: QtBot, qtmodeltester: ModelTester) -> None:
    assert qtbot is not None
    items = TickedModels()
    items.set_models(Models((row("a"), row("b"), row("c"))))
    qtmodeltester.check(items)
    told: list[int] = []
    items.ticks_changed.connect(lambda: told.append(len(items.ticked())))
    for model_id in ("c", "a"):
        place = items.index(items.row_of(model_id))
        assert items.flags(place) & Qt.ItemFlag.ItemIsUserCheckable
        assert items.setData(place, Qt.CheckState.Checked, CHECK)
        assert items.data(place, CHECK) == Qt.CheckState.Checked
    items.set_words("model b")
    assert listed(items) == ["Model b"]
    assert [info.id for info in items.ticked()] == ["c", "a"]
    items.keep_only({"a", "b"})
    assert [info.id for info in items.ticked()] == ["a"]
    items.set_words("")
    assert items.setData(items.index(items.row_of("a")), Qt.CheckState.Unchecked, CHECK)
    assert not items.setData(items.index(0), "Another name")
    assert told == [1, 2, 1, 0]
