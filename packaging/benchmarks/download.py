"""How our downloads compare with ``hf download`` over loopback: speed and memory.

    python packaging/benchmarks/download.py [--size-mb 2000] [--rounds 3]

Both commands fetch the same file, in turns, from the tests' local hub in a process of its own, so
that what else the computer does meets both. Times are of the whole commands, start included; ours
hashes everything and waits for the disk, theirs does neither. Printed are seconds of every round,
medians, their ratio (target 0.95), and the most memory: of the whole process, and what it grew by
after the first byte (target 64 MB).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.helpers.local_hub import LocalHub  # noqa: E402  packaging/ is no package

REPO = "bench/model-GGUF"
FILE = "model-Q4_K_M.gguf"
_MB = 1_000_000
_BLOCK = 1 << 24
_POLL_S = 0.01


def make_file(path: Path, size_bytes: int) -> None:
    """Write bytes that do not repeat within a block."""
    block = os.urandom(_BLOCK)
    with path.open("wb") as file:
        while size_bytes > 0:
            size_bytes -= file.write(block[:size_bytes])


def serve(path: Path) -> None:
    """Serve one file until standard input ends; the address is the first line said."""
    with LocalHub() as hub:
        hub.add(REPO, {FILE: path})
        print(json.dumps({"endpoint": hub.endpoint}), flush=True)
        sys.stdin.read()


def measure(command: list[str], environment: dict[str, str], folder: Path) -> dict[str, float]:
    """Run a command; return seconds, and megabytes of memory at most, before and by growth."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    watched = psutil.Process(process.pid)
    most = before = 0
    while process.poll() is None:
        try:
            resident = watched.memory_info().rss
        except psutil.Error:
            break
        most = max(most, resident)
        if not _has_bytes(folder):
            before = max(before, resident)
        time.sleep(_POLL_S)
    process.wait()
    seconds = time.perf_counter() - began
    said = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{said}")
    return {"seconds": seconds, "most_mb": most / _MB, "grown_mb": (most - before) / _MB}


def _has_bytes(folder: Path) -> bool:
    return any(one.is_file() and one.stat().st_size > _BLOCK for one in folder.rglob("*"))


def compare(endpoint: str, scratch: Path, rounds: int, size_bytes: int) -> None:
    """Run both in turns and print what came out."""
    hf = Path(sys.executable).with_name("hf.exe" if os.name == "nt" else "hf")
    environment = dict(os.environ) | {
        "HF_ENDPOINT": endpoint,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(ROOT),
    }
    results: dict[str, list[dict[str, float]]] = {"ours": [], "hf": []}
    for number in range(rounds):
        for name in ("ours", "hf") if number % 2 == 0 else ("hf", "ours"):
            folder = scratch / f"{name}-{number}"
            folder.mkdir()
            ours = [sys.executable, "-m", "inference", "models", "pull", REPO, "--json"]
            theirs = [str(hf), "download", REPO, FILE, "--local-dir", str(folder)]
            own = {"GLASSHOUSE_HOME": str(folder), "HF_HOME": str(folder / "hf-home")}
            command = ours if name == "ours" else theirs
            results[name].append(measure(command, environment | own, folder))
            _report(name, results[name][-1], size_bytes)
            shutil.rmtree(folder)
    median = {
        name: statistics.median(one["seconds"] for one in runs) for name, runs in results.items()
    }
    print(f"speed ours / hf: {median['hf'] / median['ours']:.3f} (target 0.95)")
    grown = max(one["grown_mb"] for one in results["ours"])
    print(f"memory for the download, ours: {grown:.1f} MB (target 64)")


def _report(name: str, run: dict[str, float], size_bytes: int) -> None:
    rate = size_bytes / _MB / run["seconds"]
    print(
        f"{name:4}  {run['seconds']:6.2f} s  {rate:7.0f} MB/s  "
        f"{run['most_mb']:6.1f} MB at most, {run['grown_mb']:5.1f} MB of it for the download",
        flush=True,
    )


def main() -> None:
    """Make the file, start the hub, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size-mb", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    with tempfile.TemporaryDirectory(prefix="download-bench-") as name:
        scratch = Path(name)
        size_bytes = arguments.size_mb * _MB
        make_file(scratch / FILE, size_bytes)
        hub = subprocess.Popen(
            [sys.executable, __file__, "--serve", str(scratch / FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert hub.stdout is not None
            endpoint = json.loads(hub.stdout.readline())["endpoint"]
            compare(endpoint, scratch, arguments.rounds, size_bytes)
        finally:
            hub.communicate(timeout=20)


if __name__ == "__main__":
    main()
