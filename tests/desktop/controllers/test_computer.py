"""What is free on this computer, read off the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.computer import ComputerController
from desktop.values import Computer
from inference.library.machine import Gpu
from inference.paths import AppPaths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

GPU = Gpu("CUDA: Small", 1_000, 2_000)


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[TaskRunner]:
    assert qtbot is not None
    runner = TaskRunner()
    yield runner
    runner.close()


def controller(
    tasks: TaskRunner, folder: Path, gpus: tuple[Gpu, ...], asked: list[int]
) -> ComputerController:
    def ask() -> tuple[Gpu, ...]:
        asked.append(1)
        return gpus

    names = ("data", "config", "cache", "models", "log")
    return ComputerController(AppPaths(*(folder / name for name in names)), tasks, ask)


def test_memory_speed_and_disk_are_told(tasks: TaskRunner, tmp_path: Path, qtbot: QtBot) -> None:
    computer = controller(tasks, tmp_path, (GPU,), [])
    assert computer.state() == Computer()
    with qtbot.waitSignal(computer.changed) as changed:
        computer.refresh()
    (state,) = changed.args
    assert state.machine.free_bytes > 0
    assert state.machine.gpus == (GPU,)
    assert state.machine.bandwidth_bytes_per_s > 0
    assert state.disk_free_bytes > 0
    assert computer.state() == state


@pytest.mark.parametrize(("gpus", "times"), [((), 1), ((GPU,), 2)])
def test_gpus_are_asked_again_only_where_there_was_one(
    tasks: TaskRunner, tmp_path: Path, qtbot: QtBot, gpus: tuple[Gpu, ...], times: int
) -> None:
    asked: list[int] = []
    computer = controller(tasks, tmp_path, gpus, asked)
    with qtbot.waitSignal(computer.changed):
        computer.refresh()
    computer.look_again()
    qtbot.waitUntil(lambda: not computer._reading)
    assert len(asked) == times


def test_the_speed_is_measured_once(tasks: TaskRunner, tmp_path: Path, qtbot: QtBot) -> None:
    computer = controller(tasks, tmp_path, (), [])
    with qtbot.waitSignal(computer.changed) as first:
        computer.refresh()
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    computer.refresh()
    qtbot.waitUntil(lambda: not computer._reading)
    state = computer.state()
    assert state.machine is not None
    assert first.args[0].machine.bandwidth_bytes_per_s == state.machine.bandwidth_bytes_per_s
    assert not list((tmp_path / "cache").iterdir())
