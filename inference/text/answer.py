"""From generated tokens to the events a person sees; both engines use it, so they agree.

Knows nothing of how tokens are made: it gets ids, bytes and probabilities, in order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.events import TokenEvent
from inference.text.detokenizer import Utf8Stream
from inference.text.stops import StopMatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import Candidate


@dataclass(slots=True)
class _Held:
    """A token whose event waits; ``*_end`` count from the start of the answer."""

    index: int
    token_id: int
    text: str
    logprob: float | None
    top: tuple[Candidate, ...]
    piece_bytes: int
    bytes_end: int
    text_end: int


class AnswerStream:
    """Turns tokens into ``TokenEvent``s, one for one and in order.

    An event waits while its own text is uncertain: while it could be the beginning of a stop
    sequence, or ends inside a character. The texts of all events, joined, are the decoded answer
    cut at the first stop. Tokens that lie wholly in the stop give no event.

    Args:
        request_id: Repeated in every event.
        stops: Texts that end the answer and are not part of it.
        sample: Its number among several answers to one prompt, repeated in every event.
    """

    __slots__ = (
        "_bytes",
        "_chars",
        "_count",
        "_held",
        "_matcher",
        "_request_id",
        "_sample",
        "_utf8",
    )

    def __init__(self, request_id: str, stops: Sequence[str] = (), sample: int = 0) -> None:
        self._request_id = request_id
        self._sample = sample
        self._utf8 = Utf8Stream()
        self._matcher = StopMatcher(stops)
        self._held: deque[_Held] = deque()
        self._count = 0
        self._bytes = 0
        self._chars = 0

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence ended the answer."""
        return self._matcher.found is not None

    def push(
        self,
        token_id: int,
        piece: bytes,
        logprob: float | None = None,
        top: tuple[Candidate, ...] = (),
    ) -> tuple[list[TokenEvent], bool]:
        """Take the next token.

        Args:
            token_id: Its id.
            piece: Its bytes, exactly as the tokenizer has them; may end inside a character.
            logprob: Natural log of its probability, ``None`` when not asked for.
            top: Alternatives, likeliest first.

        Returns:
            The events that are certain now, and whether a stop sequence has ended the answer.
            After that nothing is taken any more.
        """
        if self.stopped:
            return [], True
        text = self._utf8.push(piece)
        self._bytes += len(piece)
        self._chars += len(text)
        self._held.append(
            _Held(self._count, token_id, text, logprob, top, len(piece), self._bytes, self._chars)
        )
        self._count += 1
        if self._matcher.feed(text):
            return self._cut(), True
        return self._release(self._bytes - self._utf8.pending_bytes), False

    def finish(self) -> list[TokenEvent]:
        """End the answer; return the events still held. An unfinished character becomes U+FFFD."""
        if self.stopped:
            return []
        tail = self._utf8.finish()
        if tail:  # the bytes belong to the last token, whose event was therefore held
            self._chars += len(tail)
            self._held[-1].text += tail
            self._held[-1].text_end += len(tail)
        if self._matcher.feed(tail):
            return self._cut()
        self._matcher.finish()
        return self._release(self._bytes)

    def _release(self, bytes_certain: int) -> list[TokenEvent]:
        events: list[TokenEvent] = []
        held = self._held
        while (
            held
            and held[0].bytes_end <= bytes_certain
            and held[0].text_end <= self._matcher.certain
        ):
            events.append(self._event(held.popleft()))
        return events

    def _cut(self) -> list[TokenEvent]:
        """Release what begins before the stop, the last of it shortened, and drop the rest."""
        events: list[TokenEvent] = []
        for token in self._held:
            start = token.text_end - len(token.text)
            room = self._matcher.certain - start
            if room < 0 or (room == 0 and (token.piece_bytes or token.text)):
                break
            token.text = token.text[:room]
            events.append(self._event(token))
        self._held.clear()
        return events

    def _event(self, token: _Held) -> TokenEvent:
        return TokenEvent(
            request_id=self._request_id,
            index=token.index,
            token_id=token.token_id,
            text=token.text,
            logprob=token.logprob,
            top=token.top,
            sample=self._sample,
        )
