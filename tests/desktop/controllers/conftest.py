"""Houses for tests: each is closed, and leaves no thread and no process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from inference.library.notes import ModelNotes
from tests.desktop.controllers.house import FACTORY, House, ScriptedLibrary, model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.controllers.engine_worker import Proposer
    from inference.types import ModelInfo


@pytest.fixture
def make_house(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Build a house of models; close it; leave no thread and no process."""
    before = set(threading.enumerate())
    houses: list[House] = []

    def make(
        *models: ModelInfo,
        folder: str = "data",
        propose: Proposer | None = None,
        factory: str | None = FACTORY,
    ) -> House:
        installed = list(models) or [model("starter-instruct", "text=A short answer.")]
        (tmp_path / folder).mkdir(exist_ok=True)
        notes = ModelNotes(tmp_path / folder / "model-notes.json")
        shelf = ScriptedLibrary(installed, notes)
        house = House(qtbot, tmp_path / folder, shelf, propose, factory)
        houses.append(house)
        return house

    yield make
    for house in houses:
        house.close()
        assert all(client.pid is None for client in house.clients)
    left = [t for t in threading.enumerate() if t not in before and not _settles(t)]
    assert left == []


def _settles(thread: threading.Thread) -> bool:
    thread.join(3)
    return not thread.is_alive()
