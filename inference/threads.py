"""How many threads an engine computes with, unless the person says otherwise."""

from __future__ import annotations

import os
from typing import Final

_TINY_PARAMETERS: Final = 30_000_000
_MOST: Final = 512


def choose_threads(asked: int | None, parameters: int) -> int:
    """Return the number of threads: as asked, else one per physical core, one for tiny models.

    Threads wait for each other after every matrix. Where a matrix takes microseconds and another
    program has a core, that wait is all there is: beside one busy process on two cores the starter
    model writes 150 tokens/s with two threads and 3,700 with one (``glasshouse bench
    starter-instruct --threads N``).

    Args:
        asked: The person's choice, ``None`` for the usual.
        parameters: Weights of the model.
    """
    if asked is not None:
        return max(1, min(asked, _MOST))
    return 1 if parameters < _TINY_PARAMETERS else physical_cores()


def physical_cores() -> int:
    """Return the physical cores this process may use; hyper-threads do not help decoding."""
    import psutil  # noqa: PLC0415  only where a model is loaded

    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # a container may see more cores than it may use
        allowed = len(os.sched_getaffinity(0))
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed))
