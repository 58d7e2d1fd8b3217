"""What the Inside pages show: a text as a model read it, and a place in it. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from inference.inside.questions import Finding, Question
    from inference.library.anatomy import Anatomy
    from inference.types import GenerationRequest, LoadedModel, ModelInfo, TokenPiece


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where a text to look at comes from.

    Attributes:
        title: For people: the chat's title, or what the text begins with.
        request: What was asked for; its prompt comes first.
        answer: What was written after it; empty for a text of one's own.
        word: The word to begin at, counted from 0 among equal words of the answer; none = the end.
        occurrence: See ``word``.
        message_id: The answer in the open chat, where it is one; the text can be changed there.
    """

    title: str
    request: GenerationRequest
    answer: str = ""
    word: str = ""
    occurrence: int = 0
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A text as the model in memory reads it, token by token.

    Attributes:
        source: Where it comes from.
        model: Facts from the files.
        loaded: What the engine says.
        tokens: The whole text, prompt first.
        answer_start: Index of the first token of the answer.
        chosen: Index of the token looked at: ``len(tokens)`` is the one that would come next.
    """

    source: TextSource
    model: ModelInfo
    loaded: LoadedModel
    tokens: tuple[TokenPiece, ...]
    answer_start: int
    chosen: int

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of all tokens."""
        return tuple(piece.id for piece in self.tokens)

    @property
    def ids_before(self) -> tuple[int, ...]:
        """Ids of the tokens that stand before the chosen one."""
        return self.ids[: self.chosen]


@dataclass(frozen=True, slots=True)
class ReadAnatomy:
    """The parts of the model in memory, from its files; answered by an ``Anatomy``."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadWords:
    """Words as the model in memory cuts them; answered by the tokens of each."""

    words: tuple[str, ...]


Words: TypeAlias = "tuple[tuple[TokenPiece, ...], ...]"
Inquiry: TypeAlias = "Question | ReadAnatomy | ReadWords"
Result: TypeAlias = "Finding | Anatomy | Words"
