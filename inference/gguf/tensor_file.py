"""The weights of a GGUF file as numbers, some rows of one tensor at a time.

For what llama.cpp computes with but does not hand out: the embedding table and the output head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import CorruptCheckpointError, UnsupportedRequestError
from inference.gguf.ggml import unpack
from inference.gguf.sizes import parts_of
from inference.library.gguf_header import read_header
from inference.library.gguf_types import TENSOR_TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from inference.inside.source import Numbers
    from inference.library.gguf_header import GgufHeader, TensorInfo

_TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}


class TensorFile:
    """All tensors of one model, those of a split one too.

    Args:
        path: The file, or the first part.

    Raises:
        InferenceError: A part is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._tensors: dict[str, tuple[Path, GgufHeader, TensorInfo]] = {}
        for part in parts_of(path):
            header = read_header(part)
            for tensor in header.tensors:
                self._tensors[tensor.name] = part, header, tensor

    def __contains__(self, name: str) -> bool:
        """Whether there is a tensor of that name."""
        return name in self._tensors

    def row_count(self, name: str) -> int:
        """Return the number of rows of a table."""
        tensor = self._find(name)[2]
        return tensor.elements // tensor.shape[0]

    def rows(self, name: str, start: int, end: int) -> Numbers:
        """Return rows ``start`` to ``end`` of a table as float32, (end - start, C).

        Raises:
            CorruptCheckpointError: The file has become shorter.
            InferenceError: There is no such tensor, or its type cannot be unpacked.
        """
        part, header, tensor = self._find(name)
        kind = _TYPES.get(tensor.type_name)
        width = tensor.shape[0]
        if kind is None or width % kind.block:
            raise UnsupportedRequestError(
                f"Weights of the type {tensor.type_name} cannot be shown.",
                "Choose a file with another quantisation.",
            )
        row_bytes = width // kind.block * kind.block_bytes
        wanted = (end - start) * row_bytes
        with part.open("rb") as file:
            file.seek(header.data_offset + tensor.offset + start * row_bytes)
            data = file.read(wanted)
        if len(data) < wanted:
            raise CorruptCheckpointError(
                f"{part.name} is shorter than it was.", "Download the file again."
            )
        return unpack(data, tensor.type_name, (end - start) * width).reshape(-1, width)

    def vector(self, name: str) -> Numbers:
        """Return a tensor of one dimension, (C,)."""
        numbers: Numbers = self.rows(name, 0, 1)[0]
        return numbers

    def _find(self, name: str) -> tuple[Path, GgufHeader, TensorInfo]:
        if name not in self._tensors:
            raise UnsupportedRequestError(
                f"The file has no tensor called {name}.", "Choose another model to look inside."
            )
        return self._tensors[name]
