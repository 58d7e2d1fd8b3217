"""Stored tensors read a few rows at a time, whatever their type: for writing them elsewhere.

The files are mapped: what is not asked for is not read, and what was read can go again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from inference.native.weights import opened

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from inference.native.weights import StoredTensor


class TensorRows:
    """One tensor as a table of rows, in float32.

    Args:
        stored: Where it lies.
        transposed: The table is the stored one on its side.
        file: The opened file.
    """

    def __init__(self, stored: StoredTensor, file: Any, *, transposed: bool) -> None:  # noqa: ANN401 - safetensors ships no types
        values: Tensor = file.get_tensor(stored.name)
        self._values = values.T if transposed else values

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns, or the length of a vector."""
        return tuple(self._values.shape)

    def read(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return some rows, in the order asked for."""
        picked = self._values[rows]
        values: NDArray[np.float32] = picked.float().contiguous().numpy()
        return values


class OpenFiles:
    """The files of one checkpoint, each opened once; a ``with`` block closes them."""

    def __init__(self) -> None:
        self._files: dict[Path, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.clear()

    def rows(self, stored: StoredTensor, *, transposed: bool = False) -> TensorRows:
        """Return one tensor's rows; raises ``CorruptCheckpointError`` where its file is damaged."""
        file = self._files.get(stored.file)
        if file is None:
            file = self._files[stored.file] = opened(stored.file)
        return TensorRows(stored, file, transposed=transposed)
