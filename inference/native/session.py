"""One network and what it has read: prompts in chunks, tokens one by one, prefixes reused.

Knows token ids only. A stop asked for takes effect inside a pass, not just between two chunks: one
pass through a large network takes longer than a person wants to wait, even for a single token.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import takewhile
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from inference.native.branches import Branches
from inference.native.compiled import CompiledStep
from inference.native.device import products_of, wait_for
from inference.native.kv_cache import KVCache
from inference.native.scaling import most_ahead, must_read_anew, prefix_may_stay
from inference.native.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.engine import ProgressSink
    from inference.native.compiled import Step
    from inference.native.config import NetworkConfig
    from inference.native.network import Network

_SMALLEST_CHUNK = 64  # half as many lose a seventh of the speed to fetching the weights
_LARGEST_CHUNK = 512
_SCORED_CHUNK = 64
_SCORED_TOGETHER = 8  # nothing looks for a stop within the product with the output head
_CHUNK_S = 2.5  # progress is shown about this often
_BLOCK_S = 0.12  # a stop waits about this long, half as long again behind the largest chunk
_PARTED_BLOCK_S = 0.14  # of a block within which it is looked for: four fifths of that are its MLP
_LARGE_BLOCK = 5_000_000  # weights; from here on a stop is looked for within the block
_LARGE_NETWORK = 2_000_000_000  # weights; from here on a stop is looked for within a single token


class StoppedError(Exception):
    """A stop was asked for in the middle of a pass; the cache is as before it."""


class Session:
    """The KV cache of one network, and the ids that are in it.

    Args:
        network: On its device, ready to run.
        n_ctx: Positions to make room for.
        dtype: Type of the keys and values.
        device: Where the weights are.
    """

    def __init__(
        self, network: Network, n_ctx: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._network = network
        self._device = device
        self._cache = KVCache(network.config, n_ctx, dtype=dtype, device=device)
        self._ids: list[int] = []
        self._scaling = network.config.rope_scaling
        self._turned_for = 0  # the text length the newest keys were turned for
        self._chunk = _SMALLEST_CHUNK
        self._compiled: CompiledStep | None = None
        self._step: Step | None = None  # the newest pass, where it was a compiled one
        self._streams = Streams(network.config, n_ctx)
        self._places = _stopping_places(network)
        self._slow = _weights_per_token(network.config) > _LARGE_NETWORK

    @property
    def length(self) -> int:
        """Positions that are filled."""
        return self._cache.length

    @property
    def n_ctx(self) -> int:
        """Positions there is room for."""
        return self._cache.n_ctx

    @property
    def ids(self) -> Sequence[int]:
        """What was read."""
        return self._ids

    @property
    def turned_for(self) -> int:
        """The text length that the newest keys were turned for; some rotary scalings need it."""
        return self._turned_for

    @property
    def cache_bytes(self) -> int:
        """Memory of the cache at full context."""
        return self._cache.size_bytes

    def reuse(self, ids: Sequence[int], most: int | None = None) -> int:
        """Keep the longest beginning of ``ids`` that is in the cache; return its length.

        The last id is never kept, because its pass gives the logits that come next; nor is more
        than ``most``.
        """
        kept = 0
        if prefix_may_stay(self._scaling, self._turned_for, len(ids)):
            pairs = zip(self._ids, ids[:-1], strict=False)
            kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        kept = kept if most is None else min(kept, most)
        self._forget_step()
        self._cache.truncate(kept)
        self._cache.expected = len(ids)
        self._forget_from(kept)
        return kept

    def _forget_from(self, length: int) -> None:
        self._streams.truncate(length)
        del self._ids[length:]

    def can_stay(self, turned_for: int, length: int) -> bool:
        """Say whether keys turned for one text length are those of a text of another one."""
        return prefix_may_stay(self._scaling, turned_for, length)

    @torch.inference_mode()
    def copy_out(self) -> tuple[Tensor, Tensor]:
        """Return copies of the keys and values of ``ids``; see ``KVCache.copy_out``."""
        return self._cache.copy_out()

    @torch.inference_mode()
    def copy_in(self, ids: Sequence[int], keys: Tensor, values: Tensor, turned_for: int) -> None:
        """Hold what another session had read; at least one more id has to be read then.

        Args:
            ids: What it had read, S of them.
            keys: Its keys, (layer, H_kv, S, D).
            values: Its values, the same.
            turned_for: Its ``turned_for``.

        Raises:
            ValueError: They are of another network, or do not fit; nothing is held then.
        """
        self.reuse(())
        self._cache.copy_in(keys, values)
        self._streams.skip(len(ids))
        self._ids = list(ids)
        self._turned_for = turned_for

    def prefill(
        self,
        ids: Sequence[int],
        cancel: CancelToken,
        keep: Callable[[Tensor], None] | None = None,
    ) -> Iterator[int]:
        """Read ids that are not in the cache yet; yield how many of them are read.

        The chunks follow the speed measured, so that progress comes every few seconds. A rest of up
        to half a chunk joins the last one: each pass fetches every weight. ``keep`` is given the
        residual stream of each, (1, T, C).

        Raises:
            StoppedError: A stop was asked for.
        """
        done = 0
        while done < len(ids):
            left = len(ids) - done
            chunk = ids[done : done + (left if left <= 1.5 * self._chunk else self._chunk)]
            started = perf_counter()
            stream = self.read(chunk, cancel)  # (1, T, C)
            if keep is not None:
                keep(stream)
            self._adapt(len(chunk), perf_counter() - started)
            done += len(chunk)
            yield done

    @torch.inference_mode()
    def read(self, ids: Sequence[int], cancel: CancelToken) -> Tensor:
        """Read ids in one pass; return the residual stream, (1, T, C).

        Raises:
            StoppedError: A stop was asked for.
        """
        length = max(self._cache.length + len(ids), self._cache.expected)
        anew = self._cache.length > 0 and must_read_anew(self._scaling, self._turned_for, length)
        given = [*self._ids, *ids] if anew else ids
        if anew:
            self.reuse(())
        self._turned_for = length
        with products_of(len(given)):
            stream = self._pass(given, cancel)  # (1, T, C), of a text read anew all of it
        if self._device.type != "cpu" and self._step is None:
            wait_for(self._device)  # else the time measured is that of queueing
        self._ids.extend(given)
        self._streams.add(stream)
        return stream[:, -len(ids) :]  # (1, T, C)

    def _pass(self, ids: Sequence[int], cancel: CancelToken) -> Tensor:
        _check(cancel)
        if self._compiled is not None and len(ids) == 1:
            self._step = self._compiled.read(ids[0], self._cache.length)
            self._cache.advance(1)
            return self._step.stream  # (1, 1, C)
        self._forget_step()
        tokens = torch.tensor([ids], device=self._device)  # (1, T)
        if len(ids) == 1 and not self._slow:  # over before anybody could stop it
            return self._network.read(tokens, self._cache)  # (1, 1, C)
        with self._watching(cancel):
            return self._network.read(tokens, self._cache)  # (1, T, C)

    def compile(self, backend: str | None = "inductor", tell: ProgressSink | None = None) -> None:
        """Read single tokens with a compiled pass from now on; before anything is read.

        Args:
            backend: Of ``torch.compile``; None only records the passes, on a GPU.
            tell: As for ``CompiledStep``.

        Raises:
            NotCompiledError: That does not work here; everything stays as it is.
            InferenceError: Raised by ``tell``, to stop; everything stays as it is.
        """
        self._compiled = CompiledStep(self._network, self._cache, backend, tell)

    def begin(self, token: int | None) -> None:
        """Let a GPU start to read what will probably be read next; elsewhere nothing happens.

        Args:
            token: None is the likeliest one.
        """
        if self._compiled is not None and self._step is not None and self.length < self.n_ctx:
            self._compiled.begin(token, self.length)

    def _forget_step(self) -> None:
        self._step = None
        if self._compiled is not None:
            self._compiled.forget()

    @torch.inference_mode()
    def next_logits(self) -> Tensor:
        """Return the logits of what follows all that was read, float32 on the CPU, (V,)."""
        if self._step is not None:
            return self._step.logits()
        return self.scores(self._streams.part(self.length - 1, self.length))[0]

    def logits_behind(self, ids: Sequence[int], cancel: CancelToken) -> Tensor | None:
        """Return the logits of what follows a beginning of what was read; all stays as it is.

        The last id may be another one than was read there, or the one that comes next.

        Returns:
            float32 on the CPU, (V,), or None where ``ids`` is no such beginning.

        Raises:
            StoppedError: A stop was asked for.
        """
        before, last = len(ids) - 1, ids[-1]
        if not self._begins_with(ids[:-1]):
            return None
        if self._ids[before : before + 1] == [last] and self._streams.knows(before, before + 1):
            return self.scores(self._streams.part(before, before + 1))[0]
        return self.scores(self._read_aside(last, before, cancel))[0]

    def stream_behind(self, ids: Sequence[int], cancel: CancelToken) -> Tensor | None:
        """Return the stream of the last id, (1, 1, C), by a pass of its own; as ``logits_behind``.

        Hooks on the network see that pass.
        """
        if not self._begins_with(ids[:-1]):
            return None
        return self._read_aside(ids[-1], len(ids) - 1, cancel)

    def _begins_with(self, before: Sequence[int]) -> bool:
        """Say whether one more id can be read behind these without reading them."""
        fits = len(before) < self.n_ctx and self._ids[: len(before)] == list(before)
        return fits and prefix_may_stay(self._scaling, self._turned_for, len(before) + 1)

    @torch.inference_mode()
    def _read_aside(self, token: int, place: int, cancel: CancelToken) -> Tensor:
        """Return the stream of a token as if it were the newest, (1, 1, C); nothing is kept."""
        tokens = torch.tensor([[token]], device=self._device)  # (1, 1)
        with products_of(1), self._cache.aside(place), self._watching(cancel):
            return self._network.read(tokens, self._cache)

    @torch.inference_mode()
    def scores(self, stream: Tensor) -> Tensor:
        """Return the logits after each position of a stream (1, T, C): (T, V), float32, CPU."""
        with products_of(stream.shape[1]):
            return self._network.score(stream)[0].float().cpu()

    def most_ahead(self, wanted: int) -> int:
        """Return how many of ``wanted`` tokens can be read with the next one in the same pass.

        Fewer where the pass would turn keys otherwise than single steps do.
        """
        return most_ahead(self._scaling, self._cache.length + 1, wanted)

    def take_back(self, count: int) -> None:
        """Forget the newest tokens."""
        if count:
            self._forget_step()
            length = self._cache.length - count
            self._cache.truncate(length)
            self._forget_from(length)

    @torch.inference_mode()
    def scored(self, ids: Sequence[int], cancel: CancelToken, first: int = 0) -> Iterator[Tensor]:
        """Yield the logits after each id from ``first`` on, a few positions at a time, (T, V).

        What was read already is not read again, unless a copy was taken over whose stream is not
        known. Afterwards all ids are in the cache.

        Raises:
            StoppedError: A stop was asked for.
        """
        if not self.holds(ids, first):
            kept = self.reuse(ids)
            if kept > first and not self._streams.knows(first, kept):
                self.reuse(ids, 0)
        for start in range(first, len(ids), _SCORED_CHUNK):
            end = min(start + _SCORED_CHUNK, len(ids))
            for _ in self.prefill(ids[self.length : end], cancel):
                pass
            for place in range(start, end, _SCORED_TOGETHER):
                _check(cancel)
                stream = self._streams.part(place, min(place + _SCORED_TOGETHER, end))
                yield self.scores(stream)  # (T, V)

    def holds(self, ids: Sequence[int], first: int = 0) -> bool:
        """Say whether the logits after all ids from ``first`` on can be had without a pass."""
        known = self._streams.knows(first, len(ids)) and self._ids[: len(ids)] == list(ids)
        return known and prefix_may_stay(self._scaling, self._turned_for, len(ids))

    @torch.inference_mode()
    def represent(self, stream: Tensor) -> Tensor:
        """Return what the scores are made from: the stream after the last norm, same shape."""
        normed: Tensor = self._network.final_norm(stream)
        return normed

    def branch(self, count: int, room: int) -> Branches:
        """Return ``count`` continuations of what was read, each with room for ``room`` tokens."""
        return Branches(self._network, self._cache, count, room, self._watching)

    @contextmanager
    def _watching(self, cancel: CancelToken) -> Iterator[None]:
        def look(_module: nn.Module, _inputs: tuple[Any, ...]) -> None:
            if cancel.cancelled:
                raise StoppedError

        hooks = [place.register_forward_pre_hook(look) for place in self._places]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _adapt(self, count: int, seconds: float) -> None:
        """Choose the next chunk's length from the time the last one took."""
        n_layers = self._network.config.n_layers
        block_s = _BLOCK_S if len(self._places) == n_layers else _PARTED_BLOCK_S
        aim = min(_CHUNK_S, block_s * n_layers)
        wanted = count * aim / max(seconds, 1e-6)
        self._chunk = max(_SMALLEST_CHUNK, min(int(wanted), 4 * self._chunk, _LARGEST_CHUNK))


def _check(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise StoppedError


def _stopping_places(network: Network) -> list[nn.Module]:
    """Return the modules before which a stop is looked for: blocks, or the halves of large ones."""
    if _weights_per_token(network.config) < _LARGE_BLOCK * network.config.n_layers:
        return list(network.blocks)
    return [block.get_submodule(name) for block in network.blocks for name in ("attention", "mlp")]


def _weights_per_token(config: NetworkConfig) -> int:
    """Return about how many weights the blocks have together."""
    inside = config.n_heads * config.head_width
    return config.n_layers * config.width * (3 * config.mlp_width + 2 * inside)
