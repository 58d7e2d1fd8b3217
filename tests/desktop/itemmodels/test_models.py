"""Installed models as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt

from desktop.itemmodels.models import InstalledModelsList, ModelRole
from desktop.values import InstalledModel, Models
from inference.library.notes import ModelNote
from inference.types import ModelInfo

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

    from desktop.itemmodels.models import Order
    from desktop.values import EngineStatus


def row(model_id: str, status: EngineStatus = "none", **facts: Any) -> InstalledModel:
    info = ModelInfo(model_id, f"Model {model_id}", f"/m/{model_id}.gguf", "gguf", **facts)
    return InstalledModel(info, status)


def listed(model: InstalledModelsList) -> list[str]:
    return [str(model.index(n).data()) for n in range(model.rowCount())]


@pytest.fixture
def items(qtbot: QtBot) -> InstalledModelsList:
    assert qtbot is not None
    items = InstalledModelsList()
    items.set_models(Models((row("a"), row("b", "ready"), row("c", kind="base"))))
    return items


def test_it_is_a_sound_item_model(items: InstalledModelsList, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(items)
    items.set_words("nothing like this")
    qtmodeltester.check(items)


def test_what_is_in_memory_comes_first(items: InstalledModelsList) -> None:
    assert listed(items) == ["In memory", "Model b", "Installed", "Model a", "Model c"]


def test_a_stopped_model_is_not_in_memory(items: InstalledModelsList) -> None:
    items.set_models(Models((row("a", "stopped"),)))
    assert listed(items) == ["Installed", "Model a"]


def test_every_typed_word_must_be_among_the_facts(items: InstalledModelsList) -> None:
    items.set_words("BASE model")
    assert listed(items) == ["Installed", "Model c"]
    assert items.first_row() == 1
    items.set_words("base a-name-nobody-has")
    assert items.first_row() == -1


def test_progress_does_not_reset_the_list(items: InstalledModelsList, qtbot: QtBot) -> None:
    resets: list[int] = []
    items.modelReset.connect(lambda: resets.append(1))
    changed = InstalledModel(row("b").info, "answering", memory_bytes=7)
    with qtbot.waitSignal(items.dataChanged):
        items.set_models(Models((row("a"), changed, row("c", kind="base"))))
    assert not resets
    assert items.index(items.row_of("b")).data(ModelRole.MODEL) == changed


def test_a_row_says_kind_engine_and_problem_to_a_screen_reader(
    items: InstalledModelsList,
) -> None:
    items.set_models(Models((row("x", kind="instruct", problem="The file is cut short."),)))
    spoken = items.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Model x, instruct, gguf engine, on disk, The file is cut short."


def test_favourites_come_first_and_rows_can_be_sorted_and_filtered() -> None:
    old = replace(row("alpha"), note=ModelNote(last_used=1.0))
    new = replace(row("beta", kind="base", size_bytes=9), note=ModelNote(last_used=9.0))
    native = InstalledModel(ModelInfo("zeta", "Model zeta", "/m/zeta", "native"))
    loved = replace(native, note=ModelNote(favourite=True))
    items = InstalledModelsList()
    items.set_models(Models((new, old, loved)))
    assert listed(items) == ["Favourites", "Model zeta", "Installed", "Model beta", "Model alpha"]
    spoken = items.data(items.index(1), Qt.ItemDataRole.AccessibleTextRole)
    assert "favourite" in str(spoken)
    orders: dict[Order, list[str]] = {
        "used": ["beta", "alpha", "zeta"],
        "size": ["beta", "alpha", "zeta"],
        "name": ["alpha", "beta", "zeta"],
    }
    for order, names in orders.items():
        items.set_order(order)
        assert listed(items) == ["Installed", *(f"Model {name}" for name in names)]
    items.set_filter(("base",), ())
    assert listed(items) == ["Installed", "Model beta"]
    items.set_filter((), ("native",))
    assert listed(items) == ["Installed", "Model zeta"]


def test_one_models_change_touches_one_row(qtbot: QtBot) -> None:
    rows = tuple(row(f"m{n}") for n in range(50))
    items = InstalledModelsList(grouped=False)
    items.set_models(Models(rows))
    told: list[tuple[int, int]] = []
    items.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    items.modelReset.connect(lambda: told.append((-1, -1)))
    items.set_models(Models(rows))
    assert told == []
    noted = replace(rows[7], note=ModelNote(text="mine"))
    items.set_models(Models((*rows[:7], noted, *rows[8:])))
    assert told == [(7, 7)]
    assert items.model_at(items.index(7)) is noted
    loaded = replace(rows[9], status="ready")
    items.set_models(Models((*rows[:7], noted, rows[8], loaded, *rows[10:])))
    assert told[-1] == (-1, -1)
    assert items.row_of("m9") == 0
