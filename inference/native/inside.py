"""The inside of a native network, read by hooks during an ordinary pass.

Nothing is computed twice but what attention does not keep: its weights are made again from the
queries and keys of the same pass.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from inference.inside.attention import LastLook
from inference.inside.products import Products
from inference.inside.reading import StoppedLookError
from inference.inside.surprise import LastSurprise
from inference.native.changed import ChangedReading
from inference.native.head import NativeHead
from inference.native.session import StoppedError
from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from inference.cancel import CancelToken
    from inference.inside.questions import Change
    from inference.inside.source import Numbers, TakeRows
    from inference.native.network import Network
    from inference.native.session import Session

_ROWS = 256  # positions whose attention is made at a time
_VECTORS = 4096  # rows of the embedding table at a time
_SCORED = 64  # rows that go through the output head at a time


class _SeenEnoughError(Exception):
    """What was asked for has been seen: the rest of the pass is not needed."""


class NativeSource:
    """Fulfils ``inference.inside.source.Source``.

    Args:
        network: On its device, ready to run.
        session: Its cache, for what comes next.
        n_ctx: Tokens that a pass can take.
        text_of: Text of a token.
        check_ids: Refuses ids that do not exist.
        ends: Ids that end an answer.
        piece: A token for people.
        make_ready: Called with a text before the session forgets another one for it.
    """

    def __init__(
        self,
        network: Network,
        session: Session,
        n_ctx: int,
        text_of: Callable[[int], str],
        check_ids: Callable[[Sequence[int]], None],
        *,
        ends: Collection[int] = (),
        piece: Callable[[int], TokenPiece] = lambda one: TokenPiece(one, str(one)),
        make_ready: Callable[[Sequence[int]], None] = lambda _ids: None,
    ) -> None:
        self._network = network
        self._session = session
        self.n_ctx = n_ctx
        self.n_vocab = network.config.vocab_size
        self.n_layers = network.config.n_layers
        self.n_heads = network.config.n_heads
        self.last_look = LastLook()
        self.last_parts = LastLook()
        self.last_surprise = LastSurprise()
        self.goes_on = True
        self.head = NativeHead(network)
        self.text_of = text_of
        self.check_ids = check_ids
        self.ends = ends
        self.piece = piece
        self._make_ready = make_ready
        self._scale = network.config.residual_scale
        self._device = network.token_embedding.weight.device
        self._changed = ChangedReading(network, self._device, self._stoppable)

    def next_logits(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the scores of what may follow, (V,); a text in the cache is not read again."""
        try:
            found = self._session.logits_behind(ids, cancel)
            if found is None:
                self._make_ready(ids)
                for _ in self._session.prefill(ids[self._session.reuse(ids) :], cancel):
                    pass
                found = self._session.next_logits()
        except StoppedError:
            raise StoppedLookError from None
        return _numbers(found)

    def logits_after_each(
        self, ids: Sequence[int], cancel: CancelToken, first: int = 0
    ) -> Iterator[Numbers]:
        """Yield the scores after each position from ``first`` on, (T', V)."""
        if not self._session.holds(ids, first):
            self._make_ready(ids)
        try:
            for logits in self._session.scored(ids, cancel, first):
                yield _numbers(logits)
        except StoppedError:
            raise StoppedLookError from None

    def attention(
        self, ids: Sequence[int], layers: Sequence[int], take: TakeRows, cancel: CancelToken
    ) -> None:
        """Run one pass and hand over the weights of these layers."""
        handles = []

        def show(layer: int) -> Callable[[Any, tuple[Any, ...]], None]:
            def before(attention: Any, inputs: tuple[Any, ...]) -> None:  # noqa: ANN401  a module
                query, key, _ = attention.heads(inputs[0], inputs[1])  # (1, H, T, D), (1, G, T, D)
                for start in range(0, query.shape[2], _ROWS):
                    _check(cancel)
                    end = min(start + _ROWS, query.shape[2])
                    rows = attention.look(query[:, :, start:end], key[:, :, :end])  # (1, H, t, S)
                    take(layer, start, _numbers(rows[0]))
                if layer == max(layers):
                    raise _SeenEnoughError

            return before

        for layer in layers:
            part = self._block(layer).attention
            handles.append(part.register_forward_pre_hook(show(layer)))
        self._pass(ids, handles, cancel)

    def products(
        self, ids: Sequence[int], layer: int, head: int, place: int, cancel: CancelToken
    ) -> Products:
        """Run one pass; return what the looks of the token at ``place`` are made of."""
        found: list[Products] = []

        def before(attention: Any, inputs: tuple[Any, ...]) -> None:  # noqa: ANN401  a module
            queries, keys, _ = attention.heads(inputs[0], inputs[1])  # (1, H, T, D), (1, G, T, D)
            queries, keys = queries[:, :, place : place + 1], keys[:, :, : place + 1]
            shared = head * keys.shape[1] // queries.shape[1]  # H / G heads have one key in common
            made = Products(
                query=_numbers(queries[0, head, 0]).tobytes(),  # (D,)
                keys=_numbers(keys[0, shared]).tobytes(),  # (S, D)
                shares=_numbers(attention.look(queries, keys)[0, head, 0]).tobytes(),  # (S,)
                scale=attention.scale or attention.head_width**-0.5,
                cap=attention.cap or 0.0,
            )
            found.append(made)
            raise _SeenEnoughError

        handle = self._block(layer).attention.register_forward_pre_hook(before)
        self._pass(ids, [handle], cancel)
        return found[0]

    def hidden(self, ids: Sequence[int], positions: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the stream before the first and after each block, (L + 1, P, C)."""
        seen: list[Numbers] = []
        places = torch.tensor(positions, device=self._device)  # (P,)

        def before(_block: nn.Module, inputs: tuple[Any, ...]) -> None:
            seen.append(_numbers(inputs[0][0, places]))  # (P, C)

        blocks = [self._block(layer) for layer in range(self.n_layers)]
        handles = [block.register_forward_pre_hook(before) for block in blocks]
        stream = self._pass(ids, handles, cancel)  # (1, T, C)
        return np.stack([*seen, _numbers(stream[0, places])])

    def updates(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the lengths of what attention and MLP add, and of the stream, (L, 3, T)."""
        lengths = np.zeros((self.n_layers, 3, len(ids)), np.float32)
        handles = []

        def keep(layer: int, part: int, scale: float) -> Callable[[Any, Any, Tensor], None]:
            def after(_module: nn.Module, _inputs: object, output: Tensor) -> None:
                lengths[layer, part] = _numbers(output[0].float().norm(dim=-1)) * scale  # (T,)

            return after

        for layer in range(self.n_layers):
            for part, module in enumerate((*self._adding(layer), self._block(layer))):
                factor = self._scale if part < 2 else 1.0
                handles.append(module.register_forward_hook(keep(layer, part, factor)))
        self._pass(ids, handles, cancel)
        return lengths

    @torch.inference_mode()
    def parts(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return what makes up the stream of the last id, and that stream, (2 L + 2, C).

        Where all but that id begin what the session holds, only that id is read.
        """
        found: list[Numbers] = []

        def enters(_block: nn.Module, inputs: tuple[Any, ...]) -> None:
            found.append(_numbers(inputs[0][0, -1]))  # (C,)

        def adds(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            found.append(_numbers(output[0, -1]) * self._scale)

        handles = [self._block(0).register_forward_pre_hook(enters)]
        for layer in range(self.n_layers):
            handles += [module.register_forward_hook(adds) for module in self._adding(layer)]
        with _removed(handles):
            try:
                stream = self._session.stream_behind(ids, cancel)  # (1, 1, C)
            except StoppedError:
                raise StoppedLookError from None
            if stream is None:
                stream = self._pass(ids, [], cancel)  # (1, T, C)
        return np.stack([*found, _numbers(stream[0, -1])])

    def _adding(self, layer: int) -> tuple[nn.Module, nn.Module]:
        """Return the modules of a block whose outputs are added to the stream, once scaled."""
        block = self._block(layer)
        return block.attention_norm_after or block.attention, block.mlp_norm_after or block.mlp

    @torch.inference_mode()
    def changed_logits(
        self, ids: Sequence[int], changes: Sequence[Change], cancel: CancelToken
    ) -> Numbers:
        """Return the scores of what may follow while some parts are switched off, (V,)."""
        stream = self._changed.newest(ids, changes, cancel)  # (1, 1, C)
        return _numbers(self._network.score(stream)[0, 0])

    @torch.inference_mode()
    def unembed(self, stream: Numbers, cancel: CancelToken) -> Numbers:
        """Apply the last norm and the output head: (N, C) becomes (N, V)."""
        dtype = self._network.dtype or self._network.token_embedding.weight.dtype
        rows = torch.from_numpy(stream).to(self._device, dtype)  # (N, C)
        logits = np.empty((len(rows), self.n_vocab), np.float32)
        for start in range(0, len(rows), _SCORED):
            if cancel.cancelled:
                raise StoppedLookError
            scored = self._network.score(rows[None, start : start + _SCORED])[0]
            logits[start : start + _SCORED] = _numbers(scored)
        return logits

    @torch.inference_mode()
    def vectors(self, ids: Sequence[int]) -> Numbers:
        """Return rows of the input embedding table, (N, C)."""
        rows: Tensor = self._network.token_embedding(
            torch.tensor(ids, dtype=torch.long, device=self._device)
        )
        return _numbers(rows)

    def all_vectors(self) -> Iterator[Numbers]:
        """Yield the whole table from row 0 on, (n, C) at a time."""
        for start in range(0, self.n_vocab, _VECTORS):
            yield self.vectors(range(start, min(start + _VECTORS, self.n_vocab)))

    def release(self) -> None:
        """Free what a changed run has read: the next one begins with another text."""
        self._changed.drop()

    def _block(self, layer: int) -> Any:  # noqa: ANN401  nn.ModuleList says no more
        return self._network.blocks[layer]

    @torch.inference_mode()
    def _pass(
        self, ids: Sequence[int], handles: list[RemovableHandle], cancel: CancelToken
    ) -> Tensor:
        """Read all ids without the cache, then take the hooks off; return the stream, (1, T, C)."""
        stream = torch.empty(0)
        with _removed(handles), self._stoppable(cancel), suppress(_SeenEnoughError):
            stream = self._network.read(torch.tensor([list(ids)], device=self._device))
        return stream

    @contextmanager
    def _stoppable(self, cancel: CancelToken) -> Iterator[None]:
        def look(*_: object) -> None:
            _check(cancel)

        with _removed([block.register_forward_pre_hook(look) for block in self._network.blocks]):
            yield


def _check(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise StoppedLookError


@contextmanager
def _removed(handles: list[RemovableHandle]) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _numbers(tensor: Tensor) -> Numbers:
    """Copy a tensor to the processor's memory as float32."""
    numbers: Numbers = tensor.detach().float().cpu().numpy()
    return numbers
