"""Another version of a model: real files, real child processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.engine import EngineController
from desktop.controllers.making import Making, MakingController
from desktop.store.settings import Settings
from inference.host.client import EngineClient
from inference.library.folders import ModelFolders
from inference.library.gguf_header import read_header
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


class Bench:
    """A folder and a file, and what was told of the work on them."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        paths = AppPaths(*(folder / name for name in ("data", "config", "cache", "models", "log")))
        self.models = paths.models
        self.models.mkdir()
        tiny_llama(self.models / "tale", width=512, mlp_width=2048, n_layers=4, dtype="float16")
        tiny_gguf(self.models / "small-Q8_0.gguf", hidden=256)
        self.qtbot = qtbot
        self.bridge, self.tasks = EventBridge(), TaskRunner()
        library = Library(paths, starters=folder / "none")
        self.engines = EngineController(EngineClient, library, self.bridge, self.tasks, Settings)
        self.making = MakingController(self.engines, ModelFolders(paths))
        self.told: list[Making] = []
        self.making.changed.connect(self.told.append)
        self.engines.refresh()
        qtbot.waitUntil(lambda: len(self.engines.models().rows) == 2, timeout=10_000)

    def wait(self) -> Making:
        self.qtbot.waitUntil(lambda: self.told[-1].share is None, timeout=120_000)
        return self.told[-1]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir())

    def close(self) -> None:
        self.making.close()
        self.engines.shutdown()
        self.tasks.close()
        self.bridge.close()


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(qtbot, tmp_path)
    yield bench
    bench.close()


def test_a_folder_becomes_a_smaller_file_and_is_in_the_list(bench: Bench) -> None:
    bench.making.make("tale", "Q4_K_M")
    assert bench.making.making == Making("tale", "Q4_K_M", 0.0)
    made = bench.wait()
    path = bench.models / "tale-Q4_K_M.gguf"
    assert made == Making("tale", "Q4_K_M", path=str(path))
    assert read_header(path).quantization == "Q4_K_M"
    shares = [making.share for making in bench.told if making.share is not None]
    assert shares == sorted(shares)
    assert any(0.0 < share <= 0.5 for share in shares)
    bench.qtbot.waitUntil(
        lambda: bench.engines.shelf.find("tale-Q4_K_M") is not None, timeout=10_000
    )


def test_stopped_nothing_is_left_and_another_one_can_be_made(bench: Bench) -> None:
    bench.making.make("tale", "Q6_K")
    bench.qtbot.waitUntil(lambda: bool(bench.told[-1].share), timeout=120_000)
    bench.making.make("tale", "Q8_0")  # one at a time
    assert bench.making.making.file_type == "Q6_K"
    bench.making.cancel()
    assert bench.told[-1] == Making("tale", "Q6_K")
    bench.making.make("tale", "F16")
    assert bench.wait().path
    assert bench.names() == ["small-Q8_0.gguf", "tale", "tale-F16.gguf"]


def test_what_cannot_be_made_says_why(bench: Bench) -> None:
    (bench.models / "tale-F16.gguf").write_bytes(b"precious")
    bench.making.make("tale", "F16")
    problem = bench.wait().problem
    assert problem is not None
    assert problem.title == "The new version was not made."
    assert "tale-F16.gguf is there already" in problem.message
    assert (bench.models / "tale-F16.gguf").read_bytes() == b"precious"


def test_closed_in_the_middle_nothing_is_left(bench: Bench) -> None:
    bench.making.make("tale", "Q6_K")
    bench.qtbot.waitUntil(lambda: bool(bench.told[-1].share), timeout=120_000)
    bench.making.close()
    assert bench.names() == ["small-Q8_0.gguf", "tale"]
