"""Several answers to one prompt, decoded side by side: what both engines share of it.

Knows neither networks nor logits. The prompt is read once; then each pass computes one token of
every sample that still runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from inference.sampling_rules import sample_seed
from inference.text.answer import AnswerStream
from inference.types import SampleEnd

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence

    from inference.cancel import CancelToken
    from inference.events import TokenEvent
    from inference.types import Candidate, FinishReason, GenerationRequest


@dataclass(frozen=True, slots=True)
class Drawn:
    """A token that was drawn: its id, its bytes, and what is told of its chance."""

    token: int
    piece: bytes
    logprob: float | None = None
    top: tuple[Candidate, ...] = ()


class SampleRows(Protocol):
    """One row of an engine's batch for each sample that still runs."""

    def draw(self, place: int, sample: int) -> Drawn:
        """Draw the next token of a sample, which is in row ``place``, with its own seed."""
        ...

    def advance(self, places: Sequence[int], tokens: Sequence[int]) -> bool:
        """Go on with these rows only, one more token in each; ``False`` after a stop.

        Row i is from now on what row ``places[i]`` was.
        """
        ...


class _Sample:
    def __init__(self, request: GenerationRequest, number: int, seed: int) -> None:
        self.number = number
        self.seed = sample_seed(seed, number)
        self.stream = AnswerStream(request.request_id, request.sampling.stop, number)
        self.written = 0
        self.reason: FinishReason | None = None


class SampleBatch:
    """The samples of one request.

    Args:
        request: ``samples`` and ``stop`` are read.
        seed: The one really used.
        limit: Longest sample in tokens.
        ends: Ids that end one.
        drops_space: The space before a sample's first word is not meant.

    Attributes:
        steps: Tokens computed since the prompt, of all samples together.
        decode_s: Seconds that took, the reader's not counted.
    """

    def __init__(
        self,
        request: GenerationRequest,
        seed: int,
        *,
        limit: int,
        ends: Collection[int],
        drops_space: bool,
    ) -> None:
        self._samples = [_Sample(request, i, seed) for i in range(request.sampling.samples)]
        self._limit = limit
        self._ends = ends
        self._spaceless = set(range(len(self._samples))) if drops_space else set()
        self.steps = 0
        self.decode_s = 0.0

    @property
    def seeds(self) -> list[int]:
        """One for each sample."""
        return [sample.seed for sample in self._samples]

    @property
    def written(self) -> int:
        """Tokens of all samples together."""
        return sum(sample.written for sample in self._samples)

    @property
    def ends(self) -> tuple[SampleEnd, ...]:
        """How each sample ended; ``cancelled`` is also what has not ended yet."""
        return tuple(
            SampleEnd(one.number, one.seed, one.reason or "cancelled", one.written)
            for one in self._samples
        )

    def events(
        self, rows: SampleRows, cancel: CancelToken
    ) -> Generator[TokenEvent, None, FinishReason]:
        """Yield the tokens of all samples, step by step; return the reason for all together."""
        running = self._samples
        while running and not cancel.cancelled:
            began = perf_counter()
            drawn, events = self._step(rows, running)
            self.decode_s += perf_counter() - began
            yield from events
            places = [place for place, sample in enumerate(running) if sample.reason is None]
            running = [running[place] for place in places]
            if not running:
                break
            began = perf_counter()
            complete = rows.advance(places, [drawn[place] for place in places])
            self.decode_s += perf_counter() - began
            if not complete:
                break
            self.steps += len(running)
        for sample in running:
            yield from sample.stream.finish()
        reasons = {end.reason for end in self.ends}
        worst: tuple[FinishReason, ...] = ("cancelled", "length")
        return next((reason for reason in worst if reason in reasons), "stop")

    def _step(
        self, rows: SampleRows, running: Sequence[_Sample]
    ) -> tuple[list[int], list[TokenEvent]]:
        """Draw one token in each running sample."""
        tokens: list[int] = []
        events: list[TokenEvent] = []
        for place, sample in enumerate(running):
            drawn = rows.draw(place, sample.number)
            tokens.append(drawn.token)
            events += self._take(sample, drawn)
            if sample.reason is not None:
                events += sample.stream.finish()
        return tokens, events

    def _take(self, sample: _Sample, drawn: Drawn) -> list[TokenEvent]:
        if drawn.token in self._ends:
            sample.reason = "stop"
            return []
        piece = drawn.piece
        if piece and sample.number in self._spaceless:
            self._spaceless.remove(sample.number)
            piece = piece.removeprefix(b" ")
        events, stopped = sample.stream.push(drawn.token, piece, drawn.logprob, drawn.top)
        sample.written += 1
        if stopped:
            sample.reason = "stop"
        elif sample.written >= self._limit:
            sample.reason = "length"
        return events
