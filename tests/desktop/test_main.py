from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def glasshouse(*words: str, cwd: Path = REPO) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "desktop", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=dict(os.environ) | {"PYTHONPATH": str(REPO)},
    )


def test_a_word_that_is_neither_command_nor_file_is_wrong_usage() -> None:
    done = glasshouse("nonsense")
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("chats", "--help")])
def test_help_needs_no_window(words: tuple[str, ...]) -> None:
    done = glasshouse(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: glasshouse")


def test_a_command_wins_over_a_folder_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    assert "usage: glasshouse models" in glasshouse("models", cwd=tmp_path).stderr


def test_the_hidden_command_is_an_engine_process() -> None:
    done = glasshouse("engine-process", "--report", "native")
    assert done.returncode == 0
    assert '"available":true' in done.stdout


def test_commands_import_neither_qt_nor_the_window() -> None:
    code = (
        "import sys; from desktop.__main__ import main; "
        "main(['models', 'list']); main(['chats', 'list']); "
        "print([m for m in sys.modules if m.startswith(('PySide6', 'desktop.app', 'torch'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always one")
def test_without_a_display_the_window_says_so_and_points_to_the_terminal() -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [sys.executable, "-m", "desktop"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={name: value for name, value in os.environ.items() if name not in hidden},
    )
    assert done.returncode == 1
    assert "no display" in done.stderr
    assert "glasshouse run starter-instruct" in done.stderr
