"""How fast the memory reads here: what bounds an engine, which reads every weight per token."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BYTES: Final = 512 << 20  # no cache holds it
_ROUNDS: Final = 5


class MemoryReader:
    """Memory that so many threads read at once, again and again; 512 MB of it.

    Each looks for the largest number of its part, which waits for the memory and for nothing else.
    """

    def __init__(self, threads: int) -> None:
        import numpy as np  # noqa: PLC0415  only where it is measured

        numbers = np.zeros(_BYTES // 4, dtype=np.float32)
        numbers[:] = 1.0  # untouched pages would all be the same one
        self._parts: list[NDArray[np.float32]] = np.array_split(numbers, threads)
        self._pool = ThreadPoolExecutor(threads)

    def read(self) -> float:
        """Read all of it once; return the bytes per second."""
        started = perf_counter()
        # numpy lets the other threads run meanwhile
        list(self._pool.map(lambda part: part.max(), self._parts))
        return _BYTES / (perf_counter() - started)

    def close(self) -> None:
        """End the threads and free the memory."""
        self._pool.shutdown()
        self._parts = []


def read_bandwidth(threads: int) -> float:
    """Return the bytes per second that so many threads read at once: the fastest of a few tries.

    Takes about a third of a second and 512 MB.
    """
    with closing(MemoryReader(threads)) as reader:
        return max(reader.read() for _ in range(_ROUNDS))
