"""What controllers hand to views: plain frozen values. Knows neither Qt nor threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from inference.types import LoadOptions  # noqa: TC001  a kept problem is read by its annotations

if TYPE_CHECKING:
    from inference.library.machine import Machine
    from inference.library.notes import ModelNote
    from inference.library.scan import Stamp
    from inference.types import LoadedModel, LoadStep, ModelInfo, Role, SamplingParams

MessageState = Literal[
    "complete",  # nothing more will come
    "waiting",  # sent; the model is being loaded or another answer is under way
    "reading",  # the engine reads the prompt
    "streaming",  # text is coming
    "stopped",  # the person stopped it; the text so far is kept
    "failed",  # see ``problem``; the text so far is kept
]
EngineStatus = Literal["none", "loading", "ready", "answering", "stopping", "stopped"]
Offer = Literal["load_smaller", "larger_context", "new_chat", "choose_model"]

IN_MEMORY: Final = frozenset({"loading", "ready", "answering", "stopping"})
"""Statuses of a model that has memory."""

COMPLETION_TOKENS: Final = 256
"""Length of a continuation where the person set none: a base model would go on for ever."""
_ENOUGH_TOKENS: Final = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: a title, what it means, what to do, and what the engine said.

    Attributes:
        can_retry: Whether the same again may go well.
        offers: Other ways out, the safest first.
        larger_context: Tokens, for the offer of that name.
        smaller: How the model would be loaded with less memory, for ``load_smaller``.
        smaller_words: What the button for it says.
        model_id: The installed model that it is about, where its page has the way out.
        is_passing: Of a command that made no sense at that moment: it is over with the next page.
    """

    title: str
    message: str
    hint: str = ""
    detail: str = ""
    can_retry: bool = True
    offers: tuple[Offer, ...] = ()
    larger_context: int = 0
    smaller: LoadOptions | None = None
    smaller_words: str = ""
    model_id: str = ""
    is_passing: bool = False


@dataclass(frozen=True, slots=True)
class AnswerStats:
    """Measured figures of one answer; times in seconds, 0 where nothing was measured."""

    completion_tokens: int = 0
    tokens_per_s: float = 0.0
    first_token_s: float = 0.0
    prompt_tokens: int = 0
    context_used: int = 0
    context_total: int = 0
    finish_reason: str = ""  # as the engine said; empty while it writes, and in old answers
    drafted_tokens: int = 0  # guessed ahead
    accepted_tokens: int = 0  # of those, taken
    prompt_digest: str = ""  # of the prompt's ids, see ``inference.prompt.digest``

    @property
    def speed(self) -> float:
        """Tokens per second; 0 where so few were written that it would say nothing."""
        return self.tokens_per_s if self.completion_tokens >= _ENOUGH_TOKENS else 0.0

    @property
    def guesses_taken(self) -> float | None:
        """Share of the tokens guessed ahead that were taken; ``None`` where none were guessed."""
        return self.accepted_tokens / self.drafted_tokens if self.drafted_tokens else None

    @property
    def is_cut(self) -> bool:
        """Whether the length limit or the end of the context ended it, not the model."""
        return self.finish_reason == "length"

    @property
    def is_context_full(self) -> bool:
        """Whether there is no room for another word."""
        return 0 < self.context_total <= self.context_used + 1


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as shown; ``version`` of ``versions`` siblings counts from 1."""

    id: str
    chat_id: str
    role: Role
    text: str
    state: MessageState = "complete"
    model_name: str = ""
    version: int = 1
    versions: int = 1
    stats: AnswerStats | None = None
    problem: Problem | None = None
    is_completion: bool = False  # a base model continued the text
    reading_done: int = 0
    reading_total: int = 0
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """One row of the chat list; ``updated_at`` in seconds since the epoch."""

    id: str
    title: str
    updated_at: float
    pinned: bool = False
    answering: bool = False
    has_problem: bool = False
    snippet: str = ""  # where a search found its words


@dataclass(frozen=True, slots=True)
class ChatDetail:
    """One open chat: the messages on the chosen branch and the settings it is answered with."""

    id: str
    title: str
    messages: tuple[MessageView, ...]
    model_id: str
    system_prompt: str
    sampling: SamplingParams


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine that the window talks to now.

    Attributes:
        progress: The fraction of the step of loading that is done.
        step: What loading does now.
        rested_min: It was unloaded after so many minutes without use, and comes back by itself;
            0 where that is not so.
        talks: A base model that a person chose a chat template for: it answers.
        stamp: Of the model's files before they were loaded.
    """

    status: EngineStatus = "none"
    model: ModelInfo | None = None
    loaded: LoadedModel | None = None
    progress: float = 0.0
    step: LoadStep = "reading"
    memory_bytes: int = 0
    problem: Problem | None = None
    rested_min: int = 0
    talks: bool = False
    stamp: Stamp = ()

    @property
    def continues(self) -> bool:
        """Whether the model continues a text instead of answering."""
        return self.model is not None and self.model.kind == "base" and not self.talks


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """One row of the Models page and of the picker."""

    info: ModelInfo
    status: EngineStatus = "none"
    memory_bytes: int = 0  # measured when in memory, else 0
    estimate_bytes: int = 0  # derived: weights and cache for the default context
    note: ModelNote | None = None  # ``None`` until it has been read
    is_stale: bool = False  # in memory, with other options than it would be loaded with now


@dataclass(frozen=True, slots=True)
class Models:
    """Everything installed."""

    rows: tuple[InstalledModel, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Computer:
    """What is free for models; ``machine`` is ``None`` before anybody looked."""

    machine: Machine | None = None
    disk_free_bytes: int = 0  # where models are kept; 0 when not known
