"""What the native engine keeps of past work: the keys and values of its cache, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from inference.past.file_format import UnusableError
from inference.past.identity import Identity, model_digest
from inference.past.keeper import PastWork
from inference.past.snapshot import Part, Snapshot, as_tokens
from inference.paths import app_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from inference.native.session import Session
    from inference.native.weights import Checkpoint
    from inference.types import PastOptions

_KEYS_VERSION: Final = 1
"""Raised when this engine's keys or values become other numbers, or are kept in another order."""
_NAMES: Final = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32"}
_DTYPES: Final = {name: dtype for dtype, name in _NAMES.items()}


def past_work(
    session: Session, checkpoint: Checkpoint, settings: str, options: PastOptions
) -> PastWork:
    """Return what is kept for a session.

    Args:
        session: The engine's.
        checkpoint: Whose network it runs.
        settings: Whatever changes the numbers of a cache: device, types.
        options: How much may be kept.

    Raises:
        OSError: The checkpoint cannot be read.
    """

    def identify() -> Identity:
        files = {tensor.file for tensor in checkpoint.tensors.values()}
        return Identity(
            engine="native",
            model=model_digest((checkpoint.folder / "config.json", *sorted(files))),
            build=f"{_KEYS_VERSION}, torch {torch.__version__}",
            settings=settings,
        )

    return PastWork(SessionHolder(session), identify, options, app_paths().past)


class SessionHolder:
    """A native session as ``inference.past.keeper.Holder``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def tokens(self) -> Sequence[int]:
        """What was read."""
        return self._session.ids

    @property
    def facts(self) -> Mapping[str, int]:
        """The text length that the keys were turned for."""
        return {"turned_for": self._session.turned_for}

    @property
    def size_bytes(self) -> int:
        """Memory of a copy."""
        session = self._session
        return session.cache_bytes * session.length // max(1, session.n_ctx)

    def usable(self, kept: int, facts: Mapping[str, int], shared: int, prompt: int) -> int:
        """Any beginning can be gone on from, where the rotary scaling allows it."""
        del kept
        return shared if self._session.can_stay(facts.get("turned_for", 0), prompt) else 0

    def copy_out(self) -> Snapshot:
        """Copy keys and values, (layer, H_kv, S, D) each."""
        keys, values = self._session.copy_out()
        parts = {"keys": _as_part(keys), "values": _as_part(values)}
        return Snapshot(as_tokens(self.tokens), parts, self.facts)

    def copy_in(self, snapshot: Snapshot, count: int) -> None:
        """Take over the first ``count`` positions.

        Raises:
            UnusableError: It is of another network.
        """
        parts = snapshot.parts
        if parts.keys() != {"keys", "values"}:
            raise UnusableError("it has no keys and values")
        keys, values = _as_tensor(parts["keys"]), _as_tensor(parts["values"])
        tokens = snapshot.tokens
        if keys.dim() != 4 or keys.shape[2] != len(tokens) or values.shape != keys.shape:
            raise UnusableError("its keys are not those of its tokens")
        turned_for = snapshot.facts.get("turned_for", 0)
        try:
            self._session.copy_in(
                tokens[:count].tolist(), keys[:, :, :count], values[:, :, :count], turned_for
            )
        except ValueError as exc:
            raise UnusableError(str(exc)) from exc


def _as_part(tensor: Tensor) -> Part:
    data = tensor.flatten().view(torch.uint8).numpy()
    return Part(_NAMES[tensor.dtype], tuple(tensor.shape), data)


def _as_tensor(part: Part) -> Tensor:
    dtype = _DTYPES.get(part.dtype)
    if dtype is None:
        raise UnusableError(f"its numbers are of type {part.dtype}")
    flat = torch.frombuffer(part.data, dtype=dtype)  # shares the memory; it is only read
    return flat.view(part.shape)
