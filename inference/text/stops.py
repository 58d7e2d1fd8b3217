"""Find the first stop sequence in a text that arrives in pieces.

The matcher keeps no text, only positions: what it was fed, it was given to look at.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class StopMatcher:
    """All stop sequences at once, in one pass over the text.

    Source: Aho and Corasick, "Efficient string matching", CACM 18(6), 1975. The depth of the
    automaton's state is the length of the longest tail that could still become a stop, so nothing
    is held back longer than necessary, and each character costs constant time on average.

    The first stop is the one that is complete first; of those complete at the same character, the
    longest. Empty stop sequences are ignored.

    Args:
        stops: The texts that end an answer.

    Attributes:
        certain: Characters from the start of the text that cannot belong to a stop any more.
        found: Where the first stop begins, ``None`` while there is none.
    """

    __slots__ = (
        "_children",
        "_depth",
        "_fall_back",
        "_match",
        "_seen",
        "_state",
        "certain",
        "found",
    )

    def __init__(self, stops: Iterable[str]) -> None:
        self._children: list[dict[str, int]] = [{}]
        self._depth = [0]
        self._match = [0]  # length of the longest stop that ends in this state, 0 = none
        self._fall_back = [0]
        self._state = 0
        self._seen = 0
        self.certain = 0
        self.found: int | None = None
        for stop in stops:
            self._add(stop)
        self._link()

    def _add(self, stop: str) -> None:
        state = 0
        for char in stop:
            following = self._children[state].get(char)
            if following is None:
                following = len(self._children)
                self._children[state][char] = following
                self._children.append({})
                self._depth.append(self._depth[state] + 1)
                self._match.append(0)
                self._fall_back.append(0)
            state = following
        self._match[state] = len(stop)

    def _link(self) -> None:
        """Give every state its fall-back: the longest proper tail that also begins a stop."""
        waiting = deque(self._children[0].values())
        while waiting:
            state = waiting.popleft()
            for char, child in self._children[state].items():
                self._fall_back[child] = self._step(self._fall_back[state], char)
                self._match[child] = self._match[child] or self._match[self._fall_back[child]]
                waiting.append(child)

    def _step(self, state: int, char: str) -> int:
        children = self._children
        while state and char not in children[state]:
            state = self._fall_back[state]
        return children[state].get(char, 0)

    def feed(self, text: str) -> bool:
        """Look at the next piece of the text; return whether a stop was found (now or before)."""
        if self.found is not None:
            return True
        if not self._children[0]:
            self._seen += len(text)
            self.certain = self._seen
            return False
        state = self._state
        for offset, char in enumerate(text, self._seen + 1):
            state = self._step(state, char)
            if self._match[state]:
                self.found = self.certain = offset - self._match[state]
                return True
        self._state = state
        self._seen += len(text)
        self.certain = self._seen - self._depth[state]
        return False

    def finish(self) -> None:
        """End the text: what could have become a stop no longer can."""
        if self.found is None:
            self.certain = self._seen


def before_stop(text: str, stops: Iterable[str]) -> str:
    """Return a whole text up to its first stop, all of it where there is none."""
    matcher = StopMatcher(stops)
    matcher.feed(text)
    return text[: matcher.found]
