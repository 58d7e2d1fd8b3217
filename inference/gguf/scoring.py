"""A text scored position by position in a context of its own: a chat's stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from inference.cancel import CancelToken
from inference.errors import InferenceError
from inference.gguf.library import api, log
from inference.gguf.probabilities import logits_view
from inference.gguf.refusals import context_refused
from inference.gguf.session import SCORED_TOKENS, fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.gguf.session import Session
    from inference.inside.source import Numbers

_ABORTED: Final = 2


class Scoring:
    """A context that computes as a session's does; empty at the start.

    Args:
        session: Of the model; it stays as it is.
        ids: The text.

    Raises:
        InferenceError: One of its children: there is no memory for it.
    """

    def __init__(self, session: Session, ids: Sequence[int]) -> None:
        self.ids = tuple(ids)
        self.length = 0
        self._n_vocab = session.n_vocab
        self._cancel = CancelToken()
        n_ctx = session.n_ctx if session.model.other_turns_from else len(ids)
        params = session.params_of_branches(n_ctx, 1)
        self._on_abort = api.ggml_abort_callback(lambda _data: self._cancel.cancelled)
        params.abort_callback = self._on_abort
        mark = log.mark()
        self._context = api.llama_init_from_model(session.model.handle, params)
        if not self._context:
            raise context_refused(len(ids), log.troubles(mark))
        self._batch = api.llama_batch_init(SCORED_TOKENS, 0, 1)

    def read(self, cancel: CancelToken) -> Numbers | None:
        """Read the next positions; return the scores after each, (T, V), or ``None``: stopped.

        Raises:
            InferenceError: llama.cpp could not compute the text.
        """
        part = self.ids[self.length : self.length + SCORED_TOKENS]
        fill(self._batch, part, self.length)
        mark = log.mark()
        self._cancel = cancel
        status = api.llama_decode(self._context, self._batch)
        if status == _ABORTED:
            memory = api.llama_get_memory(self._context)
            if not api.llama_memory_seq_rm(memory, 0, self.length, -1):
                api.llama_memory_clear(memory, True)
                self.length = 0
            return None
        if status != 0:
            raise InferenceError(
                "llama.cpp could not compute this text.",
                "Load the model again.",
                "\n".join([f"llama_decode returned {status}", *log.troubles(mark)]),
            )
        self.length += len(part)
        rows = (api.llama_get_logits_ith(self._context, index) for index in range(len(part)))
        return np.stack([logits_view(row, self._n_vocab) for row in rows])

    def close(self) -> None:
        """Free the context; closing twice is harmless."""
        if self._context:
            api.llama_batch_free(self._batch)
            api.llama_free(self._context)
            self._context = None
