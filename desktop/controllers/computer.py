"""What this computer has free for a model, read off the GUI thread and kept up to date."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task
from desktop.values import Computer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desktop.bridge.task_runner import TaskRunner
    from inference.library.machine import Gpu
    from inference.paths import AppPaths

_AGAIN_MS = 5_000


class ComputerController(QObject):
    """Memory, graphics memory, memory speed and disk.

    Args:
        paths: Where models are, and where the memory's speed is remembered.
        tasks: Where it is read.
        ask_gpus: Returns the GPUs an engine would use; starts a process, so it is asked once, and
            again only where there was a GPU.
        parent: Qt parent.

    Signals:
        changed: With a ``Computer``.
    """

    changed = Signal(object)

    def __init__(
        self,
        paths: AppPaths,
        tasks: TaskRunner,
        ask_gpus: Callable[[], tuple[Gpu, ...]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._paths = paths
        self._tasks = tasks
        self._ask_gpus = ask_gpus or _ask_engine
        self._state = Computer()
        self._gpus: tuple[Gpu, ...] | None = None
        self._speed: float | None = None  # measured once: it takes all cores
        self._reading = False
        self._timer = QTimer(self)
        self._timer.setInterval(_AGAIN_MS)
        self._timer.timeout.connect(self.refresh)

    def state(self) -> Computer:
        """Return what was free when last looked."""
        return self._state

    def watch(self, *, watched: bool) -> None:
        """Look now and every few seconds while somebody sees it."""
        if watched:
            self.refresh()
            self._timer.start()
        else:
            self._timer.stop()

    def look_again(self) -> None:
        """Ask the GPUs again too: a model came or went."""
        if self._gpus:
            self._gpus = None
        self.refresh()

    def refresh(self) -> None:
        """Look once more; what is already being read counts."""
        if self._reading:
            return
        self._reading = True
        gpus, speed, paths, ask = self._gpus, self._speed, self._paths, self._ask_gpus

        def read() -> Computer:
            from inference.library.folders import ModelFolders  # noqa: PLC0415  not at the start
            from inference.library.machine import this_machine  # noqa: PLC0415

            found = ask() if gpus is None else gpus
            machine = this_machine(paths.cache if speed is None else None, found)
            if speed is not None:
                machine = msgspec.structs.replace(machine, bandwidth_bytes_per_s=speed)
            return Computer(machine, _free_disk(ModelFolders(paths).default()))

        self._tasks.run(
            Task(lambda _cancel, _progress: read()).on_success(self._take).on_failure(self._give_up)
        )

    def _take(self, state: Computer) -> None:
        self._reading = False
        if state.machine is not None:
            self._gpus = state.machine.gpus
            self._speed = state.machine.bandwidth_bytes_per_s
        if state != self._state:
            self._state = state
            self.changed.emit(state)

    def _give_up(self, error: Exception) -> None:
        self._reading = False
        raise error


def _ask_engine() -> tuple[Gpu, ...]:
    from inference.host.ask import ask_engine  # noqa: PLC0415  not at the start

    return ask_engine("gguf").devices


def _free_disk(folder: Path) -> int:
    """Return what is free where models go; the folder need not be there yet."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 0
