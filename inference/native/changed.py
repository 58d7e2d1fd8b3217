"""A network with parts switched off that writes on: it keeps what it has read, apart from the chat.

The session's cache holds what the unchanged network made of a text, so a changed run has its own.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch

from inference.inside.questions import EdgeOff
from inference.native.device import products_of
from inference.native.kv_cache import KVCache
from inference.native.scaling import must_read_anew
from inference.native.switches import switched_off

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.inside.questions import Change
    from inference.native.network import Network

_ROOM = 64  # tokens that may be written after a text before it is read anew


class ChangedReading:
    """The newest changed run; a text that is one token longer costs one token.

    Args:
        network: On its device, ready to run.
        device: Where the weights are.
        stoppable: Looks for a stop before each block while it is entered.
    """

    def __init__(
        self,
        network: Network,
        device: torch.device,
        stoppable: Callable[[CancelToken], AbstractContextManager[None]],
    ) -> None:
        self._network = network
        self._device = device
        self._stoppable = stoppable
        self._changes: tuple[Change, ...] = ()
        self._ids: list[int] = []
        self._cache: KVCache | None = None

    @torch.inference_mode()
    def newest(self, ids: Sequence[int], changes: Sequence[Change], cancel: CancelToken) -> Tensor:
        """Return the stream at the last of ``ids`` under these changes, (1, 1, C)."""
        cache = self._cache
        if cache is None or not self._goes_on(ids, changes):
            # Hooks on single looks need the whole text in one pass.
            cache = self._begin(len(ids))
            new, hooked = list(ids), tuple(changes)
        else:
            new = list(ids[-1:])
            hooked = tuple(one for one in changes if not isinstance(one, EdgeOff))
        tokens = torch.tensor([new], device=self._device)  # (1, T)
        self._cache = None  # a pass that is stopped leaves nothing to go on from
        with ExitStack() as stack:
            for handle in switched_off(self._network, hooked):
                stack.callback(handle.remove)
            stack.enter_context(self._stoppable(cancel))
            stack.enter_context(products_of(len(new)))
            stream = self._network.read(tokens, cache)  # (1, T, C)
        self._cache, self._ids, self._changes = cache, list(ids), tuple(changes)
        return stream[:, -1:]

    def drop(self) -> None:
        """Let go of the memory."""
        self._cache = None

    def _begin(self, length: int) -> KVCache:
        dtype = self._network.dtype or self._network.token_embedding.weight.dtype
        return KVCache(self._network.config, length + _ROOM, dtype=dtype, device=self._device)

    def _goes_on(self, ids: Sequence[int], changes: Sequence[Change]) -> bool:
        cache = self._cache
        return (
            cache is not None
            and self._changes == tuple(changes)
            and self._ids == list(ids[:-1])
            and len(ids) <= cache.n_ctx
            and not must_read_anew(self._network.config.rope_scaling, len(self._ids), len(ids))
        )
