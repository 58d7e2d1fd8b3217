"""The memory of a ``KVCache`` for passes of one token whose tensors never change their shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from inference.native.kv_cache import KVCache

_FIRST_ROOM: Final = 1024  # positions looked at in one go; then four times as many


class StaticCache:
    """A ``KVCache`` whose length is a tensor, so that no step differs in shape.

    Args:
        cache: Where the keys and values lie.
        device: Where that is.
        compiled: Whether the blocks will be compiled; on a GPU there is Triton then.
    """

    length = expected = 0  # asked by rotary scalings that depend on it; they are not compiled

    def __init__(self, cache: KVCache, device: torch.device, *, compiled: bool) -> None:
        self.place = torch.zeros(1, dtype=torch.long, device=device)  # (1,) of the new token
        self._n_ctx = cache.n_ctx
        places = torch.arange(cache.n_ctx, device=device)  # (n_ctx,)
        kernel = _kernel() if compiled and device.type == "cuda" else None
        seen = cache.n_ctx if kernel else min(_FIRST_ROOM, cache.n_ctx)
        self.layers = [
            LayerCache(layer, self.place, places, seen, kernel) for layer in cache.layers
        ]
        for part in (part for layer in cache.layers for part in layer):
            part.zero_()  # a masked position weighs nothing, but nothing times NaN is NaN

    def next_positions(self, count: int, device: torch.device) -> Tensor:
        """Return where the new token stands, (1,)."""
        del count, device
        return self.place

    def grow(self, place: int) -> bool:
        """Make sure that the new token is among the positions looked at; whether they grew."""
        seen = self.layers[0].seen
        if place < seen:
            return False
        while place >= seen:
            seen = min(4 * seen, self._n_ctx)
        for layer in self.layers:
            layer.seen = seen
        return True


class LayerCache:
    """What one block, compiled once for all, gets of the memory: its own keys and values.

    With a kernel of its own it appends and mixes in one go, reading no more than is filled.
    Otherwise a step looks at all ``seen`` positions; those not filled yet are masked.
    """

    def __init__(
        self,
        memory: tuple[Tensor, Tensor],
        place: Tensor,
        places: Tensor,
        seen: int,
        kernel: Callable[..., Tensor] | None,
    ) -> None:
        self._keys, self._values = memory  # (1, G, n_ctx, D) each
        self._place, self._places = place, places  # (1,), (n_ctx,)
        self._kernel = kernel
        self.mixes = kernel is not None
        self.seen = seen

    def mix(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        rules: tuple[float | None, int | None, float | None],
    ) -> Tensor:
        """Write the new position's key and value, (1, G, 1, D), and attend; only with a kernel.

        Args:
            query: Of the new position, (1, H, 1, D).
            key: Its key.
            value: Its value.
            rules: Scale, window and cap of ``attend``.

        Returns:
            The mixed values, (1, H, 1, D).
        """
        assert self._kernel is not None  # noqa: S101  asked before: ``mixes``
        scale, window, cap = rules
        return self._kernel(
            query.to(self._keys.dtype),
            key.to(self._keys.dtype),
            value.to(self._keys.dtype),
            self._keys,
            self._values,
            self._place,
            query.shape[-1] ** -0.5 if scale is None else scale,
            window or 0,
            cap or 0.0,
        )

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new position, (1, G, 1, D); return S of them, not all filled."""
        del layer  # it is this one
        self._keys.index_copy_(2, self._place, keys.to(self._keys.dtype))
        self._values.index_copy_(2, self._place, values.to(self._values.dtype))
        return self._keys[:, :, : self.seen], self._values[:, :, : self.seen]  # (1, G, S, D)

    def visible(self, window: int | None) -> Tensor:
        """Return which of the S positions the new one sees, (1, S)."""
        places = self._places[: self.seen]
        found = places <= self._place  # (S,)
        if window is not None:
            found &= places > self._place - window
        return found[None]


def _kernel() -> Callable[..., Tensor] | None:
    """Return the kernel that appends and mixes; None where there is no Triton."""
    try:
        from inference.native.gpu_attention import mix_newest  # noqa: PLC0415  needs Triton
    except ImportError:
        return None
    return mix_newest
