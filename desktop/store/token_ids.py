"""The tokens that a model wrote, kept with its answer: cut anew, its text may give others.

Packed as unsigned 32-bit numbers, little endian: first how many characters of the answer's text
stand before these tokens (an answer that was continued: that part was read, not written), then
their ids.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TokenIds:
    """Collects ids while an answer is written.

    Args:
        start: Characters of the answer's text before the first of them.
    """

    def __init__(self, start: int) -> None:
        self._numbers = array("I", (start,))

    def extend(self, ids: Iterable[int]) -> None:
        """Add what was written."""
        self._numbers.extend(ids)

    def packed(self) -> bytes:
        """Return all of it as it is kept; empty where nothing was written."""
        if len(self._numbers) == 1:
            return b""
        return _little(self._numbers).tobytes()


def unpack(packed: bytes) -> tuple[int, tuple[int, ...]]:
    """Return the characters before, and the ids; none where nothing sound was kept."""
    numbers = array("I")
    if not packed or len(packed) % numbers.itemsize:
        return 0, ()
    numbers.frombytes(packed)
    start, *ids = _little(numbers)
    return start, tuple(ids)


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return numbers
    swapped = array("I", numbers)
    swapped.byteswap()
    return swapped
