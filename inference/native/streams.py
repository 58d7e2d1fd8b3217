"""What a network made of each token it has read: the residual stream after its last block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from inference.native.config import NetworkConfig

_AT_FIRST = 1024


class Streams:
    """The stream at the positions of one text; the output head turns it into scores at any time.

    A row is a thirtieth to an eighth of what the cache keeps for the same position. The memory
    grows with the text.

    Args:
        config: Shape of the network.
        n_ctx: Positions there can be.
    """

    def __init__(self, config: NetworkConfig, n_ctx: int) -> None:
        self._rows = torch.zeros(0, config.width)  # (room, C)
        self._n_ctx = n_ctx
        self._first = 0
        self._length = 0

    @property
    def first(self) -> int:
        """The first position from which on all are known."""
        return self._first

    def add(self, stream: Tensor) -> None:
        """Take the stream of the positions that follow, (1, T, C)."""
        end = self._length + stream.shape[1]
        if end > len(self._rows):
            room = min(self._n_ctx, max(end, 2 * len(self._rows), _AT_FIRST))
            grown = stream.new_empty(max(room, end), stream.shape[2])
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        self._rows[self._length : end] = stream[0]
        self._length = end

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        self._length = min(self._length, length)
        self._first = min(self._first, self._length)

    def skip(self, count: int) -> None:
        """Start anew with a text of whose first ``count`` positions nothing is known."""
        self._first = self._length = count

    def knows(self, start: int, end: int) -> bool:
        """Say whether all positions from ``start`` to before ``end`` are known."""
        return self._first <= start and end <= self._length

    def part(self, start: int, end: int) -> Tensor:
        """Return the stream of known positions, (1, T, C)."""
        return self._rows[None, start:end]
