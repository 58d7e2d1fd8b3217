"""Speculative decoding through llama.cpp: the model that answers, and one that guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from inference.cancel import CancelToken
from inference.draft_rules import check_same_tokens
from inference.errors import UnsupportedRequestError
from inference.gguf.library import api
from inference.gguf.model import GgufModel
from inference.gguf.probabilities import check_finite
from inference.gguf.session import BATCH_TOKENS, Session
from inference.gguf.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.gguf.probabilities import Logits
    from inference.gguf.probe import LoadFlags
    from inference.types import LoadOptions


class ContextReader:
    """Fulfils ``inference.speculation.Reader``.

    Args:
        session: It has read the prompt.
        cancel: Ends a computation in its middle.
    """

    def __init__(self, session: Session, cancel: CancelToken) -> None:
        self._session = session
        self._cancel = cancel

    def start(self) -> Logits:
        """Return the logits after the prompt, (V,)."""
        return _checked(self._session.logits())

    def most_ahead(self, wanted: int) -> int:
        """Return how many guesses may be read in one pass: llama.cpp's are all alike."""
        return wanted

    def read(self, tokens: Sequence[int]) -> Sequence[Logits] | None:
        """Compute tokens in one batch; return the logits after each, (V,), or ``None``."""
        session = self._session
        if len(tokens) == 1:
            complete = session.read(tokens, self._cancel)
        else:
            complete = session.read_all_logits(tokens, self._cancel, brief=True)
        if not complete:
            return None
        return [_checked(session.logits(index - len(tokens))) for index in range(len(tokens))]

    def take_back(self, count: int) -> None:
        """Forget the newest tokens."""
        self._session.take_back(count)


class DraftContext:
    """A smaller model beside the one that answers; fulfils ``inference.drafters.DraftReader``.

    Args:
        options: ``draft`` and what else says how to load a model.
        flags: From the processor probe.
        vocabulary: Of the model that answers.
        name: Its name.
        cancel: Stops loading.

    Raises:
        InferenceError: One of its children; ``UnsupportedRequestError`` where the tokens differ.
    """

    def __init__(
        self,
        options: LoadOptions,
        flags: LoadFlags,
        vocabulary: Vocabulary,
        name: str,
        cancel: CancelToken,
    ) -> None:
        own = msgspec.structs.replace(options, path=options.draft, draft="")
        self._model = GgufModel(own, flags, lambda _: None, cancel)
        try:
            self.name = self._model.name
            tokens = Vocabulary(self._model.handle, self._model.metadata)
            check_same_tokens(
                name,
                self.name,
                (vocabulary.size, tokens.size),
                (vocabulary.identity, tokens.identity),
            )
            check_takes_back(self._model)
            self._session = Session(self._model, own)
        except BaseException:
            self._model.close()
            raise
        self._n_vocab = min(vocabulary.size, tokens.size)
        self._cancel = CancelToken()
        self.weights_bytes = self._model.weights_bytes
        self.kv_cache_bytes = self._session.kv_cache_bytes
        self.buffers_bytes = self._session.buffers_bytes

    def watch(self, cancel: CancelToken) -> None:
        """Look at this token from now on."""
        self._cancel = cancel

    def follow(self, history: Sequence[int]) -> Logits | None:
        """Read what is new in a text; see ``DraftReader``."""
        if len(history) > self._session.n_ctx:
            return None
        kept = self._session.reuse(history)
        new = history[kept:]
        if max(new) >= self._n_vocab:
            return None
        for start in range(0, len(new), BATCH_TOKENS):
            if not self._session.read(new[start : start + BATCH_TOKENS], self._cancel):
                return None
        return self._logits()

    def step(self, token: int) -> Logits | None:
        """Compute one token more; see ``DraftReader``."""
        full = len(self._session.tokens) >= self._session.n_ctx
        return None if full or not self._session.read((token,), self._cancel) else self._logits()

    def close(self) -> None:
        """Free the model; closing twice is harmless."""
        self._session.close()
        self._model.close()

    def _logits(self) -> Logits:
        return _checked(self._session.logits()[: self._n_vocab])  # (V,)


def check_takes_back(model: GgufModel) -> None:
    """Make sure that a model can forget its newest tokens.

    Raises:
        UnsupportedRequestError: It is a recurrent one, which keeps one state of the whole text.
    """
    if api.llama_model_is_recurrent(model.handle) or api.llama_model_is_hybrid(model.handle):
        raise UnsupportedRequestError(
            "This model keeps one state of the whole text and cannot take guessed tokens back.",
            "Switch guessing ahead off.",
        )


def _checked(logits: Logits) -> Logits:
    check_finite(logits)
    return logits
