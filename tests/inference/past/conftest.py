"""An empty folder of kept work for each test, and engines that are closed after it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inference.paths import app_paths
from tests.inference.past.talking import KINDS, make_model, open_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.engine import Engine
    from inference.types import LoadOptions

    OpenEngine = Callable[[LoadOptions], Engine]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each kind."""
    folder = tmp_path_factory.mktemp("past-models")
    return {kind: make_model(kind, folder) for kind in KINDS}


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("past-home")


@pytest.fixture(autouse=True)
def past_folder(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of kept work, empty; the processor is probed once for all tests."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(shared_home))
    folder = app_paths().past
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def opened(past_folder: Path) -> Iterator[OpenEngine]:
    """Open engines that are closed when the test ends."""
    del past_folder  # is there before, and emptied after them
    engines: list[Engine] = []

    def open_one(asked: LoadOptions) -> Engine:
        engines.append(open_here(asked))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.close()
