"""No engine process outlives its window: the window is killed in the middle of things."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.helpers.processes import gone_within, is_gone

REPO = Path(__file__).resolve().parents[3]
WINDOW = """
import sys, threading
from inference.cancel import CancelToken
from inference.host.client import EngineClient
from inference.types import GenerationRequest, LoadOptions

clients = [EngineClient("tests.helpers.fake_engine:open_engine") for _ in range(2)]
for client in clients:
    client.load(LoadOptions("fake:" + sys.argv[1], "native"))
streams = [client.generate(GenerationRequest("r", text="x"), CancelToken()) for client in clients]
for stream in streams:
    next(stream)
print(*(client.pid for client in clients), flush=True)
threading.Event().wait()
"""


def open_window(script: str) -> tuple[subprocess.Popen[str], list[int]]:
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW, script], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    assert window.stdout is not None
    return window, [int(pid) for pid in window.stdout.readline().split()]


def end(window: subprocess.Popen[str]) -> None:
    window.kill()
    window.communicate()


@pytest.mark.parametrize(
    "script",
    [
        "prefill_s=60,stubborn=1",
        "rate=500,tokens=100000",
        pytest.param(
            "busy=1",
            marks=pytest.mark.skipif(
                sys.platform not in {"linux", "win32"},
                reason="elsewhere only the end of the pipe tells, and that needs the interpreter",
            ),
        ),
    ],
    ids=["in a prefill that does not listen", "while streaming", "in a native call"],
)
def test_engines_are_gone_3_s_after_their_window_was_killed(script: str) -> None:
    window, pids = open_window(script)
    assert len(pids) == 2
    assert not any(is_gone(pid) for pid in pids)
    end(window)
    assert all(gone_within(pid, 3) for pid in pids)


def test_engines_are_gone_when_the_program_ends_without_closing_them() -> None:
    window, pids = open_window("rate=50,tokens=100000")
    window.terminate()
    window.communicate()
    assert all(gone_within(pid, 3) for pid in pids)


PROBING = """
import sys
from pathlib import Path
from inference.gguf import probe

probe.run_child(probe._command(Path(sys.argv[1]), extra_bufts=True))
"""
HELD = """
import sys
from inference.gguf import probe

held = "from inference.host.settle import hold_life_line as hold; hold(); import time; "
probe.run_child([sys.executable, "-c", held + "time.sleep(60)"])
"""


def child_of(parent: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if children := psutil.Process(parent.pid).children():
            return children[0].pid
        time.sleep(0.02)
    raise AssertionError


@pytest.mark.skipif(sys.platform == "win32", reason="a named pipe holds the child in a native call")
def test_a_processor_probe_is_gone_3_s_after_its_parent_was_killed(tmp_path: Path) -> None:
    endless = tmp_path / "probe.gguf"
    os.mkfifo(endless)
    parent = subprocess.Popen([sys.executable, "-c", PROBING, str(endless)], cwd=REPO)
    pid = child_of(parent)
    time.sleep(1.0)  # by now it waits in llama.cpp for somebody to write
    assert not is_gone(pid)
    parent.kill()
    parent.wait()
    assert gone_within(pid, 3)


def test_the_life_line_alone_ends_a_child_whose_parent_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", HELD], cwd=REPO)
    pid = child_of(parent)
    time.sleep(0.5)
    assert not is_gone(pid)
    parent.kill()
    parent.wait()
    assert gone_within(pid, 3)
