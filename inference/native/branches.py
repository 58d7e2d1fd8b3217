"""Several continuations of one text, read side by side: what beam and contrastive search need.

Knows token ids only. The session's own cache stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from inference.native.kv_cache import KVCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.native.network import Network


class Branches:
    """Rows that begin alike and each go on in their own way, one token at a time.

    Args:
        network: On its device, ready to run.
        trunk: What all rows begin with; it is copied.
        count: Rows, R.
        room: Tokens that each row can grow by.
        watching: Makes passes inside it end with ``StoppedError`` when a stop is asked for.
    """

    @torch.inference_mode()
    def __init__(
        self,
        network: Network,
        trunk: KVCache,
        count: int,
        room: int,
        watching: Callable[[CancelToken], AbstractContextManager[None]],
    ) -> None:
        config = network.config
        self._network = network
        self._count = count
        self._trunk = trunk.length
        self._watching = watching
        # Asking for nothing more is the way to see what a cache holds.
        self._device = device = network.token_embedding.weight.device
        shape = (1, config.n_kv_heads, 0, config.head_width)
        nothing = torch.empty(shape, dtype=trunk.dtype, device=device)
        self._cache = KVCache(
            config, self._trunk + room, batch=count, dtype=trunk.dtype, device=device
        )
        self._cache.expected = trunk.expected
        for layer in range(config.n_layers):
            self._cache.append(layer, *trunk.append(layer, nothing, nothing))
        self._cache.advance(self._trunk)
        self._nothing = nothing.expand(count, -1, -1, -1)

    @torch.inference_mode()
    def read(self, tokens: Sequence[int], cancel: CancelToken) -> Tensor:
        """Read one more token in each row; return the residual stream there, (R', 1, C).

        Args:
            tokens: One per row; R' of them may be given where fewer rows than R are in use.
            cancel: Looked at in the middle of the pass.

        Raises:
            StoppedError: A stop was asked for; the rows are as before.
        """
        spare = [tokens[-1]] * (self._count - len(tokens))
        ids = torch.tensor([*tokens, *spare], device=self._device)[:, None]  # (R, 1)
        with self._watching(cancel):
            stream = self._network.read(ids, self._cache)  # (R, 1, C)
        return stream[: len(tokens)]

    @torch.inference_mode()
    def score(self, stream: Tensor) -> Tensor:
        """Return the logits after a stream (R', 1, C), float32 on the CPU, (R', V)."""
        return self._network.score(stream)[:, 0].float().cpu()

    @torch.inference_mode()
    def keep(self, rows: Sequence[int], length: int) -> None:
        """Go on from these rows: row i becomes a copy of what row ``rows[i]`` was.

        Args:
            rows: At most R places; a row may be named several times, or not at all.
            length: Newest tokens in which the rows may differ; older ones are left in place.
        """
        if list(rows) == list(range(len(rows))):
            return
        spare = [rows[-1]] * (self._count - len(rows))
        places = torch.tensor([*rows, *spare], device=self._device)  # (R,)
        start = self._cache.length - length
        layers = range(self._network.config.n_layers)
        newest = [
            tuple(
                part[:, :, start:].index_select(0, places)  # (R, H_kv, T, D)
                for part in self._cache.append(layer, self._nothing, self._nothing)
            )
            for layer in layers
        ]
        self._cache.truncate(start)
        for layer in layers:
            self._cache.append(layer, *newest[layer])
        self._cache.advance(length)
