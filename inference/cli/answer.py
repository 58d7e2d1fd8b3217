"""An answer as it comes: as text for people, or one JSON object per event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.errors import InferenceError, from_wire
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent

if TYPE_CHECKING:
    from inference.cli.console import Json
    from inference.cli.session import Session
    from inference.events import EngineEvent
    from inference.types import FinishReason


class Answer:
    """Keeps what came.

    Attributes:
        texts: Those of all samples, by their number.
        thinking: What the model thought before it.
        reason: Why it ended, ``None`` while it has not.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.texts: dict[int, str] = {}
        self.thinking = ""
        self.reason: FinishReason | None = None
        self.finished: Finished | None = None
        self.started: Started | None = None
        self._failure: InferenceError | None = None

    @property
    def text(self) -> str:
        """The answer so far; the first one where several are drawn."""
        return self.texts.get(0, "")

    def take(self, event: EngineEvent) -> None:
        """Take the next event and show it."""
        match event:
            case Started():
                self.started = event
            case TokenEvent(kind="answer"):
                self.texts[event.sample] = self.texts.get(event.sample, "") + event.text
            case TokenEvent(kind="thinking"):
                self.thinking += event.text
            case Finished():
                self.finished = event
                self.reason = event.reason
            case Failed():
                self._failure = from_wire(event.error, event.message, event.hint, event.detail)
            case _:
                pass
        self.show(event)

    def show(self, event: EngineEvent) -> None:
        """Print what this event means to the reader."""

    def raise_failure(self) -> None:
        """Raise what ended the answer, where that was trouble."""
        if self._failure is not None:
            raise self._failure


class TextAnswer(Answer):
    """Prints the answer's text, ended by one line end."""

    def show(self, event: EngineEvent) -> None:
        """Print the text of a token; thinking and tool calls are not part of the answer."""
        if isinstance(event, TokenEvent) and event.kind == "answer" and event.text:
            console.write(event.text)
        elif isinstance(event, Finished | Failed) and self.text and not self.text.endswith("\n"):
            console.line()


class TextSamples(Answer):
    """Prints several answers one after the other, since they come at the same time."""

    def show(self, event: EngineEvent) -> None:
        """Print them all at the end, each under the seed that alone would draw it again."""
        if isinstance(event, Finished):
            for end in event.samples:
                console.line(f"Sample {end.sample + 1}, seed {end.seed}:")
                console.line(self.texts.get(end.sample, ""))
                if end.sample + 1 < len(event.samples):
                    console.line()


class JsonAnswer(Answer):
    """Prints every event as one object on one line.

    Args:
        session: The loaded model.
        top: Alternatives to print per token.
        several: Tell whose sample a token is.
        speculates: Tell how many tokens were guessed and taken.
    """

    def __init__(
        self, session: Session, top: int, *, several: bool = False, speculates: bool = False
    ) -> None:
        super().__init__(session)
        self._speculates = speculates
        self._top = top
        self._several = several

    def show(self, event: EngineEvent) -> None:
        """Print the event; a failure is printed by whoever catches it."""
        match event:
            case Started():
                console.json_line(self._started(event))
            case PromptProgress(done=done, total=total):
                console.json_line({"event": "prompt_progress", "done": done, "total": total})
            case TokenEvent():
                console.json_line(_token(event, self._top, several=self._several))
            case Finished():
                console.json_line(self._finished(event))
            case _:
                pass

    def _started(self, event: Started) -> Json:
        return {
            "event": "started",
            "model": self.session.info.id,
            "engine": self.session.info.engine,
            "context": event.context,
            "prompt_tokens": event.prompt_tokens,
            "reused_tokens": event.reused_tokens,
            "seed": event.seed,
        }

    def _finished(self, event: Finished) -> Json:
        usage, timings = event.usage, event.timings
        finished: dict[str, Json] = {
            "event": "finished",
            "reason": event.reason,
            "text": self.text,
            "thinking": self.thinking,
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "reused_tokens": usage.reused_tokens,
            },
            "timings": {
                "load_s": self.session.load_s,
                "prompt_s": timings.prompt_s,
                "decode_s": timings.decode_s,
                "prompt_tokens_per_s": timings.prompt_tokens_per_s,
                "tokens_per_s": timings.tokens_per_s,
            },
        }
        if self._speculates:
            finished["speculation"] = {
                "drafted_tokens": usage.drafted_tokens,
                "accepted_tokens": usage.accepted_tokens,
            }
        if event.samples:
            finished["samples"] = [
                {
                    "sample": end.sample,
                    "seed": end.seed,
                    "reason": end.reason,
                    "text": self.texts.get(end.sample, ""),
                    "completion_tokens": end.completion_tokens,
                }
                for end in event.samples
            ]
        return finished


def _token(event: TokenEvent, top: int, *, several: bool) -> Json:
    shown: dict[str, Json] = {
        "event": "token",
        "index": event.index,
        "id": event.token_id,
        "text": event.text,
        "logprob": event.logprob,
        "top": [
            {"id": other.id, "text": other.text, "logprob": other.logprob}
            for other in event.top[:top]
        ],
        "kind": event.kind,
    }
    return shown | {"sample": event.sample} if several else shown
