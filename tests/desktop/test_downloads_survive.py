"""The whole window killed in the middle of a download, started again, and cut off again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator

REPO = Path(__file__).resolve().parents[2]
SIZE = 6_000_000
ROUNDS = 5
REPO_ID, FILE = "org/one", "one.gguf"

WINDOW = """
import sys
from PySide6.QtCore import QTimer
import desktop.app as application
from desktop.download_values import Wanted

def start(parts, _path):
    downloads = parts.downloads
    downloads.apply(parts.settings.settings().downloads)
    downloads.rows_changed.connect(lambda: [
        print(row.state, row.done_bytes, flush=True) for row in downloads.rows()
    ])
    parts.window.open_page("downloads")
    if sys.argv[1] == "ask":
        downloads.download(Wanted("org/one", "one.gguf", name="One"))
    downloads.begin()

application.start = start
sys.exit(application.main())
"""


class House:
    """Folders of one person, and windows on them."""

    def __init__(self, root: Path, endpoint: str) -> None:
        self.root = root
        self.models = root / "models"
        (root / "config").mkdir(parents=True)
        settings = {"downloads": {"go_on": True, "endpoint": endpoint}}
        (root / "config" / "settings.json").write_text(json.dumps(settings))

    def open(self, order: str) -> subprocess.Popen[str]:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name.upper() not in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN"}
        } | {
            "PYTHONPATH": str(REPO),
            "QT_QPA_PLATFORM": "offscreen",
            "GLASSHOUSE_HOME": str(self.root),
            "HF_HOME": str(self.root / "hf"),
        }
        words = [sys.executable, "-c", WINDOW, order]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)

    def on_disk(self) -> int:
        return max((part.stat().st_size for part in self.models.rglob("*.part")), default=0)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


def wait_for(window: subprocess.Popen[str], *states: str) -> str:
    """Read what the window says until a download is in one of the states."""
    assert window.stdout is not None
    for line in window.stdout:
        if line.split()[0] in states:
            return line.split()[0]
    return "ended"


def test_a_window_killed_again_and_again_loses_no_byte_and_goes_on_by_itself(
    hub: LocalHub, tmp_path: Path
) -> None:
    model = random.Random(1).randbytes(SIZE)
    hub.add(REPO_ID, {FILE: model})
    hub.faults.always(Fault("slow", at=1_200_000))
    house = House(tmp_path, hub.endpoint)
    chance = random.Random(5)
    sizes = [0]
    for number in range(ROUNDS):
        window = house.open("go on" if number else "ask")
        assert wait_for(window, "downloading") == "downloading"
        if number % 2:
            hub.drop_connections()  # the cable, just before the power
        time.sleep(chance.uniform(0.05, 0.6))
        window.kill()
        window.communicate()
        sizes.append(house.on_disk())
        assert not (house.models / REPO_ID / FILE).exists()
    assert sizes == sorted(sizes), "a kill took bytes away"
    assert sizes[-1] > sizes[1]
    hub.faults.clear()
    window = house.open("go on")
    try:
        assert wait_for(window, "finished", "failed", "aside") == "finished"
    finally:
        window.terminate()
        window.communicate()
    assert (house.models / REPO_ID / FILE).read_bytes() == model
    assert hub.asked("", "store")[-1].headers["range"] == f"bytes={sizes[-1]}-"


def test_a_window_killed_while_the_hub_is_asked_asks_again(hub: LocalHub, tmp_path: Path) -> None:
    hub.add(REPO_ID, {FILE: random.Random(1).randbytes(100_000)})
    hub.faults.always(Fault("stall", "api", seconds=30))
    house = House(tmp_path, hub.endpoint)
    window = house.open("ask")
    end = time.monotonic() + 30
    while not hub.requests:
        assert time.monotonic() < end
        time.sleep(0.01)
    window.kill()
    window.communicate()
    hub.drop_connections()
    hub.faults.clear()
    window = house.open("go on")
    try:
        assert wait_for(window, "finished", "failed", "aside") == "finished"
    finally:
        window.terminate()
        window.communicate()
    assert (house.models / REPO_ID / FILE).stat().st_size == 100_000
