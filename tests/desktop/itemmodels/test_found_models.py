"""Models to be found as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from desktop.discover_values import FoundModel, HubState
from desktop.itemmodels.found_models import FoundModelsList, FoundRole
from desktop.values import Problem
from inference.library.fit import Fit

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

CURATED = (
    FoundModel("catalog:a", "A", ("base", "instruct"), "Somebody", "MIT", 10),
    FoundModel("catalog:b", "B", ("base",), "Nobody", gated=True),
)


def hub(count: int) -> tuple[FoundModel, ...]:
    return tuple(FoundModel(f"hub:o/{n}", f"model {n}", (), "o") for n in range(count))


@pytest.fixture
def judged() -> list[str]:
    return []


@pytest.fixture
def items(qtbot: QtBot, judged: list[str]) -> FoundModelsList:
    assert qtbot is not None

    def fit(model: FoundModel) -> Fit:
        judged.append(model.key)
        return Fit("gpu")

    items = FoundModelsList(fit, lambda model: model.key == "catalog:a")
    items.set_found(CURATED, (), HubState())
    return items


def shown(items: FoundModelsList) -> list[str]:
    return [str(items.index(n).data()) for n in range(items.rowCount())]


def test_it_is_a_sound_item_model(items: FoundModelsList, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(items)
    items.set_found(CURATED, hub(3), HubState("more", "x", 3))
    qtmodeltester.check(items)
    items.set_found(CURATED, hub(7), HubState("end", "x", 7))
    qtmodeltester.check(items)
    items.set_found((), (), HubState())
    qtmodeltester.check(items)


def test_the_hub_has_no_row_before_anybody_asked_it(items: FoundModelsList) -> None:
    assert shown(items) == ["A", "B"]
    items.set_found(CURATED, (), HubState("asking", "qwen"))
    assert shown(items)[2].startswith("On the hub: qwen")
    assert shown(items)[3] == "Asking the hub"


def test_a_further_page_is_added_without_a_reset(items: FoundModelsList, qtbot: QtBot) -> None:
    items.set_found(CURATED, hub(3), HubState("more", "x", 3))
    resets: list[int] = []
    items.modelReset.connect(lambda: resets.append(1))
    with qtbot.waitSignal(items.rowsInserted) as inserted:
        items.set_found(CURATED, hub(5), HubState("end", "x", 5))
    assert inserted.args is not None
    assert inserted.args[1:] == [6, 7]
    assert not resets
    assert shown(items)[3:] == [f"model {n}" for n in range(5)] + ["That is all the hub has"]
    assert items.row_of("hub:o/4") == 7


def test_rows_are_judged_when_they_are_looked_at(items: FoundModelsList, judged: list[str]) -> None:
    items.set_found(CURATED, hub(5_000), HubState("end", "x", 5_000))
    assert judged == []
    assert items.index(items.row_of("hub:o/4999")).data(FoundRole.FIT) == Fit("gpu")
    assert judged == ["hub:o/4999"]


def test_trouble_has_a_way_on_and_the_curated_rows_stay(items: FoundModelsList) -> None:
    problem = Problem("The hub cannot be reached.", "", "Check the network.")
    items.set_found(CURATED, (), HubState("failed", "x", 0, problem))
    assert shown(items)[:2] == ["A", "B"]
    assert shown(items)[-1] == "The hub cannot be reached. Check the network. Try again"
    last = items.index(items.rowCount() - 1)
    assert last.flags() & Qt.ItemFlag.ItemIsSelectable
    items.set_found(CURATED, (), HubState("asking", "x"))
    assert not items.index(items.rowCount() - 1).flags() & Qt.ItemFlag.ItemIsSelectable


def test_what_the_filters_hide_is_counted(items: FoundModelsList) -> None:
    items.set_found(CURATED, hub(2), HubState("more", "x", 9))
    assert "7 more do not pass the filters." in shown(items)[-1]
    items.set_found(CURATED, (), HubState("end", "x", 0))
    assert shown(items)[-1].startswith("The hub has nothing like it")


def test_the_section_over_a_row(items: FoundModelsList) -> None:
    items.set_found(CURATED, hub(2), HubState("more", "x", 2))
    assert items.section_of(0) == ("Curated, available offline", 2)
    assert items.section_of(3) == ("On the hub", 2)
    assert not FoundModelsList(lambda _: None, lambda _: False).is_near_end(0)
    assert items.is_near_end(3)


def test_a_row_says_its_facts_to_a_screen_reader(items: FoundModelsList) -> None:
    spoken = [items.index(n).data(Qt.ItemDataRole.AccessibleTextRole) for n in (0, 1)]
    assert spoken == ["A, base, instruct, Somebody, MIT, installed",
                      "B, base, Nobody, sign-in needed"]  # fmt: skip
