"""What a network remembers of the tokens it has read: one key and one value per token and layer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from inference.native.config import NetworkConfig


class KVCache:
    """Room for ``n_ctx`` positions, filled from the front, forgotten from the back.

    A forward pass writes each layer with ``append`` and then calls ``advance`` once. The memory is
    taken whole at the start, so that a long answer never has to move it.

    Args:
        config: Shape of the network.
        n_ctx: Positions to make room for.
        batch: Sequences read side by side, B.
        dtype: Type of the keys and values; that of the weights.
        device: Where they live; where the weights are.
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_ctx: int,
        *,
        batch: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        shape = (config.n_layers, batch, config.n_kv_heads, n_ctx, config.head_width)
        self._keys = torch.empty(shape, dtype=dtype, device=device)  # (layer, B, H_kv, n_ctx, D)
        self._values = torch.empty(shape, dtype=dtype, device=device)  # the same
        self.layers = tuple(zip(self._keys.unbind(), self._values.unbind(), strict=True))
        """Keys and values of each layer at full length, (B, H_kv, n_ctx, D) each."""
        self.n_ctx = n_ctx
        self.expected = 0
        """Positions the prompt will fill; set before its first part where it comes in parts.

        Some rotary scalings depend on the length of the whole text.
        """
        self._length = 0
        self._opened = (-1, -1)
        self._views: tuple[tuple[Tensor, Tensor, Tensor, Tensor], ...] = ()

    @property
    def length(self) -> int:
        """Positions that are filled."""
        return self._length

    @property
    def dtype(self) -> torch.dtype:
        """Type of the keys and values."""
        return self._keys.dtype

    @property
    def size_bytes(self) -> int:
        """Memory at full context."""
        return self._keys.nbytes + self._values.nbytes

    def next_positions(self, count: int, device: torch.device) -> Tensor:
        """Return where the next ``count`` tokens will stand, (T,)."""
        return torch.arange(self._length, self._length + count, device=device)

    def visible(self, window: int | None) -> None:
        """Return no mask: what ``append`` returns is filled, and ``attend`` knows its order."""

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write T new positions of one layer, (B, H_kv, T, D); return all S positions so far.

        Raises:
            ValueError: There is no room; the caller has to check that before.
        """
        count = keys.shape[2]
        if self._opened != (self._length, count):
            self._open(count)
        new_keys, new_values, all_keys, all_values = self._views[layer]
        new_keys.copy_(keys)
        new_values.copy_(values)
        return all_keys, all_values  # (B, H_kv, S, D)

    def _open(self, count: int) -> None:
        """Make every layer's views of the next ``count`` positions and of all up to them.

        All layers at once: cutting them out one by one takes as long as a norm.
        """
        end = self._length + count
        if end > self.n_ctx:
            raise ValueError(f"{end} positions do not fit into a cache of {self.n_ctx}")
        parts = (self._keys, self._values)
        new = (part.narrow(3, self._length, count).unbind() for part in parts)
        seen = (part.narrow(3, 0, end).unbind() for part in parts)
        self._views = tuple(zip(*new, *seen, strict=True))
        self._opened = (self._length, count)

    def advance(self, count: int) -> None:
        """Count ``count`` positions as filled, after every layer has written them."""
        self._length += count

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on; a longer length changes nothing."""
        self._length = min(self._length, max(0, length))

    @contextmanager
    def aside(self, length: int) -> Iterator[None]:
        """Hold only the first ``length`` positions for one more token; then all is as before."""
        before, place = self._length, slice(length, length + 1)
        kept = [
            (tensor, tensor[:, :, :, place].clone()) for tensor in (self._keys, self._values)
        ]  # (layer, B, H_kv, 1, D) each
        self._length = length
        try:
            yield
        finally:
            self._length = before
            for tensor, one in kept:
                tensor[:, :, :, place] = one

    def copy_out(self) -> tuple[Tensor, Tensor]:
        """Return copies of the filled keys and values on the CPU, (layer, H_kv, S, D) each.

        Only for a cache of one sequence.
        """
        filled = (slice(None), 0, slice(None), slice(self._length))
        keys, values = self._keys[filled], self._values[filled]  # (layer, H_kv, S, D)
        form = torch.contiguous_format
        return (
            keys.cpu().clone(memory_format=form),
            values.cpu().clone(memory_format=form),
        )

    def copy_in(self, keys: Tensor, values: Tensor) -> None:
        """Hold these S positions and nothing else; the inverse of ``copy_out``.

        Raises:
            ValueError: They are of another network, or do not fit.
        """
        layers, _, heads, room, width = self._keys.shape
        count = keys.shape[2] if keys.dim() == 4 else -1
        if not (keys.shape == values.shape == (layers, heads, count, width) and count <= room):
            raise ValueError(f"keys of shape {tuple(keys.shape)} are not of this cache")
        if not keys.dtype == values.dtype == self._keys.dtype:
            raise ValueError(f"keys of type {keys.dtype} are not of this cache")
        self._keys[:, 0, :, :count] = keys.to(self._keys.device)
        self._values[:, 0, :, :count] = values.to(self._values.device)
        self._length = count
