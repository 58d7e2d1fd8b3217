from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inference.cli.main import main
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPO = Path(__file__).resolve().parents[3]
FAKE = "tests.helpers.fake_engine:open_engine"


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Let Ctrl+C reach children also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every folder of the app under a fresh one, and no hurry from other threads."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GLASSHOUSE_HOME", str(folder))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("GLASSHOUSE_FAKE", raising=False)
    return folder


@pytest.fixture
def instruct(tmp_path: Path) -> Path:
    """A real file with a chat template."""
    return tiny_gguf(tmp_path / "tiny-instruct.gguf")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A real file without one."""
    return tiny_gguf(tmp_path / "tiny-base.gguf", chat_template=None)


@pytest.fixture
def fake_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run a command in this process, answered by the fake engine in its own process."""

    def run(*words: object, script: str = "") -> Outcome:
        monkeypatch.setenv("GLASSHOUSE_FAKE", script)
        try:
            status = main([str(word) for word in words], factory=FAKE)
        except SystemExit as end:
            status = int(str(end.code))
        said = capsys.readouterr()
        return Outcome(status, said.out, said.err)

    return run


def environment(**changes: str) -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(REPO)} | changes


def real_cli(*words: object, text: str | None = None, **changes: str) -> Outcome:
    """Run ``python -m inference`` as a person does, with the real engines."""
    done = subprocess.run(
        [sys.executable, "-m", "inference", *(str(word) for word in words)],
        input=None if text is None else text.encode(),
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        env=environment(**changes),
        check=False,
        timeout=120,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def fake_command(*words: object) -> list[str]:
    """Return a command line of the program with the fake engine, for a process of its own."""
    code = f"import sys; from inference.cli.main import main; sys.exit(main(factory={FAKE!r}))"
    return [sys.executable, "-c", code, *(str(word) for word in words)]
