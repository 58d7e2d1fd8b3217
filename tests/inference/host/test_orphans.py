"""No engine process outlives its window: the window is killed in the middle of things."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
