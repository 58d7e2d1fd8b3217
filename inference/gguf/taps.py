"""A pass through a GGUF model during which chosen tensors are handed out.

The pass runs in a context of its own: without flash attention, which never forms the weights, and
with a cache in float32. What C keeps a pointer to lives as long as the context.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from inference.errors import InferenceError
from inference.gguf.ggml import tensor_name, tensor_numbers
from inference.gguf.library import api, log
from inference.gguf.refusals import context_refused
from inference.inside.reading import StoppedLookError

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Collection, Sequence

    from inference.cancel import CancelToken
    from inference.gguf.session import Session
    from inference.inside.source import Numbers

Wants: TypeAlias = Callable[[str], bool]
"""Whether a tensor of that name is to be handed out."""
Take: TypeAlias = "Callable[[int, int, str, Numbers], bool]"
"""Called with first position, number of positions, name and numbers; ``False`` ends the pass."""
Read: TypeAlias = "Callable[[int], Numbers]"
"""What is handed out of a tensor; called with its address."""

ROWS: Final = 512
"""Positions computed together."""
SCORED_ROWS: Final = 64
"""The same where the last block is wanted at every position."""
_ABORTED: Final = 2


class Taps:
    """A context whose tensors can be seen; empty at the start.

    Args:
        session: Of the model; it stays as it is.
        n_tokens: Positions of the text.

    Raises:
        InferenceError: One of its children: there is no memory for it.
    """

    def __init__(self, session: Session, n_tokens: int) -> None:
        self._wants: Wants = lambda _name: False
        self._take: Callable[[str, Numbers], bool] = lambda _name, _numbers: True
        self._read: Read = tensor_numbers
        self._cancel: CancelToken | None = None
        self._trouble: BaseException | None = None
        self._ended = False
        n_ctx = session.n_ctx if session.model.other_turns_from else n_tokens
        params = session.params_of_branches(n_ctx, 1)
        params.n_batch = params.n_ubatch = min(ROWS, n_tokens)
        params.n_outputs_max = min(SCORED_ROWS, n_tokens)
        params.type_k = params.type_v = api.GGML_TYPE_F32
        params.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.swa_full = True  # a window's cache would forget, and its places would move
        self._on_tensor = api.ggml_backend_sched_eval_callback(self._see)
        self._on_abort = api.ggml_abort_callback(lambda _data: self._stopped)
        params.cb_eval = self._on_tensor
        params.abort_callback = self._on_abort
        mark = log.mark()
        self._context = api.llama_init_from_model(session.model.handle, params)
        if not self._context:
            raise context_refused(n_tokens, log.troubles(mark))
        self._batch = api.llama_batch_init(ROWS, 0, 1)

    @property
    def _stopped(self) -> bool:
        return self._cancel is not None and self._cancel.cancelled

    def run(
        self,
        ids: Sequence[int],
        wants: Wants,
        take: Take,
        cancel: CancelToken,
        *,
        scored: Collection[int] = (),
        read: Read = tensor_numbers,
    ) -> None:
        """Read all ids.

        Args:
            ids: The text.
            wants: Chooses tensors.
            take: Gets them, as float32 with the slowest dimension first.
            cancel: Stops it.
            scored: Positions that the last block's output is wanted for; it has no others.
            read: Turns a tensor into what ``take`` gets.

        Raises:
            StoppedLookError: ``cancel`` was set.
            InferenceError: llama.cpp could not compute the text.
        """
        self._cancel, self._wants, self._read = cancel, wants, read
        step = SCORED_ROWS if len(scored) > SCORED_ROWS else min(ROWS, len(ids))
        try:
            for start in range(0, len(ids), step):
                part = ids[start : start + step]
                self._take = partial(take, start, len(part))
                self._ended = False
                self._decode(part, start, scored)
        finally:
            self._cancel = None

    def close(self) -> None:
        """Free the context; closing twice is harmless."""
        if self._context:
            api.llama_batch_free(self._batch)
            api.llama_free(self._context)
            self._context = None

    def _decode(self, ids: Sequence[int], start: int, scored: Collection[int]) -> None:
        batch = self._batch
        batch.n_tokens = len(ids)
        for index, token in enumerate(ids):
            batch.token[index] = token
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = int(start + index in scored)
        mark = log.mark()
        status = api.llama_decode(self._context, batch)
        if self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble
        if self._stopped or status == _ABORTED:
            raise StoppedLookError
        if status != 0:
            raise InferenceError(
                "llama.cpp could not compute this text.",
                "Load the model again.",
                "\n".join([f"llama_decode returned {status}", *log.troubles(mark)]),
            )

    def _see(self, tensor: int, ask: ctypes.c_bool, _data: object) -> bool:
        """Answer llama.cpp, which asks first and then shows; nothing may be raised through C."""
        if self._ended or self._trouble is not None:
            return not ask
        try:
            name = tensor_name(tensor)
            if ask:
                return self._wants(name)
            if self._take(name, self._read(tensor)) and not self._stopped:
                return True
        except BaseException as exc:  # noqa: BLE001  raised again after the decode
            self._trouble = exc
        self._ended = True
        return False
