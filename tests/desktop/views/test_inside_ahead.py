"""What the Inside page draws with is there before the page is opened."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.helpers.assets import REPO

if TYPE_CHECKING:
    from pathlib import Path

CHAT = """
import sys
from PySide6.QtCore import QTimer
import desktop.app as application

found = []

def start(parts, path):
    found.append("numpy" in sys.modules)
    parts.engines.state_changed.connect(lambda state: follow(parts, state))
    parts.engines.load_default()

def follow(parts, state):
    if state.status == "ready" and len(found) == 1:
        found.append("numpy" in sys.modules)
        parts.chats.send("What is a token?")
        QTimer.singleShot(0, lambda: look(parts))

def look(parts):
    if parts.engines.state().status == "ready" and "numpy" in sys.modules:
        found.append(True)
        application.QApplication.closeAllWindows()
    else:
        QTimer.singleShot(50, lambda: look(parts))

application.start = start
status = application.main()
print(found)
sys.exit(status)
"""


def test_numpy_is_imported_once_the_first_answer_has_ended(tmp_path: Path) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "GLASSHOUSE_HOME": str(tmp_path), "PYTHONPATH": str(REPO),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CHAT], env=environment, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == "[False, False, True]"
