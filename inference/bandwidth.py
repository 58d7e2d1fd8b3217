"""How fast the memory reads here: what bounds an engine, which reads every weight per token."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BYTES: Final = 512 << 20  # no cache holds it
_ROUNDS: Final = 5


def read_bandwidth(threads: int) -> float:
    """Return the bytes per second that so many threads read at once: the fastest of a few tries.

    Each looks for the largest number of its part, which waits for the memory and for nothing else.
    Takes about a third of a second and 512 MB.
    """
    import numpy as np  # noqa: PLC0415  only where it is measured

    numbers = np.zeros(_BYTES // 4, dtype=np.float32)
    numbers[:] = 1.0  # untouched pages would all be the same one
    parts = np.array_split(numbers, threads)
    with ThreadPoolExecutor(threads) as pool:
        return max(_once(pool, parts) for _ in range(_ROUNDS))


def _once(pool: ThreadPoolExecutor, parts: list[NDArray[np.float32]]) -> float:
    started = perf_counter()
    list(pool.map(lambda part: part.max(), parts))  # numpy lets the other threads run meanwhile
    return _BYTES / (perf_counter() - started)
