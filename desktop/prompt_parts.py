"""Whose words a prompt is made of: those of the people who speak, and the chat template's marks.

Plain values, no Qt.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from desktop.inside import Subject
    from inference.types import Message, TokenPiece

Speaker: TypeAlias = Literal["template", "system", "user", "assistant", "prompt", "text"]
"""Who wrote a part.

``template``: the chat template. ``prompt``: template and messages, where they cannot be told apart.
``text``: whoever wrote a text that is no chat.
"""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A stretch of what the model reads.

    Attributes:
        speaker: Whose it is.
        pieces: Tokens that begin in it, as indexes ``start`` to ``end``.
        data: Its bytes, UTF-8 as a rule; special tokens stand as their own text.
    """

    speaker: Speaker
    pieces: range
    data: bytes

    @property
    def text(self) -> str:
        """Its text."""
        return self.data.decode("utf-8", "replace")


def parts_before(subject: Subject) -> tuple[PromptPart, ...]:
    """Return the parts of all that stands before the chosen place, in order, none of them empty."""
    tokens = subject.tokens[: subject.chosen]
    messages = subject.source.request.messages
    if messages is None:
        return _cut(tokens, [(_length(tokens), "text")])
    prompt = subject.tokens[: subject.answer_start]
    ends = _ends(b"".join(piece.data for piece in prompt), messages)
    ends.append((max(_length(tokens), _length(prompt)), "assistant"))
    return _cut(tokens, ends)


def _length(tokens: tuple[TokenPiece, ...]) -> int:
    return sum(len(piece.data) for piece in tokens)


def _ends(prompt: bytes, messages: tuple[Message, ...]) -> list[tuple[int, Speaker]]:
    """Return where each part of a rendered prompt ends, in bytes.

    Templates trim what is said, so it is looked for without the white space around it.
    """
    ends: list[tuple[int, Speaker]] = []
    at = 0
    for message in messages:
        said = message.content.strip().encode()
        found = prompt.find(said, at) if said else at
        if found < 0:  # the template wrote it otherwise
            return [(len(prompt), "prompt")]
        ends += [(found, "template"), (found + len(said), message.role)]
        at = found + len(said)
    return [*ends, (len(prompt), "template")]


def _cut(tokens: tuple[TokenPiece, ...], ends: list[tuple[int, Speaker]]) -> tuple[PromptPart, ...]:
    """Cut tokens where parts end; a token belongs to the part that its first byte is in."""
    data = b"".join(piece.data for piece in tokens)
    starts = [0, *accumulate(len(piece.data) for piece in tokens)][: len(tokens)]
    parts: list[PromptPart] = []
    begin = first = 0
    for end, speaker in ends:
        last = bisect_right(starts, end - 1) if end else 0
        if data[begin:end]:
            parts.append(PromptPart(speaker, range(first, last), data[begin:end]))
        begin, first = max(begin, end), max(first, last)
    return tuple(parts)
