"""What holds for every test: no display, a home of its own, and nothing left behind."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of several tests would fight for the cores
# Numbers are held to those of the processor; and llama.cpp's CUDA build ends a process that has
# PyTorch's in it (CONTRIBUTING.md). So a card is shown only to who asks for it.
if not os.environ.get("GLASSHOUSE_TEST_GPU"):
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
# The reference's own advice; where ``CI`` is set it would reach ``no_unexpected_log``.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

_SETTLE_S = 5.0


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what Qt's offscreen platform says about every window with a least size."""
    config.addinivalue_line("qt_log_ignore", "This plugin does not support propagateSizeHints")


@pytest.fixture(scope="session", autouse=True)
def glasshouse_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep every test away from the person's own chats, settings and models."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSHOUSE_HOME", str(home))
        yield home


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread, a process or a window."""
    threads = set(threading.enumerate())
    processes = set(_children())
    yield
    late = [thread.name for thread in threading.enumerate() if _stays(thread, threads)]
    assert not late, f"threads left: {late}"
    _, alive = psutil.wait_procs(
        [one for one in _children() if one not in processes], timeout=_SETTLE_S
    )
    assert not alive, f"processes left: {alive}"
    assert not _windows(), f"windows left: {_windows()}"


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which something was logged at WARNING or above; ``caplog`` expects it."""
    if "caplog" in request.fixturenames:
        yield
        return
    seen = _Seen()
    logging.getLogger().addHandler(seen)
    yield
    logging.getLogger().removeHandler(seen)
    assert not seen.lines, f"logged without being expected: {seen.lines}"


class _Seen(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


def _children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE
    ]


def _stays(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    if thread in before or thread is threading.current_thread():
        return False
    thread.join(_SETTLE_S)
    return thread.is_alive()


def _windows() -> list[str]:
    import sys

    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return []
    return [repr(window) for window in widgets.QApplication.topLevelWidgets() if window.isVisible()]
