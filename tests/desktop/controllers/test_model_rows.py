"""Of many rows only those that changed are other objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.desktop.controllers.house import model

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.values import Models
    from tests.desktop.controllers.house import House

NAMES = ("starter-instruct", "a", "b", "c")


@pytest.fixture
def full(make_house: Callable[..., House]) -> House:
    house = make_house(*(model(name) for name in NAMES))
    house.engine.refresh()
    house.until(lambda: len(house.engine.models().rows) == len(NAMES))
    house.until(lambda: house.engine.models().rows[0].note is not None)
    return house


def others(before: Models, after: Models) -> list[str]:
    """Return the names of the rows that are other objects."""
    pairs = zip(before.rows, after.rows, strict=True)
    return [new.info.id for old, new in pairs if new is not old]


def test_asking_twice_gives_the_same_rows(full: House) -> None:
    assert full.engine.models() is full.engine.models()


def test_a_note_changes_one_row(full: House) -> None:
    before = full.engine.models()
    full.engine.shelf.change_note("b", favourite=True)
    after = full.engine.models()
    assert others(before, after) == ["b"]
    assert after.rows[2].note is not None
    assert after.rows[2].note.favourite


def test_reading_the_list_again_keeps_the_rows_that_are_as_they_were(full: House) -> None:
    before = full.engine.models()
    full.library.models.append(model("d"))
    full.engine.refresh()
    full.until(lambda: len(full.engine.models().rows) == len(NAMES) + 1)
    after = full.engine.models()
    assert all(old is new for old, new in zip(before.rows, after.rows, strict=False))


def test_loading_another_model_changes_its_row_and_the_one_before(full: House) -> None:
    full.engine.load("a")
    full.until(lambda: full.engine.state().status == "ready")
    before = full.engine.models()
    assert [row.status for row in before.rows] == ["none", "ready", "none", "none"]
    full.engine.load("c")
    full.until(lambda: full.engine.state().status == "ready")
    after = full.engine.models()
    assert [row.status for row in after.rows] == ["none", "none", "none", "ready"]
    assert others(before, after) == ["a", "c"]
