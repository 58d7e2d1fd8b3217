"""How fast a loaded model reads and writes here.

Reading is timed by the engine, writing from outside the engine process, so that what a person waits
for is what is counted. Prompts are random tokens: speed does not depend on their meaning.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from inference.errors import UnsupportedRequestError, from_wire
from inference.evaluation.stopping import StoppedError
from inference.events import Failed, Finished, TokenEvent
from inference.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inference.cancel import CancelToken
    from inference.events import EngineEvent
    from inference.types import LoadedModel

_SHORT_PROMPT: Final = 8
_ATTEMPTS: Final = 8


class Generating(Protocol):
    """What is needed of an engine."""

    @property
    def loaded(self) -> LoadedModel:
        """Facts about the model."""
        ...

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Answer one request."""
        ...


class Trial(msgspec.Struct, frozen=True):
    """What to time.

    Attributes:
        prompt_tokens: To read at once; fewer where the context holds fewer.
        tokens: To write; fewer where the context holds fewer.
        repeat: How often both are done.
        top_n: Alternatives told of each token.
    """

    prompt_tokens: int = 512
    tokens: int = 128
    repeat: int = 3
    top_n: int = 0


class Speed(msgspec.Struct, frozen=True):
    """Tokens per second of every run, and how many tokens they took.

    Attributes:
        prompt_tokens: Read at once.
        completion_tokens: Written by the shortest answer.
        reading: Of every prompt.
        writing: Of every answer.
    """

    prompt_tokens: int
    completion_tokens: int
    reading: tuple[float, ...]
    writing: tuple[float, ...]

    @property
    def prompt_tokens_per_s(self) -> float:
        """The median of reading; 0 where it was too quick to be timed."""
        return statistics.median(self.reading) if self.reading else 0.0

    @property
    def tokens_per_s(self) -> float:
        """The median of writing; 0 where it was too quick to be timed."""
        return statistics.median(self.writing) if self.writing else 0.0


class _Run(msgspec.Struct, frozen=True):
    """One measured answer: tokens and seconds of reading and of writing."""

    prompt_tokens: int
    prompt_s: float
    written: int
    write_s: float


def time_model(
    engine: Generating,
    trial: Trial,
    cancel: CancelToken,
    progress: Callable[[float], None] | None = None,
) -> Speed:
    """Let a model read and write, after a short warm-up.

    Args:
        engine: With the model loaded.
        trial: How much of it.
        cancel: Ends it.
        progress: Called with the finished fraction after each round.

    Raises:
        StoppedError: Cancelled.
        InferenceError: The context is too short, the model ends at once, or the engine failed.
    """
    n_ctx = engine.loaded.n_ctx
    n_prompt = min(trial.prompt_tokens, n_ctx - 1)
    n_write = min(trial.tokens, n_ctx - _SHORT_PROMPT)
    if n_prompt < 1 or n_write < 2:
        raise UnsupportedRequestError(
            f"A context of {n_ctx} tokens is too short to measure in.",
            "Choose a larger `--context`.",
        )
    draw = random.Random(1)  # noqa: S311  repeatable, not secret
    _once(engine, _prompt(engine, draw, _SHORT_PROMPT), 2, trial.top_n, cancel)  # warm-up
    reading, writing = [], []
    for done in range(1, trial.repeat + 1):
        prompt = _prompt(engine, draw, n_prompt)
        reading.append(_once(engine, prompt, 1, trial.top_n, cancel))
        writing.append(_write(engine, draw, n_write, trial.top_n, cancel))
        if progress is not None:
            progress(done / trial.repeat)
    return Speed(
        n_prompt,
        min(run.written for run in writing),
        tuple(run.prompt_tokens / run.prompt_s for run in reading if run.prompt_s),
        tuple((run.written - 1) / run.write_s for run in writing if run.write_s),
    )


def _prompt(engine: Generating, draw: random.Random, length: int) -> tuple[int, ...]:
    """Return random ids, no two prompts alike, so that no cached prefix helps."""
    ends = set(engine.loaded.eos_ids)
    ids = [token for token in range(engine.loaded.n_vocab) if token not in ends]
    return tuple(draw.choices(ids, k=length))


def _write(
    engine: Generating, draw: random.Random, tokens: int, top_n: int, cancel: CancelToken
) -> _Run:
    """Let it write; where it ends early, try other prompts and take the longest answer."""
    best: _Run | None = None
    for _ in range(_ATTEMPTS):
        run = _once(engine, _prompt(engine, draw, _SHORT_PROMPT), tokens, top_n, cancel)
        if best is None or run.written > best.written:
            best = run
        if best.written >= tokens:
            break
    if best is None or best.written < 2:
        raise UnsupportedRequestError(
            "This model ends its answer before there is anything to measure.",
            "Try again with another model.",
        )
    return best


def _once(
    engine: Generating, prompt: tuple[int, ...], tokens: int, top_n: int, cancel: CancelToken
) -> _Run:
    sampling = SamplingParams(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, max_tokens=tokens)
    request = GenerationRequest("bench", token_ids=prompt, sampling=sampling, top_n=top_n)
    first = last = 0.0
    for event in engine.generate(request, cancel):
        match event:
            case TokenEvent():
                last = time.perf_counter()
                first = first or last
            case Failed():
                raise from_wire(event.error, event.message, event.hint, event.detail)
            case Finished(reason="cancelled"):
                raise StoppedError
            case Finished():
                computed = event.usage.prompt_tokens - event.usage.reused_tokens
                written = event.usage.completion_tokens
                return _Run(computed, event.timings.prompt_s, written, last - first)
            case _:
                pass
    raise AssertionError  # a stream always ends with one of the above
