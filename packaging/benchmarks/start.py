"""How long from process start to a painted window, and how much memory it takes.

Starts the real application several times in fresh processes, each with an empty home, and looks
from inside through a driver that hooks the window's first paint. Prints one line a run and the
median; ends with 1 where a limit is missed.

    python packaging/benchmarks/start.py [--runs 7] [--warm-ups 2]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
MOST_SECONDS = 0.5
MOST_RESIDENT_MB = 120.0
HEAVY = ("torch", "llama_cpp", "tokenizers", "transformers", "huggingface_hub")

# Time runs from just before the process is made, so the interpreter's start counts too. (The start
# that the system reports is off by up to a second where it counts from a boot in whole seconds.)
DRIVER = """
import json, sys, time
import desktop.app as app
from PySide6.QtCore import QEvent, QObject, QTimer

class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.property("seen"):
            self.setProperty("seen", True)
            QTimer.singleShot(0, report)  # runs when the paint has been handed to the system
        return False

def report():
    painted = time.time()
    import psutil
    this = psutil.Process()
    heavy = [name for name in HEAVY if name in sys.modules]
    with open(OUT, "w") as file:
        json.dump({"painted": painted, "resident": this.memory_info().rss, "heavy": heavy,
                   "cpu": sum(this.cpu_times()[:2])}, file)
    QTimer.singleShot(0, parts_of["window"].close)

parts_of = {}
build = app.build
def building(*arguments):
    parts = build(*arguments)
    parts_of["window"] = parts.window
    parts_of["eye"] = FirstPaint()
    parts.window.installEventFilter(parts_of["eye"])
    return parts
app.build = building
app.start = lambda *_: None  # what comes after the first paint is not part of this measure
sys.exit(app.main())
"""


def main() -> int:
    """Measure and print; 1 where a limit is missed, 2 where there is no display."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--warm-ups", type=int, default=2)
    arguments = parser.parse_args()
    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not shown and "QT_QPA_PLATFORM" not in os.environ:
        print("No display here. Set DISPLAY, or QT_QPA_PLATFORM=offscreen.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as bytecode:
        runs = [one_run(bytecode) for _ in range(arguments.warm_ups + arguments.runs)]
    runs = runs[arguments.warm_ups :]
    for run in runs:
        print(
            f"painted after {run['seconds']:.3f} s  (processor time {run['cpu']:.3f} s)  "
            f"resident {run['resident_mb']:.1f} MB"
        )
    seconds = statistics.median(run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    resident = statistics.median(run["resident_mb"] for run in runs)
    heavy = sorted({name for run in runs for name in run["heavy"]})
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"median {seconds:.3f} s, processor time {cpu:.3f} s, {resident:.1f} MB")
    print(f"limits {MOST_SECONDS} s, {MOST_RESIDENT_MB:.0f} MB")
    print(f"engine libraries in the window's process: {', '.join(heavy) or 'none'}")
    print(f"load of this computer: {load:.1f} on {os.cpu_count()} cores")
    kept = seconds <= MOST_SECONDS and resident <= MOST_RESIDENT_MB and not heavy
    return 0 if kept else 1


def one_run(bytecode: str) -> dict[str, float]:
    """Start the application once and return what was measured; ``bytecode`` is a kept folder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        driver = DRIVER.replace("OUT", repr(str(out))).replace("HEAVY", repr(HEAVY))
        environment = os.environ | {"GLASSHOUSE_HOME": folder, "PYTHONPATH": str(REPO)}
        # As everywhere else but where one develops: modules are compiled once, then kept.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        before = time.time()
        subprocess.run([sys.executable, "-c", driver], env=environment, cwd=REPO, check=True)
        report = json.loads(out.read_text("utf-8"))
    return {
        "seconds": report["painted"] - before,
        "resident_mb": report["resident"] / 1e6,
        "cpu": report["cpu"],
        "heavy": report["heavy"],
    }


if __name__ == "__main__":
    sys.exit(main())
