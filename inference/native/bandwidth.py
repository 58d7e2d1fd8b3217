"""How fast a graphics card's memory is: what a large copy there reads and writes.

The processor's counterpart is ``inference.bandwidth``.
"""

from __future__ import annotations

import statistics
from time import perf_counter
from typing import Final

import torch

from inference.native.device import choose_device, device_name, wait_for

COPY_BYTES: Final = 4 << 30
_FEWEST_BYTES: Final = 256 << 20  # less could stay in a card's own caches
_COPIES: Final = 20


def copy_bandwidth(device: torch.device, size: int) -> float:
    """Return the bytes per second that a copy of ``size`` bytes reads and writes, median.

    Takes twice that much memory on the device, and half a second at most on a card.
    """
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)

    def once() -> float:
        wait_for(device)
        began = perf_counter()
        target.copy_(source)
        wait_for(device)
        return perf_counter() - began

    once()
    return 2 * size / statistics.median(once() for _ in range(_COPIES))


def card_bandwidth(name: str) -> tuple[float, str]:
    """Return the speed of a card's memory, or 0 and a sentence that says why it is not known.

    Args:
        name: Of the card, as ``LoadedModel.device`` has it.
    """
    device, found = _gpu()
    if found != name:
        return 0.0, f"PyTorch measures it, and does not reach {name}"
    size = min(COPY_BYTES, _free_bytes(device) // 4)
    if size < _FEWEST_BYTES:
        return 0.0, f"the memory of {name} is full"
    try:
        return copy_bandwidth(device, size), ""
    except RuntimeError as exc:  # taken by others meanwhile, or the driver's own trouble
        return 0.0, f"PyTorch stopped at it ({str(exc).partition(chr(10))[0]:.160})"


def _gpu() -> tuple[torch.device, str]:
    """Return the device that PyTorch takes by itself, and its name; of the CPU none."""
    device, _why = choose_device("auto")
    return device, "" if device.type == "cpu" else device_name(device)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
