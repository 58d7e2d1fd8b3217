"""Stored tensors read a few rows at a time and in another type: for writing them elsewhere.

The file is mapped only as long as its tensor is read: what is not asked for is not read, and what
was read can go again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch

from inference.native.weights import opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from inference.native.weights import StoredTensor

Rows: TypeAlias = "slice | NDArray[np.int64]"
"""Which rows of a table, in the order asked for."""

NumberType: TypeAlias = Literal["F32", "F16", "BF16"]

_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class TensorRows:
    """One tensor as a table of rows.

    Args:
        stored: Where it lies.
        transposed: The table is the stored one on its side.

    Raises:
        CorruptCheckpointError: Its file is damaged.
    """

    def __init__(self, stored: StoredTensor, *, transposed: bool = False) -> None:
        values = opened(stored.file).get_tensor(stored.name)
        self._values = values.T if transposed else values

    def read(self, rows: Rows, as_type: NumberType) -> NDArray[Any]:
        """Return some rows, rounded to nearest; numpy has no bfloat16, so its bits as uint16."""
        picked = self._values[rows].to(_TYPES[as_type]).contiguous()
        numbers: NDArray[Any] = (picked.view(torch.uint16) if as_type == "BF16" else picked).numpy()
        return numbers
