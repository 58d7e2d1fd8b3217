"""What the Evaluation view shows: a text as a model expected it, and models side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from inference.inside.perplexity import perplexity
from inference.inside.words import scored_bytes, words_of

if TYPE_CHECKING:
    from inference.evaluation.measuring import Step
    from inference.evaluation.result import Result, Trouble
    from inference.inside.perplexity import Method, Score
    from inference.inside.words import Word
    from inference.types import LoadedModel, ModelInfo, TokenPiece

_HARDEST: Final = 12
_SCALES: Final = (10.0, 20.0, 40.0, 80.0)
RowState = Literal["waiting", "running", "done", "trouble", "stopped"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read and how.

    Attributes:
        text: The text.
        method: How it is cut into windows.
        window: Tokens read at once; ``None`` leaves it to the method and the models.
    """

    text: str
    method: Method = "overlap"
    window: int | None = None


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text as the model in memory expected it, or as much of it as was read.

    Attributes:
        wish: What was asked for.
        model: Facts from the files.
        loaded: What the engine says.
        window: Tokens read at once.
        n_windows: Passes that the whole takes.
        pieces: Its tokens.
        score: Their chances.
        words: Its words.
        n_bytes: What the scored tokens stand for; ``None`` = not known.
        bits_per_word: Mean surprise of the words that were scored.
        hardest: Places of the most unexpected words, the first one first.
        full_bits: Surprise from which on a word is drawn as strong as can be.
        scored: Tokens that have a chance.
        nats: Surprise of all of them together.
    """

    wish: Wish
    model: ModelInfo
    loaded: LoadedModel
    window: int
    n_windows: int
    pieces: tuple[TokenPiece, ...]
    score: Score
    words: tuple[Word, ...]
    n_bytes: int | None
    bits_per_word: float
    hardest: tuple[int, ...]
    full_bits: float
    scored: int
    nats: float

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read."""
        return self.score.n_windows == self.n_windows

    @property
    def bits_per_token(self) -> float:
        """Mean surprise a token."""
        return self.nats / math.log(2) / self.scored

    @property
    def perplexity(self) -> float:
        """``exp`` of the mean surprise a token."""
        return perplexity(self.nats, self.scored)

    @property
    def bits_per_byte(self) -> float | None:
        """Mean surprise a byte of text, which does not depend on the tokenizer."""
        return self.nats / math.log(2) / self.n_bytes if self.n_bytes else None


def read_text(
    wish: Wish,
    model: tuple[ModelInfo, LoadedModel],
    cut: tuple[int, int],
    pieces: tuple[TokenPiece, ...],
    score: Score,
) -> ReadText:
    """Put together what was read; for a long text that takes a while: not in the GUI thread.

    Args:
        wish: What was asked for.
        model: Which model read it.
        cut: Tokens of a window, and how many windows there are.
        pieces: The tokens.
        score: Their chances.
    """
    words = words_of(wish.text, pieces, score.logprobs)
    n_bytes = scored_bytes(wish.text, pieces, score.logprobs)
    told = sorted(
        ((word.bits, -n) for n, word in enumerate(words) if word.bits is not None), reverse=True
    )
    mean = math.fsum(bits for bits, _ in told) / max(1, len(told))
    hardest = tuple(-place for _, place in told[:_HARDEST])
    most = told[len(told) // 10][0] if told else 0.0  # nine of ten words stay below it
    full = next((scale for scale in _SCALES if most <= scale), _SCALES[-1])
    sums = (score.scored, score.nats)
    return ReadText(wish, *model, *cut, pieces, score, words, n_bytes, mean, hardest, full, *sums)


@dataclass(frozen=True, slots=True)
class Row:
    """A model in the table.

    Attributes:
        info: Which one.
        state: How far it is.
        step: What is done now, while it runs.
        fraction: Of that step.
        result: What was measured.
        trouble: Why there is nothing.
    """

    info: ModelInfo
    state: RowState = "waiting"
    step: Step = "checking"
    fraction: float = 0.0
    result: Result | None = None
    trouble: Trouble | None = None
