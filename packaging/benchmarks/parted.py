"""What it saves to keep the matrix of a wide input in parts: both ways in turns, one position.

    python packaging/benchmarks/parted.py

Prints how fast the matrix at the end of the MLP of the 1-billion shape (2,048 x 8,192, bfloat16)
comes in as one piece and in parts, beside one of as many numbers that meets a narrow input.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from inference.native.device import products_of
from inference.native.parted import PartedLinear
from inference.threads import physical_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

_MATRICES = 12  # 400 MB a side: no cache holds them
_ROUNDS = 15
_WIDTH, _INSIDE = 2048, 8192


def speed(products: Sequence[nn.Module], x: Tensor) -> float:
    """Return the bytes per second at which the matrices came in."""
    began = perf_counter()
    for product in products:
        product(x)
    return len(products) * _WIDTH * _INSIDE * 2 / (perf_counter() - began)


def main() -> int:
    """Measure, print, and return 0 where parts are the faster."""
    torch.set_num_threads(physical_cores())
    draw = partial(torch.randn, dtype=torch.bfloat16)
    wide = [draw(_WIDTH, _INSIDE) for _ in range(_MATRICES)]
    narrow = [PartedLinear(weight.view(_INSIDE, _WIDTH)) for weight in wide]
    sides: dict[str, tuple[Sequence[nn.Module], Tensor]] = {
        "as one piece": ([PartedLinear(weight, _INSIDE) for weight in wide], draw(_INSIDE)),
        "in parts": ([PartedLinear(weight) for weight in wide], draw(_INSIDE)),
        "of a narrow input": (narrow, draw(_WIDTH)),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    with torch.inference_mode(), products_of(1):
        for _ in range(_ROUNDS):
            for name, (products, x) in sides.items():
                found[name].append(speed(products, x))
    for name, speeds in found.items():
        print(f"{name:<18} {statistics.median(speeds) / 1e9:5.1f} GB/s")
    pairs = zip(found["in parts"], found["as one piece"], strict=True)
    ratio = statistics.median(parted / one for parted, one in pairs)
    print(f"parts to one piece: {ratio:.2f}")
    return 0 if ratio > 1 else 1


if __name__ == "__main__":
    raise SystemExit(main())
