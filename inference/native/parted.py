"""Products of wide inputs in bfloat16 on the processor, each kept as two or more narrower matrices.

One position reads a matrix row by row, and each row meets the whole input. An input of 16 KB fills
half of a core's first cache, and the matrix comes in at 64 to 82 % of the speed of others
(``packaging/benchmarks/parted.py``). In parts of its columns, each lying as one piece, it comes in
nearly as fast. In most models that is the product at the end of the MLP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from inference.errors import InferenceError
from inference.native.layers import Linear, Part
from inference.native.weights import read_tensor

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.engine import ProgressSink
    from inference.native.network import Network
    from inference.native.weights import Checkpoint

WIDE: Final = 8192
"""Numbers of an input from which on it is parted: 16 KB of a first cache of 32 or 48 KB."""

PART: Final = 4096
"""Numbers of the input that one part takes at most."""


class PartedLinear(Part):
    """``x W^T`` as the sum of the products with parts of ``W``'s columns.

    Each part's result is rounded before they are added, so that the result is rounded once more
    for every part.

    Args:
        weight: The matrix, (out, in); it is copied.
        widest: Columns of a part at most.
    """

    def __init__(self, weight: Tensor, widest: int = PART) -> None:
        super().__init__()
        self.n_in = weight.shape[1]
        n_parts = -(-self.n_in // widest)
        self._parts = tuple(map(_product, weight.chunk(n_parts, dim=1)))
        self.parts = nn.ModuleList(self._parts)  # where PyTorch expects them
        self._sizes = [part.n_in for part in self._parts]

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W^T``: (B, T, in) becomes (B, T, out), and (in,) becomes (out,)."""
        first, *others = torch.split_with_sizes(x, self._sizes, -1)
        total: Tensor = self._parts[0](first)  # (B, T, out)
        for part, piece in zip(self._parts[1:], others, strict=True):
            total = total + part(piece)  # (B, T, out)
        return total


def part_wide_products(
    network: Network,
    checkpoint: Checkpoint,
    progress: ProgressSink | None = None,
    cancel: CancelToken | None = None,
) -> None:
    """Put the products of wide inputs in parts, of a network that runs in the type it is stored in.

    The matrices are read from a mapping that goes again, so that they are in memory once.

    Raises:
        CorruptCheckpointError: A file cannot be read to its end.
        InferenceError: Loading was cancelled.
    """
    names = [name for name, part in network.named_modules() if _is_wide(part)]
    for done, name in enumerate(names):
        if cancel is not None and cancel.cancelled:
            raise InferenceError("Loading was stopped.")
        if progress is not None:
            progress(done / len(names))
        weight = read_tensor(checkpoint.tensors[f"{name}.weight"])
        network.set_submodule(name, PartedLinear(weight))
    if progress is not None:
        progress(1.0)


def _is_wide(part: nn.Module) -> bool:
    return isinstance(part, Linear) and part.bias is None and part.n_in >= WIDE


def _product(weight: Tensor) -> Linear:
    """Return the product with a copy of some columns, (out, n)."""
    made = Linear(weight.shape[1], weight.shape[0], bias=False)
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    return made
