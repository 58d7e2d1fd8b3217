"""Several continuations of one text in a context of their own, decoded in one batch per token.

What they have in common is kept once: llama.cpp's cells may belong to several sequences.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.errors import InferenceError, OutOfMemoryError, UnsupportedRequestError
from inference.gguf.library import api, log
from inference.gguf.probabilities import logits_view
from inference.gguf.refusals import context_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.gguf.probabilities import Logits
    from inference.gguf.session import Session

_ABORTED: Final = 2
_ALL: Final = -1


class Branches:
    """Rows that begin with what a session has read, and each go on in their own way.

    Args:
        session: Its newest tokens are the common beginning; it stays as it is.
        count: Rows, at most 64.
        room: Tokens that each row can grow by.
        cancel: Ends a computation in its middle.
        name: What a row is to a person: ``beams``, ``samples``.

    Raises:
        InferenceError: One of its children: there is not enough memory for so many rows, or the
            model cannot be continued in a context of that size.
    """

    def __init__(
        self, session: Session, count: int, room: int, cancel: CancelToken, name: str = "beams"
    ) -> None:
        self._count = count
        self._name = name
        self._n_vocab = session.n_vocab
        self._position = len(session.tokens)
        self._on_abort = api.ggml_abort_callback(lambda _data: cancel.cancelled)
        n_ctx = self._position + count * room
        _check_positions(session, n_ctx, name)
        try:
            params = session.params_of_branches(n_ctx, count)
        except OutOfMemoryError as exc:
            hint = f"Choose fewer {name}, or a shorter answer: each has room for its whole length."
            raise OutOfMemoryError(exc.message, hint, exc.detail) from exc
        params.n_seq_max = 2 * count  # the rows before a step, and those after it
        params.kv_unified = True
        params.abort_callback = self._on_abort
        mark = log.mark()
        self._context = api.llama_init_from_model(session.model.handle, params)
        if not self._context:
            raise context_refused(params.n_ctx, log.troubles(mark))
        self._batch = api.llama_batch_init(count, 0, 1)
        self._first = 0  # sequences first .. first + count - 1 are the rows
        try:
            self._copy_from(session)
        except BaseException:
            self.close()
            raise

    def read(self, tokens: Sequence[int]) -> Logits | None:
        """Compute one more token in each row; return the logits after them, (R', V), or ``None``.

        Args:
            tokens: One for each of the R' rows in use. ``None`` comes back after a stop.

        Raises:
            InferenceError: llama.cpp could not go on.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for row, token in enumerate(tokens):
            batch.token[row] = token
            batch.pos[row] = self._position
            batch.n_seq_id[row] = 1
            batch.seq_id[row][0] = self._first + row
            batch.logits[row] = 1
        mark = log.mark()
        status = api.llama_decode(self._context, batch)
        if status == _ABORTED:
            return None
        if status != 0:
            raise InferenceError(
                "llama.cpp could not compute these continuations.",
                f"Choose fewer {self._name} or a shorter answer.",
                "\n".join([f"llama_decode returned {status}", *log.troubles(mark)]),
            )
        self._position += 1
        rows = [
            logits_view(api.llama_get_logits_ith(self._context, row), self._n_vocab)
            for row in range(len(tokens))
        ]
        return np.stack(rows)  # (R', V)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on from these rows: row i becomes a copy of what row ``rows[i]`` was."""
        memory = api.llama_get_memory(self._context)
        following = self._count - self._first
        for place, row in enumerate(rows):
            api.llama_memory_seq_cp(memory, self._first + row, following + place, _ALL, _ALL)
        for row in range(self._count):
            api.llama_memory_seq_rm(memory, self._first + row, _ALL, _ALL)
        self._first = following

    def close(self) -> None:
        """Free the context; closing twice is harmless."""
        if self._context:
            api.llama_batch_free(self._batch)
            api.llama_free(self._context)
            self._context = None

    def _copy_from(self, session: Session) -> None:
        size = api.llama_state_seq_get_size(session.context, 0)
        state = (ctypes.c_uint8 * size)()
        if not (
            api.llama_state_seq_get_data(session.context, state, size, 0)
            and api.llama_state_seq_set_data(self._context, state, size, 0)
        ):
            raise InferenceError(
                "llama.cpp could not copy what was read.", "Choose the strategy sample."
            )


def _check_positions(session: Session, n_ctx: int, name: str) -> None:
    """Make sure that a larger context turns positions as the session's does."""
    original = session.model.other_turns_from
    if original and session.n_ctx <= original < n_ctx:
        raise UnsupportedRequestError(
            f"{name.capitalize()} of this length need a context of {n_ctx:,} tokens, and beyond "
            f"{original:,} this model reads positions in another way.",
            f"Choose fewer {name} or a shorter answer.",
        )
