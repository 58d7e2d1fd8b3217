"""What ``bootstrap.py run`` adds to a start when everything is installed.

    python packaging/benchmarks/second_start.py

Pairs of whole processes in turns: bootstrap up to where it would hand over, and a Python that does
nothing. Printed are both medians and the difference; the limit is 0.3 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

PACKAGING = Path(__file__).resolve().parents[1]
PREPARE = (
    f"import sys; sys.path.insert(0, {str(PACKAGING)!r}); import bootstrap, machine; "
    "bootstrap.prepare(test=False); machine.has_display()"
)
ROUNDS = 15
LIMIT_S = 0.3


def seconds(code: str) -> float:
    """Return the wall time of one Python process that runs ``code``."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGING.parent)
    return time.perf_counter() - began


def main() -> int:
    """Measure and print; 1 when the limit is passed."""
    seconds(PREPARE)  # installs what is missing, which is not what is measured
    pairs = [(seconds(PREPARE), seconds("pass")) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"bootstrap {ours:.3f} s, bare Python {bare:.3f} s: adds {ours - bare:.3f} s")
    print(f"limit {LIMIT_S} s")
    return 0 if ours - bare <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
