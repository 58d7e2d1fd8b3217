"""Perplexity of a text of any length: read in windows that overlap by half, each token scored once.

Each token but those of the first half of the text's first window is told its chance with at least
half a window before it. Where the text begins with BOS, every window does, because some models
expect nothing sensible without it. Engine-neutral: questions go out, findings come in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import UnsupportedRequestError
from inference.inside.questions import AskSurprise, Surprise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEAST_WINDOW = 4


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that is read in one pass.

    Attributes:
        start: Index of its first token.
        stop: Index after its last token.
        first: Index of the first token that is scored here; those before only stand before it.
    """

    start: int
    stop: int
    first: int


@dataclass(frozen=True, slots=True)
class Score:
    """How expected a text was.

    Attributes:
        logprobs: For each token the natural log of its chance; ``None`` for the first.
        n_windows: Passes that it was read in.
    """

    logprobs: tuple[float | None, ...]
    n_windows: int

    @property
    def scored(self) -> int:
        """Tokens that have a chance."""
        return sum(value is not None for value in self.logprobs)

    @property
    def nats(self) -> float:
        """Surprise of the whole text, in natural units."""
        return -math.fsum(value for value in self.logprobs if value is not None)

    @property
    def perplexity(self) -> float:
        """``exp`` of the mean surprise a token."""
        return math.exp(self.nats / self.scored)

    def bits_per_byte(self, n_bytes: int) -> float:
        """Return the surprise in bits for each of the ``n_bytes`` that the scored tokens stand for.

        It does not depend on how a tokenizer cuts the text, so models can be compared by it.
        """
        return self.nats / math.log(2) / n_bytes


def windows(n_tokens: int, n_ctx: int, *, has_bos: bool) -> tuple[Window, ...]:
    """Return the parts in which ``n_tokens`` are read with room for ``n_ctx``.

    Raises:
        UnsupportedRequestError: There is nothing to score, or no room to read in.
    """
    if n_tokens < 2:
        raise UnsupportedRequestError(
            "One token alone has no surprise: there is nothing before it.", "Give a longer text."
        )
    if n_ctx < _LEAST_WINDOW:
        raise UnsupportedRequestError(
            f"A context of {n_ctx} tokens is too small to read a text in.",
            "Load the model with a larger context.",
        )
    parts = [Window(0, min(n_tokens, n_ctx), 1)]
    room = n_ctx - has_bos  # in later windows BOS is repeated
    while parts[-1].stop < n_tokens:
        first = parts[-1].stop
        start = first - room // 2
        parts.append(Window(start, min(n_tokens, start + room), first))
    return tuple(parts)


class Reading:
    """A text being scored, window by window.

    Args:
        ids: All tokens.
        n_ctx: Tokens that one pass may take.
        has_bos: Whether the first token is BOS.

    Raises:
        UnsupportedRequestError: See ``windows``.
    """

    def __init__(self, ids: Sequence[int], n_ctx: int, *, has_bos: bool) -> None:
        self._ids = tuple(ids)
        self._has_bos = has_bos
        self._windows = windows(len(self._ids), n_ctx, has_bos=has_bos)
        self._done = 0
        self._logprobs: list[float | None] = [None]

    @property
    def n_windows(self) -> int:
        """Passes that it takes."""
        return len(self._windows)

    @property
    def fraction(self) -> float:
        """What is scored, 0 to 1."""
        return len(self._logprobs) / len(self._ids)

    @property
    def question(self) -> AskSurprise | None:
        """What to ask next; ``None`` when everything is scored."""
        if self._done == len(self._windows):
            return None
        window = self._windows[self._done]
        ids = self._ids[window.start : window.stop]
        return AskSurprise(self._ids[: self._begins(window)] + ids)

    def take(self, finding: Surprise) -> None:
        """Take the answer to ``question``."""
        window = self._windows[self._done]
        self._logprobs += finding.logprobs[window.first - window.start + self._begins(window) :]
        self._done += 1

    def score(self) -> Score:
        """Return what was found so far."""
        return Score(tuple(self._logprobs), self._done)

    def _begins(self, window: Window) -> int:
        """Return how many tokens stand before the window's own."""
        return int(self._has_bos and window.start > 0)


def measure(
    reading: Reading,
    ask: Callable[[AskSurprise], object],
    progress: Callable[[float], None] | None = None,
) -> Score:
    """Ask until everything is scored.

    Args:
        reading: The text.
        ask: Asks an engine; what it raises comes through.
        progress: Called with the scored fraction after each window.
    """
    while (question := reading.question) is not None:
        finding = ask(question)
        assert isinstance(finding, Surprise)  # noqa: S101  what this question is answered with
        reading.take(finding)
        if progress is not None:
            progress(reading.fraction)
    return reading.score()
