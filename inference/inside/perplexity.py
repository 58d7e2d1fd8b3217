"""Perplexity of a text of any length: read in windows, by one of two named methods.

``overlap``: windows overlap by half and each token is scored once, so that every token but those of
the text's first half window is told its chance with at least half a window before it. Where the
text begins with BOS, every window does, because some models expect nothing sensible without it.

``llama.cpp``: what the perplexity program of llama.cpp does. The tokens are cut into chunks that do
not overlap, BOS takes the first place of each where the model wants one, and only the second half
of each chunk is scored; what is left at the end of the text is not read.

Engine-neutral: questions go out, findings come in.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from inference.errors import UnsupportedRequestError
from inference.inside.questions import AskSurprise, Surprise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Method: TypeAlias = Literal["overlap", "llama.cpp"]
METHODS: Final[tuple[Method, ...]] = ("overlap", "llama.cpp")
LLAMA_WINDOW: Final = 512
"""The window of llama.cpp's program where nobody asks for another."""

_LEAST_WINDOW: Final = 4
_STEP: Final = 256  # tokens between two answers of how far it is
_LEAST_CHUNKS: Final = 2


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a text that is read in one pass.

    Attributes:
        start: Index of its first token.
        stop: Index after its last token.
        first: Index of the first token that is scored here; those before only stand before it.
        bos: Whether the text's first token, BOS, stands ``before`` its tokens, or ``instead`` of
            the first of them; empty where neither.
    """

    start: int
    stop: int
    first: int
    bos: Literal["", "before", "instead"] = ""

    def ids(self, text: Sequence[int]) -> tuple[int, ...]:
        """Return the tokens of its pass."""
        if not self.bos:
            return tuple(text[self.start : self.stop])
        return (text[0], *text[self.start + (self.bos == "instead") : self.stop])


@dataclass(frozen=True, slots=True)
class Score:
    """How expected a text was.

    Attributes:
        logprobs: For each token the natural log of its chance; ``None`` where it was not scored,
            as always for the first.
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
        """``exp`` of the mean surprise a token; not a number where nothing was scored."""
        return perplexity(self.nats, self.scored)

    def bits_per_byte(self, n_bytes: int) -> float:
        """Return the surprise in bits for each of the ``n_bytes`` that the scored tokens stand for.

        It does not depend on how a tokenizer cuts the text, so models can be compared by it.
        """
        return self.nats / math.log(2) / n_bytes

    def parts(self, count: int) -> tuple[float, ...]:
        """Return the surprise in nats of ``count`` equal parts of what was scored, or of fewer."""
        told = [-value for value in self.logprobs if value is not None]
        count = min(count, len(told))
        cuts = [len(told) * n // count for n in range(count + 1)] if count else [0]
        return tuple(math.fsum(told[a:b]) for a, b in itertools.pairwise(cuts))


def perplexity(nats: float, scored: int) -> float:
    """Return ``exp`` of the mean surprise; infinite where that is beyond every number."""
    if not scored:
        return math.nan
    try:
        return math.exp(nats / scored)
    except OverflowError:
        return math.inf


def window_for(n_ctx: int, method: Method, asked: int | None = None) -> int:
    """Return how many tokens to read in one pass.

    Args:
        n_ctx: What the model's context holds.
        method: Each has a window of its own where nobody asks for one.
        asked: What a person asks for.

    Raises:
        UnsupportedRequestError: More is asked for than the context holds.
    """
    if asked is None:
        return min(n_ctx, LLAMA_WINDOW) if method == "llama.cpp" else n_ctx
    if asked > n_ctx:
        raise UnsupportedRequestError(
            f"A window of {asked:,} tokens does not fit into the context of {n_ctx:,}.",
            "Choose a smaller window, or load the model with a larger context.",
        )
    return asked


def stride_of(window: int, method: Method) -> int:
    """Return how many tokens further each window begins, roughly: BOS takes a place."""
    return window if method == "llama.cpp" else window // 2


def windows(
    n_tokens: int, n_ctx: int, *, has_bos: bool, method: Method = "overlap"
) -> tuple[Window, ...]:
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
    if method == "llama.cpp":
        return _chunks(n_tokens, n_ctx, has_bos=has_bos)
    parts = [Window(0, min(n_tokens, n_ctx), 1)]
    room = n_ctx - has_bos  # in later windows BOS is repeated
    while parts[-1].stop < n_tokens:
        first = parts[-1].stop
        start = first - room // 2
        stop = min(n_tokens, start + room)
        parts.append(Window(start, stop, first, "before" if has_bos else ""))
    return tuple(parts)


def _chunks(n_tokens: int, size: int, *, has_bos: bool) -> tuple[Window, ...]:
    """Return the parts of llama.cpp's method (its ``tools/perplexity``, ``perplexity``)."""
    if n_tokens < _LEAST_CHUNKS * size:
        raise UnsupportedRequestError(
            f"The method of llama.cpp needs a text of {_LEAST_CHUNKS * size:,} tokens for windows "
            f"of {size:,}; this one has {n_tokens:,}.",
            "Choose a smaller window, a longer text, or windows that overlap.",
        )
    return tuple(
        Window(start, start + size, start + size // 2 + 1, "instead" if has_bos else "")
        for start in range(0, n_tokens - size + 1, size)
    )


class Reading:
    """A text being scored, window by window, and long windows in steps.

    Args:
        ids: All tokens.
        n_ctx: Tokens that one pass may take.
        has_bos: Whether the first token is BOS.
        method: How the text is cut.

    Raises:
        UnsupportedRequestError: See ``windows``.
    """

    def __init__(
        self, ids: Sequence[int], n_ctx: int, *, has_bos: bool, method: Method = "overlap"
    ) -> None:
        self._ids = tuple(ids)
        self._windows = windows(len(self._ids), n_ctx, has_bos=has_bos, method=method)
        self._done = 0
        self._within = 0  # tokens of the pass under way that are read
        self._logprobs: list[float | None] = [None] * len(self._ids)

    @property
    def n_windows(self) -> int:
        """Passes that it takes."""
        return len(self._windows)

    @property
    def n_done(self) -> int:
        """Passes that are over."""
        return self._done

    @property
    def fraction(self) -> float:
        """What is read, 0 to 1."""
        before = self._windows[self._done - 1].stop if self._done else 0
        if self._within:
            window = self._windows[self._done]
            before += (window.stop - before) * self._within // len(window.ids(self._ids))
        return before / self._windows[-1].stop

    @property
    def question(self) -> AskSurprise | None:
        """What to ask next, a long pass in steps; ``None`` when everything is scored."""
        if self._done == len(self._windows):
            return None
        window = self._windows[self._done]
        ids, until = window.ids(self._ids), self._within + _STEP
        first = window.first + self._shift(window)
        return AskSurprise(ids, first, until if until < len(ids) else 0)

    def take(self, finding: Surprise) -> None:
        """Take the answer to ``question``."""
        question = self.question
        if question is None:
            return
        if question.until:
            self._within = question.until
            return
        window = self._windows[self._done]
        self._logprobs[window.first : window.stop] = finding.logprobs[question.first :]
        self._done, self._within = self._done + 1, 0

    @staticmethod
    def _shift(window: Window) -> int:
        """Return how much further a token stands in the window's pass than in the text."""
        return (window.bos == "before") - window.start

    def score(self) -> Score:
        """Return what was found so far."""
        return Score(tuple(self._logprobs), self._done)


def measure(
    reading: Reading,
    ask: Callable[[AskSurprise], object],
    progress: Callable[[float], None] | None = None,
) -> Score:
    """Ask until everything is scored.

    Args:
        reading: The text.
        ask: Asks an engine; what it raises comes through.
        progress: Called with the fraction that is read, after each step.
    """
    while (question := reading.question) is not None:
        finding = ask(question)
        assert isinstance(finding, Surprise)  # noqa: S101  what this question is answered with
        reading.take(finding)
        if progress is not None:
            progress(reading.fraction)
    return reading.score()
