"""The contract that both engines, and the remote client in front of them, fulfil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.events import EngineEvent
    from inference.inside.questions import Finding, Question
    from inference.types import (
        BeamTree,
        Candidate,
        GenerationRequest,
        LoadedModel,
        LoadOptions,
        LoadStep,
        Message,
        RenderedPrompt,
        TokenPiece,
    )

ProgressSink: TypeAlias = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1."""


class LoadSink(Protocol):
    """Told how far a load is; fits wherever a ``ProgressSink`` is asked for."""

    def __call__(self, fraction: float, step: LoadStep = "reading", /) -> None:
        """Take note that a fraction of a step is done, 0 to 1; each step begins anew."""
        ...


class Engine(Protocol):
    """One loaded model.

    An engine is used by one thread at a time; only ``CancelToken.cancel`` may come from another.
    ``generate`` yields events in the grammar of ``inference.events``: known trouble is a ``Failed``
    event, not an exception; breaking off the iteration cancels. The other methods raise
    ``InferenceError``. After ``close`` nothing may be called; closing twice is harmless.
    """

    @property
    def loaded(self) -> LoadedModel:
        """Facts about the loaded model."""
        ...

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Answer one request; see the class for grammar and errors."""
        ...

    def tokenize(
        self, text: str, *, add_bos: bool = False, parse_special: bool = False
    ) -> tuple[TokenPiece, ...]:
        """Split a text into tokens; special tokens are read as such only with ``parse_special``."""
        ...

    def render(
        self,
        messages: tuple[Message, ...],
        template_variables: dict[str, bool | int | str] | None = None,
    ) -> RenderedPrompt:
        """Show the exact prompt a conversation becomes.

        Raises:
            BadChatTemplateError: There is no template, or it refuses the conversation.
        """
        ...

    def score(
        self, token_ids: tuple[int, ...], top_n: int, cancel: CancelToken
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return the ``top_n`` likeliest next tokens after each position of ``token_ids``.

        Natural logs of the unmodified distribution, likeliest first; one tuple per position.
        """
        ...

    def beam_tree(self, request_id: str) -> BeamTree:
        """Return what beam search looked at for an answer; that of the latest search is kept.

        Raises:
            UnsupportedRequestError: There is none for this answer.
        """
        ...

    def forget(self, cache_key: str | None) -> None:
        """Drop what is kept of one chat, or of all (``None``), in memory and on the disk."""
        ...

    def rest(self, cancel: CancelToken) -> None:
        """Write kept work to the disk while nobody waits; given up, it goes on the next time."""
        ...

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        """Look inside the model; ``inference.inside.questions`` says what can be asked.

        Raises:
            UnsupportedRequestError: A layer, head or token does not exist, or this model cannot
                show it.
            ContextOverflowError: There are more tokens than can be looked at.
        """
        ...

    def close(self) -> None:
        """Write kept work to the disk, and free the memory."""
        ...


class OpenEngine(Protocol):
    """How an engine is made: ``inference.native.engine.open_engine`` and its GGUF counterpart."""

    def __call__(self, options: LoadOptions, progress: LoadSink, cancel: CancelToken) -> Engine:
        """Load a model; a cancelled load raises ``InferenceError``.

        Raises:
            InferenceError: One of its children, with a sentence and a hint.
        """
        ...
