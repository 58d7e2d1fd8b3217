"""What the GGUF engine keeps of past work: llama.cpp's own state of a sequence, as it gives it.

llama.cpp trusts the bytes it is given. Only such come here whose file was found to be whole, made
by this build, for these very weights, with these settings.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.errors import InferenceError
from inference.gguf.library import VERSION, api
from inference.gguf.session import can_go_on, only_whole
from inference.gguf.sizes import parts_of
from inference.past.file_format import UnusableError
from inference.past.identity import Identity, model_digest
from inference.past.keeper import PastWork
from inference.past.snapshot import Part, Snapshot, as_tokens
from inference.paths import app_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inference.gguf.model import GgufModel
    from inference.gguf.session import Session
    from inference.past.snapshot import Bytes
    from inference.types import LoadOptions

_SEQUENCE: Final = 0
_STATE: Final = "state"


def past_work(session: Session, model: GgufModel, options: LoadOptions) -> PastWork:
    """Return what is kept for a session.

    Args:
        session: The engine's.
        model: Whose context it is.
        options: What both were loaded with.

    Raises:
        OSError: The model's files cannot be read.
    """
    placed = model.placement
    settings = [
        f"cache {options.kv_cache_type}",
        f"flash attention {options.flash_attention}",
        f"{placed.gpu_layers} layers on {placed.device}",
    ]
    if f"{model.architecture}.rope.scaling.original_context_length" in model.metadata:
        settings.append(f"context {session.n_ctx}")  # which factors turn the keys depends on it

    def identify() -> Identity:
        return Identity(
            engine="gguf",
            model=model_digest(parts_of(model.path)),
            build=f"llama-cpp-python {VERSION}, {_build_info()}",
            settings=", ".join(settings),
        )

    return PastWork(SessionHolder(session), identify, options.past, app_paths().past)


class SessionHolder:
    """A GGUF session as ``inference.past.keeper.Holder``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._only_whole = only_whole(session.model)

    @property
    def tokens(self) -> Sequence[int]:
        """What was read."""
        return self._session.tokens

    @property
    def facts(self) -> Mapping[str, int]:
        """The first token that every layer holds."""
        return {"first": self._session.first}

    @property
    def size_bytes(self) -> int:
        """Memory of a copy."""
        return int(api.llama_state_seq_get_size(self._session.context, _SEQUENCE))

    def usable(self, kept: int, facts: Mapping[str, int], shared: int, prompt: int) -> int:
        """Any beginning will do, but for windows and for networks that keep one state of it all."""
        del prompt
        session = self._session
        if kept > session.n_ctx or (self._only_whole and shared != kept):
            return 0
        return shared if can_go_on(facts.get("first", 0), shared, session.window) else 0

    def copy_out(self) -> Snapshot:
        """Copy llama.cpp's state of the sequence; layers with windows give no more than those.

        Raises:
            InferenceError: llama.cpp does not give it.
        """
        state = np.empty(self.size_bytes, dtype=np.uint8)
        taken = api.llama_state_seq_get_data(
            self._session.context, _pointer(state), state.nbytes, _SEQUENCE
        )
        if not taken:
            raise InferenceError("llama.cpp could not copy what was read.")
        parts = {_STATE: Part("U8", (int(taken),), state[: int(taken)])}
        window = self._session.window
        behind = len(self.tokens) - window if window else 0
        facts = {"first": max(self._session.first, behind)}
        return Snapshot(as_tokens(self.tokens), parts, facts)

    def copy_in(self, snapshot: Snapshot, count: int) -> None:
        """Take over the state; what lies behind ``count`` is cut off by the next ``reuse``.

        Raises:
            UnusableError: llama.cpp refuses it.
        """
        session = self._session
        state = snapshot.parts.get(_STATE)
        if state is None or state.dtype != "U8" or len(snapshot.tokens) < count:
            raise UnusableError("it holds no state of llama.cpp's")
        session.forget()
        taken = api.llama_state_seq_set_data(
            session.context, _pointer(state.data), state.data.nbytes, _SEQUENCE
        )
        memory = api.llama_get_memory(session.context)
        first = api.llama_memory_seq_pos_min(memory, _SEQUENCE)
        last = api.llama_memory_seq_pos_max(memory, _SEQUENCE)
        begins = self._only_whole or can_go_on(max(0, first), count, session.window)
        if taken != state.data.nbytes or not begins or last + 1 != len(snapshot.tokens):
            session.forget()
            raise UnusableError(f"llama.cpp took {taken} bytes, up to position {last}")
        session.tokens.extend(snapshot.tokens.tolist())


def _build_info() -> str:
    """Return what llama.cpp says of itself: processor and device features."""
    return str(api.llama_print_system_info().decode("utf-8", "replace"))


def _pointer(data: Bytes) -> ctypes._Pointer[ctypes.c_uint8]:
    return data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
