"""Running one request and reading its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inference.cancel import CancelToken
from inference.events import EngineEvent, Failed, Finished, PromptProgress, Started, TokenEvent
from inference.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    from inference.gguf.engine import GgufEngine


@dataclass(frozen=True)
class Answer:
    """All events of one answer."""

    events: tuple[EngineEvent, ...]

    @property
    def tokens(self) -> list[TokenEvent]:
        return [event for event in self.events if isinstance(event, TokenEvent)]

    @property
    def ids(self) -> list[int]:
        return [event.token_id for event in self.tokens]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.tokens)

    @property
    def started(self) -> Started:
        assert isinstance(self.events[0], Started)
        return self.events[0]

    @property
    def finished(self) -> Finished:
        assert isinstance(self.events[-1], Finished), self.events[-1]
        return self.events[-1]

    @property
    def failed(self) -> Failed:
        assert isinstance(self.events[-1], Failed), self.events[-1]
        return self.events[-1]

    def check_grammar(self) -> None:
        """``Started PromptProgress* TokenEvent* (Finished | Failed)``."""
        order = {Started: 0, PromptProgress: 1, TokenEvent: 2, Finished: 3, Failed: 3}
        ranks = [order[type(event)] for event in self.events]
        assert ranks == sorted(ranks)
        assert ranks.count(3) == 1
        assert ranks.count(0) == 1
        assert [event.index for event in self.tokens] == list(range(len(self.tokens)))


class CancelAfter(CancelToken):
    """Cancelled from the n-th look on: a stop at an exactly known place."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    @property
    def cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def ask(engine: GgufEngine, cancel: CancelToken | None = None, **request: Any) -> Answer:
    """Run a request; sampling fields may be given beside the request's own."""
    sampling = {
        name: request.pop(name) for name in SamplingParams.__struct_fields__ if name in request
    }
    sampling.setdefault("temperature", 0.0)
    made = GenerationRequest("r", sampling=SamplingParams(**sampling), **request)
    return Answer(tuple(engine.generate(made, cancel or CancelToken())))
