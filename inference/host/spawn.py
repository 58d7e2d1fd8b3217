"""How the engine process is started: command line, environment, pipes, per system."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import inference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.types import EngineKind

FROZEN_COMMAND = "engine-process"
"""The hidden command of a frozen application that becomes the engine process."""


def engine_command(factory: str | None) -> list[str]:
    """Return the command line of an engine process.

    Args:
        factory: ``module:function`` that opens engines instead of the two real ones.
    """
    command = _server_command()
    if factory is not None:
        command += ["--factory", factory]
    return command


def report_command(engine: EngineKind) -> list[str]:
    """Return the command line of a process that tells about one engine and ends.

    It takes a ``life_line`` as its standard input.
    """
    return [*_server_command(), "--report", engine, "--life-line"]


def bandwidth_command(card: str) -> list[str]:
    """Return the command line of a process that measures a graphics card's memory and ends.

    It takes a ``life_line`` as its standard input.

    Args:
        card: Its name, as ``LoadedModel.device`` has it.
    """
    return [*_server_command(), "--bandwidth", card, "--life-line"]


def making_command(order: str) -> list[str]:
    """Return the command line of a process that writes one file and ends.

    It takes a ``life_line`` as its standard input.

    Args:
        order: What to make, as ``inference.convert.orders`` encodes it.
    """
    return [*_server_command(), "--make", order, "--life-line"]


def tokens_command() -> list[str]:
    """Return the command line of a process that tells of tokenizers and ends.

    It reads one order from its standard input, which then is its life line.
    """
    return [*_server_command(), "--tokens"]


def _server_command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, FROZEN_COMMAND]
    # -P: the folder one happens to stand in must not offer its own `torch.py`.
    return [sys.executable, "-P", "-X", "utf8", "-m", "inference.host.server"]


def engine_environment() -> dict[str, str]:
    """Return this process's environment, with the place of this code on the search path.

    The project need not be installed: a checkout's root, or site-packages, comes first.
    """
    environment = dict(os.environ)
    root = str(Path(inference.__path__[0]).absolute().parent)
    before = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = root if not before else root + os.pathsep + before
    return environment


@contextmanager
def life_line() -> Iterator[int]:
    """Give a short-lived child a standard input that ends when this process does, however it ends.

    The child calls ``settle.hold_life_line``.
    """
    child_end, own_end = os.pipe()
    try:
        yield child_end
    finally:
        os.close(child_end)
        os.close(own_end)


def no_window() -> int:
    """Return the creation flags of a child that shows no console window on Windows."""
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW
    return 0


def spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it with three pipes, no console window, no stray handles, and out of reach of Ctrl+C.

    Ctrl+C in a terminal goes to the program in front, which then asks the engine to stop.

    Raises:
        OSError: The system does not start it.
    """
    group: int | None = None
    flags = 0
    if sys.platform == "win32":
        flags = no_window() | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        group = 0
    return subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=engine_environment(),
        creationflags=flags,
        process_group=group,
    )
