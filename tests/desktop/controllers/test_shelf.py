"""The list of models behind the window, with the real library on real files."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from desktop.controllers.engine import EngineController
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.types import ModelInfo
    from tests.desktop.controllers.house import House


class SlowLibrary(Library):
    """Reads its files, then hands the list out only when it may."""

    def __init__(self, paths: AppPaths, starters: Path) -> None:
        super().__init__(paths, starters)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.read = threading.Semaphore(0)

    def list(self, within_s: float | None = None) -> tuple[ModelInfo, ...]:
        found, may_answer = super().list(within_s), self.may_answer
        self.read.release()
        may_answer.wait(20)
        return found


@dataclass
class Shelf:
    """An engine controller on a models folder of its own."""

    house: House
    models: Path
    library: SlowLibrary
    engine: EngineController

    def put(self, name: str) -> Path:
        return tiny_gguf(self.models / f"{name}.gguf")

    def ids(self) -> list[str]:
        return [row.info.id for row in self.engine.models().rows]

    def has(self, *names: str) -> None:
        self.house.until(lambda: self.ids() == list(names))

    def load(self, name: str) -> None:
        self.engine.load(name)
        self.house.until(lambda: self.engine.state().status == "ready")


@pytest.fixture
def shelf(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Shelf]:
    house = make_house()
    paths = AppPaths(*(tmp_path / name for name in ("d", "c", "k", "models", "l")))
    paths.models.mkdir()
    library = SlowLibrary(paths, tmp_path / "no starters")
    engine = EngineController(
        house._client, library, house.bridge, house.tasks, house.settings.settings
    )
    yield Shelf(house, paths.models, library, engine)
    library.may_answer.set()
    engine.shutdown()


def test_many_new_files_are_named_at_once_and_read_in_steps(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.controllers.shelf._FIRST_LOOK_S", 0.0)
    for number in range(8):
        shelf.put(f"m{number}")
    seen: list[set[str]] = []
    shelf.engine.models_changed.connect(
        lambda models: seen.append({row.info.architecture for row in models.rows})
    )
    shelf.engine.refresh()
    shelf.house.until(lambda: len(seen) == 2)
    assert seen == [{""}, {"llama"}]
    assert all(row.estimate_bytes > 0 for row in shelf.engine.models().rows)


def test_a_removed_model_comes_back(shelf: Shelf) -> None:
    file = shelf.put("tiny")
    size_bytes = file.stat().st_size
    shelf.engine.refresh()
    shelf.has("tiny")
    assert shelf.engine.models().rows[0].estimate_bytes > 0
    with shelf.house.qtbot.waitSignal(shelf.engine.model_removed) as removed:
        shelf.engine.remove_model("tiny")
    assert removed.args[0] == "tiny"
    assert removed.args[2] == size_bytes
    shelf.has()
    shelf.engine.undo_remove()
    shelf.has("tiny")
    assert file.exists()


def test_a_file_that_is_not_there_is_a_problem_and_loads_nothing_later(shelf: Shelf) -> None:
    with shelf.house.qtbot.waitSignal(shelf.engine.problem_raised) as problem:
        shelf.engine.add_model(str(shelf.models / "nowhere.gguf"), load=True)
    assert problem.args[0].message
    shelf.engine.add_model(str(tiny_gguf(shelf.models.parent / "other.gguf")))
    shelf.has("other")
    assert shelf.engine.state().status == "none"


def test_a_file_opened_while_the_list_is_being_read_is_loaded(shelf: Shelf) -> None:
    file = tiny_gguf(shelf.models.parent / "mine.gguf")
    may_answer = shelf.library.may_answer = threading.Event()
    shelf.engine.refresh()  # reads the list before the file is on it
    assert shelf.library.read.acquire(timeout=20)
    shelf.library.may_answer = threading.Event()
    shelf.library.may_answer.set()
    shelf.engine.add_model(str(file), load=True)
    shelf.house.until(lambda: shelf.engine.state().status in {"loading", "ready"})
    may_answer.set()
    shelf.house.until(lambda: shelf.engine.state().status == "ready")
    assert shelf.ids() == ["mine"]


def test_a_list_read_before_a_removal_does_not_bring_the_model_back(shelf: Shelf) -> None:
    shelf.put("gone")
    shelf.put("stays")
    shelf.engine.refresh()
    shelf.has("gone", "stays")
    old, shelf.library.may_answer = shelf.library.may_answer, threading.Event()
    held = shelf.library.may_answer
    while shelf.library.read.acquire(blocking=False):
        pass
    shelf.engine.refresh()
    assert shelf.library.read.acquire(timeout=20)
    shelf.library.may_answer = old
    shelf.engine.remove_model("gone")
    shelf.has("stays")
    held.set()
    shelf.house.qtbot.wait(200)
    assert shelf.ids() == ["stays"]


def test_the_loaded_model_is_unloaded_and_removed(shelf: Shelf) -> None:
    file = shelf.put("tiny")
    shelf.load("tiny")
    shelf.engine.remove_model("tiny")
    shelf.has()
    assert shelf.engine.state().status == "none"
    assert not file.exists()


def test_two_models_removed_one_after_the_other_are_both_gone(shelf: Shelf) -> None:
    shelf.put("one")
    shelf.put("two")
    shelf.load("one")
    shelf.engine.remove_model("one")
    shelf.engine.load("two")
    shelf.engine.remove_model("two")
    shelf.has()
    assert not list(shelf.models.glob("*.gguf"))


def test_a_model_that_cannot_be_loaded_can_be_removed(shelf: Shelf) -> None:
    file = shelf.models / "broken.gguf"
    file.write_bytes(b"no model")
    shelf.engine.load("broken")
    shelf.house.until(lambda: shelf.engine.state().problem is not None)
    shelf.engine.remove_model("broken")
    shelf.has()
    assert not file.exists()


def test_an_undo_that_was_in_the_way_can_be_tried_again(shelf: Shelf) -> None:
    file = shelf.put("tiny")
    shelf.engine.refresh()
    shelf.has("tiny")
    shelf.engine.remove_model("tiny")
    shelf.has()
    content = shelf.models / "tiny.gguf"
    content.mkdir()
    with shelf.house.qtbot.waitSignal(shelf.engine.problem_raised) as problem:
        shelf.engine.undo_remove()
    assert "another file has taken its place" in problem.args[0].message
    content.rmdir()
    shelf.engine.undo_remove()
    shelf.has("tiny")
    assert file.is_file()


@pytest.mark.parametrize("emptied", [True, False])
def test_closing_deletes_what_was_removed_only_where_it_should(shelf: Shelf, emptied: bool) -> None:
    shelf.put("tiny")
    shelf.engine.refresh()
    shelf.has("tiny")
    shelf.engine.remove_model("tiny")
    shelf.has()
    trash = shelf.models / ".trash"
    assert trash.exists()
    shelf.engine.shutdown(empty_trash=emptied)
    assert trash.exists() != emptied
