"""Who guesses tokens for speculative decoding: the text itself, or a smaller model.

Knows token ids; the model is behind ``DraftReader``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol

from inference.speculation import Chooser, Draft, RowT, RowT_co, draft_randomness

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from inference.speculation import Chances

_RUNS: Final = (4, 3, 2)
"""Tokens at the end of the text that have to have come before; longer runs are trusted first."""


class PromptLookup:
    """Guesses that the text goes on as it did the last time its newest tokens came.

    Saxena 2023, "Prompt Lookup Decoding"; the newest place wins, and a text that repeats itself
    goes on repeating.
    """

    def __init__(self) -> None:
        self._followed: dict[tuple[int, ...], int] = {}
        self._indexed = 0

    def prepare(self, prompt: Sequence[int]) -> None:
        """Look through the prompt."""
        self._index(prompt)

    def propose(self, history: Sequence[int], most: int) -> Draft:
        """Guess what follows; see ``Drafter``. The history may only have grown since last time."""
        self._index(history)
        for size in _RUNS:
            place = self._followed.get(tuple(history[-size:]))
            if place is not None:
                period = len(history) - place
                return Draft([history[place + i % period] for i in range(most)])
        return Draft()

    def close(self) -> None:
        """Nothing is to be freed."""

    def _index(self, history: Sequence[int]) -> None:
        """Note what followed each run; the last token has nothing after it yet."""
        for place in range(max(1, self._indexed), len(history)):
            for size in _RUNS:
                if size <= place:
                    self._followed[tuple(history[place - size : place])] = place
        self._indexed = max(self._indexed, len(history))


class DraftReader(Protocol[RowT_co]):
    """A smaller model with the same tokens."""

    def follow(self, history: Sequence[int]) -> RowT_co | None:
        """Read what is new in a text; return the logits after it, ``None`` where it cannot."""
        ...

    def step(self, token: int) -> RowT_co | None:
        """Read one token more; return the logits after it, ``None`` where it cannot."""
        ...


class ModelDrafter(Generic[RowT]):
    """Lets a smaller model write ahead, with the settings of the answer.

    Args:
        reader: The model.
        chooser: A sampler over the prompt; closed with this.
        greedy: The likeliest token is taken; else tokens are drawn.
        seed: Of the draws.
        ends: Ids after which nothing follows.
    """

    def __init__(
        self,
        reader: DraftReader[RowT],
        chooser: Chooser[RowT],
        *,
        greedy: bool,
        seed: int,
        ends: Collection[int],
    ) -> None:
        self._reader = reader
        self._chooser = chooser
        self._greedy = greedy
        self._random = draft_randomness(seed)
        self._ends = ends
        self._remembered = 0

    def prepare(self, prompt: Sequence[int]) -> None:
        """Read the prompt."""
        self._remembered = len(prompt)
        self._reader.follow(prompt)

    def propose(self, history: Sequence[int], most: int) -> Draft:
        """Write ahead; see ``Drafter``. The history may only have grown since last time."""
        for token in history[self._remembered :]:
            self._chooser.remember(token)
        self._remembered = len(history)
        row = self._reader.follow(history)
        chooser = self._chooser.fork()
        try:
            return self._write(chooser, row, most)
        finally:
            chooser.close()

    def close(self) -> None:
        """Free the sampler; the model stays."""
        self._chooser.close()

    def _write(self, chooser: Chooser[RowT], row: RowT | None, most: int) -> Draft:
        tokens: list[int] = []
        chances: list[Chances] = []
        while row is not None:
            if self._greedy:
                token = chooser.pick(row)
            else:
                chances.append(chooser.distribution(row))
                token = chances[-1].draw(self._random)
                chooser.remember(token)
            tokens.append(token)
            if len(tokens) == most or token in self._ends:
                break
            row = self._reader.step(token)
        return Draft(tokens, chances)
