"""Products of wide inputs in bfloat16 on the processor, each kept as two or more narrower matrices.

One position reads a matrix row by row, and each row meets the whole input. An input of 16 KB fills
half of a core's first cache, and the matrix comes in at two thirds to three quarters of the speed
(``packaging/benchmarks/parted.py``). In parts of its columns, each lying as one piece, it comes in
as fast as the others. In most models that is the product at the end of the MLP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.errors import InferenceError
from inference.native.layers import Linear, Part
from inference.native.weights import read_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

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
        parts = [part.contiguous() for part in weight.chunk(n_parts, dim=1)]
        self.parts = nn.ParameterList(nn.Parameter(part, requires_grad=False) for part in parts)
        self._weights = tuple(self.parts)
        self._sizes = [part.shape[1] for part in parts]

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W^T``: (B, T, in) becomes (B, T, out), and (in,) becomes (out,)."""
        product: Callable[[Tensor, Tensor], Tensor] = F.linear
        if x.numel() == self.n_in:
            product = _one_position
        pieces = zip(torch.split(x, self._sizes, dim=-1), self._weights, strict=True)
        total = product(*next(pieces))  # (B, T, out)
        for piece, weight in pieces:
            total = total + product(piece, weight)  # (B, T, out)
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


def _one_position(x: Tensor, weight: Tensor) -> Tensor:
    if x.ndim == 1:
        return torch.mv(weight, x)
    return torch.mv(weight, x.reshape(-1)).view(1, 1, -1)
