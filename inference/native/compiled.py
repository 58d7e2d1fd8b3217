"""One token at a time, compiled: the same modules, with tensors whose shapes never change.

Written for GPUs, where the many small steps of a token cost more to start than to do: compiled they
become a few, and CUDA starts them all at once. ``torch.compile`` needs a C++ compiler (on CUDA also
Triton); where it does not work, or does not compute the same, the ordinary pass is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from inference.errors import UnsupportedRequestError
from inference.native.scaling import DynamicScaling, LongRopeScaling

if TYPE_CHECKING:
    from inference.native.kv_cache import KVCache
    from inference.native.network import Network
    from inference.native.session import Session

_FIRST_ROOM: Final = 4096  # positions looked at in one go; then four times as many
_AGREEMENT: Final = 0.05  # of the stream's size: rounding of bfloat16, in another order


class StaticCache:
    """The memory of a ``KVCache`` with its length as a tensor, so that no step differs in shape.

    A step looks at all ``seen`` positions; those that are not filled yet are masked.
    """

    length = expected = 0  # asked by rotary scalings that depend on it; they are not compiled

    def __init__(self, cache: KVCache, device: torch.device) -> None:
        self.place = torch.zeros(1, dtype=torch.long, device=device)  # (1,) of the new token
        self.seen = min(_FIRST_ROOM, cache.n_ctx)
        self.layers = cache.layers
        self._n_ctx = cache.n_ctx
        self._places = torch.arange(cache.n_ctx, device=device)  # (n_ctx,)
        for tensor in (self.place, *(part for layer in cache.layers for part in layer)):
            tensor.zero_()  # a masked position weighs nothing, but nothing times NaN is NaN
            torch._dynamo.mark_static_address(tensor)  # noqa: SLF001  else CUDA graphs copy it

    def move(self, place: int) -> None:
        """Put the next token at ``place``."""
        while place >= self.seen:
            self.seen = min(4 * self.seen, self._n_ctx)
        self.place.fill_(place)

    def next_positions(self, count: int, device: torch.device) -> Tensor:
        """Return where the new token stands, (1,)."""
        del count, device
        return self.place

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new position of one layer, (1, G, 1, D); return S of them, not all filled."""
        all_keys, all_values = self.layers[layer]  # (1, G, n_ctx, D) each
        all_keys.index_copy_(2, self.place, keys.to(all_keys.dtype))
        all_values.index_copy_(2, self.place, values.to(all_values.dtype))
        return all_keys[:, :, : self.seen], all_values[:, :, : self.seen]  # (1, G, S, D)

    def visible(self, window: int | None) -> Tensor:
        """Return which of the S positions the new one sees, (1, S)."""
        places = self._places[: self.seen]
        found = places <= self.place  # (S,)
        if window is not None:
            found &= places > self.place - window
        return found[None]

    def advance(self, count: int) -> None:
        """Do nothing: the ``KVCache`` itself counts."""


class CompiledStep:
    """Reads one token after another into a session's cache.

    Args:
        network: On its device, ready to run.
        cache: The session's; empty.
        backend: Of ``torch.compile``.

    Raises:
        NotCompiledError: It does not work here, with the reason.
    """

    def __init__(self, network: Network, cache: KVCache, backend: str = "inductor") -> None:
        if isinstance(network.config.rope_scaling, DynamicScaling | LongRopeScaling):
            raise NotCompiledError("its positions depend on the length of the text")
        device = cache.layers[0][0].device
        self._network = network
        self._cache = StaticCache(cache, device)
        self._token = torch.zeros(1, 1, dtype=torch.long, device=device)  # (1, 1)
        torch._dynamo.mark_static_address(self._token)  # noqa: SLF001  as above
        torch._inductor.config.compile_threads = 1  # noqa: SLF001  no processes beside ours
        mode = "reduce-overhead" if device.type == "cuda" and backend == "inductor" else None
        try:
            self._pass = torch.compile(self._read, dynamic=False, backend=backend, mode=mode)
            self._check(cache)
        except (RuntimeError, OSError, ImportError, AssertionError) as exc:
            raise NotCompiledError(_first_line(exc)) from exc
        finally:
            cache.truncate(0)

    @torch.inference_mode()
    def read(self, token: int, place: int) -> Tensor:
        """Read a token at ``place``; return the residual stream after it, (1, 1, C)."""
        self._token.fill_(token)
        self._cache.move(place)
        if self._token.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return self._pass().clone()  # what a CUDA graph returns is overwritten by the next step

    def _read(self) -> Tensor:
        return self._network.read(self._token, self._cache)

    @torch.inference_mode()
    def _check(self, cache: KVCache) -> None:
        """Compile, and hold three tokens against the ordinary pass."""
        for place in range(min(3, cache.n_ctx)):
            token = place % self._network.config.vocab_size
            expected = self._network.read(torch.full_like(self._token, token), cache)  # (1, 1, C)
            found = self.read(token, place)  # (1, 1, C)
            apart = (found.float() - expected.float()).norm() / expected.float().norm()
            if not apart < _AGREEMENT:
                raise NotCompiledError("the compiled network computes something else")


def compiled_if_asked(session: Session, choice: str, device: torch.device) -> str:
    """Compile a session's single tokens; return a sentence about it, or nothing where none is due.

    Args:
        session: Nothing is read yet.
        choice: ``LoadOptions.compile``.
        device: Where it runs.

    Raises:
        UnsupportedRequestError: There is no such choice.
    """
    if choice not in {"auto", "on", "off"}:
        raise UnsupportedRequestError(
            f"The network cannot be compiled {choice!r:.20}.", "Choose auto, on or off."
        )
    if choice == "off" or (choice == "auto" and device.type != "cuda"):
        return ""
    try:
        session.compile()
    except NotCompiledError as exc:
        return f" It reads single tokens without being compiled, because {exc}."
    return " It reads single tokens compiled."


class NotCompiledError(Exception):
    """The compiled step cannot be used; the text ends a sentence that begins with "because"."""


def _first_line(error: BaseException) -> str:
    """Return the innermost cause's first line: PyTorch wraps it several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"PyTorch's compiler stopped ({text:.160})"
