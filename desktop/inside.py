"""What the Inside pages show: a text as a model read it, and a place in it. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from inference.inside.decodings import Decoded, RunDecodings
    from inference.inside.questions import Finding, Question
    from inference.library.anatomy import Anatomy
    from inference.tokenizing.orders import Built, Languages, TokenOrder, Told
    from inference.types import GenerationRequest, LoadedModel, ModelInfo, TokenPiece


Reading: TypeAlias = Literal["own", "as written", "other prompt", "cut anew", "other model"]
"""Whose tokens a text is shown in.

``own``: a text that no model wrote. ``as written``: prompt and answer are token for token those
that the model had. ``other prompt``: only the answer is; the prompt comes out differently today.
``cut anew``: which tokens were written is not known. ``other model``: another model wrote it.
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of an answer from when it was written.

    Attributes:
        model_id: The model that wrote it.
        model_name: For people.
        ids: The tokens that it wrote; none where they were not kept.
        start: Characters of the answer's text before them, which it read as part of its prompt.
        prompt_digest: Of the ids it read (``inference.prompt.digest``); empty: not kept.
    """

    model_id: str
    model_name: str
    ids: tuple[int, ...]
    start: int
    prompt_digest: str


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where a text to look at comes from.

    Attributes:
        title: For people: the chat's title, or what the text begins with.
        request: What was asked for; its prompt comes first.
        answer: What was written after it; empty for a text of one's own.
        word: The word to begin at, counted from 0 among equal words of ``question`` and the answer;
            none = the end.
        occurrence: See ``word``.
        message_id: The answer in the open chat, where it is one; the text can be changed there.
        written: Known of the answer from when it was written.
        question: The end of the prompt, where ``word`` may stand in it.
    """

    title: str
    request: GenerationRequest
    answer: str = ""
    word: str = ""
    occurrence: int = 0
    message_id: str = ""
    written: Written | None = None
    question: str = ""


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
        reading: How sure it is that these are the tokens the model had.
    """

    source: TextSource
    model: ModelInfo
    loaded: LoadedModel
    tokens: tuple[TokenPiece, ...]
    answer_start: int
    chosen: int
    reading: Reading = "own"

    @property
    def ids(self) -> tuple[int, ...]:
        """Ids of all tokens."""
        return tuple(piece.id for piece in self.tokens)

    @property
    def text(self) -> str:
        """What was written in letters: a text of one's own and what follows, or the answer."""
        request, answer = self.source.request, self.source.answer
        if request.text is not None:
            return request.text + answer
        said = [message.content for message in request.messages or ()]
        return answer or "\n".join(said)

    @property
    def cut_off(self) -> str:
        """What the last token wrote beyond the answer's end: a stop text began within it."""
        if self.reading not in {"as written", "other prompt"}:
            return ""
        pieces = self.tokens[self.answer_start :]
        data = b"".join(piece.data for piece in pieces if not piece.special)
        told, answer = data.decode("utf-8", "replace").lstrip(), self.source.answer.lstrip()
        return told[len(answer) :] if answer and told.startswith(answer) else ""

    @property
    def ids_before(self) -> tuple[int, ...]:
        """Ids of the tokens that stand before the chosen one."""
        return self.ids[: self.chosen]

    @property
    def going_on(self) -> str:
        """What the next token is put behind: the answer of a chat as far as it goes, or all words.

        Empty where an answer begins.
        """
        is_chat = self.source.request.messages is not None
        if not is_chat or self.chosen < self.answer_start:
            return self.words_before
        answer = self.tokens[self.answer_start : self.chosen]
        return b"".join(one.data for one in answer if not one.special).decode("utf-8", "replace")

    def answer_with(self, text: str) -> TextSource | None:
        """Return the chat with more behind the answer's chosen place; none outside an answer."""
        source = self.source
        if source.request.messages is None or self.chosen < self.answer_start:
            return None
        answer = self.going_on + text
        return replace(source, answer=answer, word="", occurrence=0, message_id="", written=None)

    @property
    def words_before(self) -> str:
        """The text before the chosen token, special tokens left out."""
        before = (piece for piece in self.tokens[: self.chosen] if not piece.special)
        return b"".join(piece.data for piece in before).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ReadAnatomy:
    """The parts of the model in memory, from its files; answered by an ``Anatomy``."""

    path: str


@dataclass(frozen=True, slots=True)
class ReadWords:
    """Words as the model in memory cuts them; answered by the tokens of each."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadText(ReadWords):
    """Whole texts in the same way; does not take the place of words that wait."""


@dataclass(frozen=True, slots=True)
class FindSwitch:
    """Whether the model in memory can be told to think before it answers; answered by a bool."""

    text: str


@dataclass(frozen=True, slots=True)
class RunChat:
    """Answer ``text`` as the first message of a chat; answered by a ``ChatRun``."""

    text: str
    thinking: bool
    length: int


@dataclass(frozen=True, slots=True)
class ChatRun:
    """An answer and the thought before it, which may be empty.

    Attributes:
        thought, answer: Texts.
        tokens: Of both.
        seconds: From the question to the end.
        is_cut: It was as long as it could be: by its own length or the context's.
        problem: Why there is none; empty where there is.
    """

    thought: str
    answer: str
    tokens: int
    seconds: float
    is_cut: bool = False
    problem: str = ""


Words: TypeAlias = "tuple[tuple[TokenPiece, ...], ...]"
Writing: TypeAlias = "RunDecodings | FindSwitch | RunChat"
Inquiry: TypeAlias = "Question | ReadAnatomy | ReadWords | Writing | TokenOrder"
Result: TypeAlias = (
    "Finding | Anatomy | Words | Decoded | bool | ChatRun | Built | Languages | tuple[Told, ...]"
)
