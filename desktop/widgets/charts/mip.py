"""A large matrix in fewer cells: each the maximum of what it stands for, so that no look is lost.

An average would hide a single strong look, and drawing a large picture small would drop rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float32]


def pooled(numbers: Numbers, rows: int, columns: int) -> Numbers:
    """Return at most so many rows and columns, (rows, columns)."""
    for axis, count in enumerate((rows, columns)):
        have = numbers.shape[axis]
        if 0 < count < have:
            firsts = -(-np.arange(count) * have // count)
            numbers = np.maximum.reduceat(numbers, firsts, axis=axis)
    return numbers
