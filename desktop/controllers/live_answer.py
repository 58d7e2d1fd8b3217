"""The answer under way: its text in pieces, its figures, its settings. Plain, no Qt, no store."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from desktop.bridge.event_bridge import ids_of
from desktop.store.records import AnswerSettings
from desktop.store.token_ids import TokenIds
from desktop.values import COMPLETION_TOKENS, AnswerStats

if TYPE_CHECKING:
    from desktop.store.records import MessageRecord
    from desktop.values import MessageState, Problem
    from inference.events import Finished, PromptProgress, Started, TokenEvent
    from inference.types import LoadedModel, LoadOptions, ModelInfo, SamplingParams


@dataclass(slots=True)
class LiveAnswer:
    """Collects one answer; ``record`` is what it was when it was sent.

    Attributes:
        record: The stored message with its settings as asked for.
        request_id: Of the request under way; empty while it waits for the model.
        reading: Prompt tokens read, and all of them.
    """

    record: MessageRecord
    request_id: str = ""
    state: MessageState = "waiting"
    reading: tuple[int, int] = (0, 0)
    unsaved: bool = False
    stopping: bool = False
    stats: AnswerStats = field(default_factory=AnswerStats)
    problem: Problem | None = None
    _parts: list[str] = field(default_factory=list)
    _ids: TokenIds = field(default_factory=lambda: TokenIds(0))
    _asked_at: float = 0.0
    _first_at: float = 0.0

    def text(self) -> str:
        """Everything written so far."""
        joined = "".join(self._parts)
        self._parts = [joined]
        return joined

    def tokens(self) -> bytes:
        """The ids of what was written, packed; empty where the model wrote nothing."""
        return self._ids.packed()

    def begin(
        self,
        request_id: str,
        model: ModelInfo,
        loaded: LoadedModel,
        options: LoadOptions | None,
    ) -> None:
        """The model is there and the request is on its way."""
        self.request_id = request_id
        self._asked_at = time.monotonic()
        self._parts = [self.record.text]
        self._ids = TokenIds(len(self.record.text))
        asked = self.record.settings
        continues = is_completion(model, loaded, options)
        self.record = replace(
            self.record,
            model_id=model.id,
            model_name=model.name,
            engine=loaded.engine,
            is_completion=continues,
            settings=None
            if asked is None
            else AnswerSettings(
                _with_end(asked.sampling) if continues else asked.sampling,
                asked.system_prompt,
                options,
                loaded.device,
                loaded.n_ctx,
            ),
        )
        self.stats = AnswerStats(context_total=loaded.n_ctx)

    def on_started(self, event: Started) -> None:
        """The prompt is known; the seed really used is kept."""
        self.state = "reading"
        self.reading = (event.reused_tokens, event.prompt_tokens)
        self.stats = replace(
            self.stats,
            prompt_tokens=event.prompt_tokens,
            prompt_digest=event.prompt_digest,
            context_used=event.prompt_tokens,
            context_total=event.context,
        )
        asked = self.record.settings
        if asked is not None:
            sampling = _with_seed(asked, event.seed)
            self.record = replace(self.record, settings=sampling)

    def on_progress(self, event: PromptProgress) -> None:
        """Some of the prompt is read."""
        self.reading = (event.done, event.total)

    def on_tokens(self, event: TokenEvent) -> None:
        """Text came; the event may stand for several tokens."""
        now = time.monotonic()
        if not self._first_at:
            self._first_at = now
        self.state = "streaming"
        self.unsaved = True
        self._parts.append(event.text)
        self._ids.extend(ids_of(event))
        tokens = event.index + 1
        elapsed = now - self._first_at
        self.stats = replace(
            self.stats,
            completion_tokens=tokens,
            tokens_per_s=(tokens - 1) / elapsed if elapsed > 0 else 0.0,
            first_token_s=self._first_at - self._asked_at,
            context_used=self.stats.prompt_tokens + tokens,
        )

    def on_finished(self, event: Finished) -> None:
        """The engine's own figures replace the ones seen from here."""
        usage = event.usage
        self.state = "stopped" if event.reason == "cancelled" else "complete"
        self.stats = replace(
            self.stats,
            completion_tokens=usage.completion_tokens,
            prompt_tokens=usage.prompt_tokens,
            context_used=usage.prompt_tokens + usage.completion_tokens,
            finish_reason=event.reason,
            drafted_tokens=usage.drafted_tokens,
            accepted_tokens=usage.accepted_tokens,
            tokens_per_s=event.timings.tokens_per_s or self.stats.tokens_per_s,
        )

    def end(self, state: MessageState, problem: Problem | None = None) -> None:
        """It ended otherwise."""
        self.state = state
        self.problem = problem

    def as_record(self) -> MessageRecord:
        """The message as it is now."""
        text = self.text() if self.request_id else self.record.text
        stats = self.stats if self.stats.prompt_tokens else None
        tokens = self.tokens() or self.record.tokens
        return replace(
            self.record,
            text=text,
            state=self.state,
            stats=stats,
            problem=self.problem,
            tokens=tokens,
        )


def is_completion(model: ModelInfo, loaded: LoadedModel, options: LoadOptions | None) -> bool:
    """Whether the model continues a text instead of answering.

    A base model answers where a person chose a chat template for it.
    """
    is_base = model.kind == "base" and not (options and options.chat_template)
    return is_base or not loaded.has_chat_template


def _with_end(sampling: SamplingParams) -> SamplingParams:
    """A base model seldom comes to an end by itself; it would fill its whole context."""
    if sampling.max_tokens is not None:
        return sampling
    return msgspec.structs.replace(sampling, max_tokens=COMPLETION_TOKENS)


def _with_seed(settings: AnswerSettings, seed: int) -> AnswerSettings:
    return msgspec.structs.replace(
        settings, sampling=msgspec.structs.replace(settings.sampling, seed=seed)
    )
