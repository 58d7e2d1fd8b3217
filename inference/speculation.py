"""Speculative decoding: tokens are guessed cheaply, and one pass of the model judges several.

What both engines share: which guesses are taken. The answer has exactly the distribution that it
has without guessing (Leviathan et al. 2023, "Fast Inference from Transformers via Speculative
Decoding", theorem 1; Chen et al. 2023, "Accelerating Large Language Model Decoding with Speculative
Sampling", theorem 1). That distribution is the one after all settings: penalties, top-k, top-p ...

Knows token ids and chances; networks and logits are opaque rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import numpy.typing as npt

RowT = TypeVar("RowT")
"""Logits at one position, as an engine keeps them, (V,)."""
RowT_contra = TypeVar("RowT_contra", contravariant=True)
RowT_co = TypeVar("RowT_co", covariant=True)
_JUDGES, _DRAFTS = 1, 2
_LONGEST_PAUSE = 16


@dataclass(frozen=True, slots=True)
class Chances:
    """What may be drawn and how likely: ids (K,) without repetition, chances (K,) adding to 1."""

    ids: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    def of(self, token: int) -> float:
        """Return the chance of one token."""
        return float(self.values[self.ids == token].sum())

    def draw(self, random: np.random.Generator) -> int:
        """Draw a token."""
        bounds = self.values.cumsum()
        place = int(np.searchsorted(bounds, random.random() * bounds[-1], side="right"))
        return int(self.ids[min(place, self.ids.size - 1)])

    def beyond(self, other: Chances) -> Chances | None:
        """Return ``norm(max(0, self - other))``; ``None`` where nothing is left."""
        size = int(max(self.ids.max(), other.ids.max())) + 1
        theirs = np.zeros(size)
        theirs[other.ids] = other.values
        left = np.maximum(0.0, self.values - theirs[self.ids])
        total = left.sum()
        return Chances(self.ids, left / total) if total > 0 else None


@dataclass(frozen=True, slots=True)
class Draft:
    """Guessed tokens, and what each was drawn from; ``chances`` is empty where none was drawn."""

    tokens: Sequence[int] = ()
    chances: Sequence[Chances] = ()


class Chooser(Protocol[RowT_contra]):
    """An engine's sampler, which remembers what it chose."""

    def pick(self, logits: RowT_contra) -> int:
        """Choose the next token and remember it."""
        ...

    def distribution(self, logits: RowT_contra) -> Chances:
        """Return what ``pick`` would draw from."""
        ...

    def remember(self, token: int) -> None:
        """Take a token that was chosen elsewhere as the newest."""
        ...

    def fork(self) -> Self:
        """Return a chooser that goes its own way from here."""
        ...

    def close(self) -> None:
        """Free its memory."""
        ...


class Reader(Protocol[RowT_co]):
    """The model that answers, with the prompt read."""

    def start(self) -> RowT_co:
        """Return the logits after the prompt."""
        ...

    def most_ahead(self, wanted: int) -> int:
        """Return how many of ``wanted`` guesses may be read after one token in the same pass.

        Fewer where a longer pass would compute its tokens otherwise.
        """
        ...

    def read(self, tokens: Sequence[int]) -> Sequence[RowT_co] | None:
        """Read tokens; return the logits after each, or ``None`` after a stop."""
        ...

    def take_back(self, count: int) -> None:
        """Forget the newest tokens."""
        ...


class Drafter(Protocol):
    """Guesses tokens."""

    def prepare(self, prompt: Sequence[int]) -> None:
        """Read the prompt, where that helps."""
        ...

    def propose(self, history: Sequence[int], most: int) -> Draft:
        """Guess at most ``most`` tokens that come after the history."""
        ...

    def close(self) -> None:
        """Free what was made for this answer."""
        ...


class Speculation(Generic[RowT]):
    """One answer by guesses and judgements.

    A guess that was not drawn (a greedy one, or one looked up) is taken when the chooser picks the
    same token by itself: then the answer is even the very one that its seed gives without guesses.
    A guess x drawn from q is taken with the chance ``min(1, p(x) / q(x))``; else a token is drawn
    from ``norm(max(0, p - q))``.

    Args:
        reader: The model.
        chooser: Its sampler.
        drafter: Makes the guesses.
        prompt: Ids so far.
        seed: Of the draws in the judgements.
        limit: Longest answer in tokens.
        most: Guesses per pass, at most.
        ends: Ids after which nothing follows.

    Attributes:
        drafted: Guesses so far.
        accepted: Those that were taken.
    """

    def __init__(
        self,
        reader: Reader[RowT],
        chooser: Chooser[RowT],
        drafter: Drafter,
        *,
        prompt: Sequence[int],
        seed: int,
        limit: int,
        most: int,
        ends: Collection[int],
    ) -> None:
        self._ends = ends
        self._reader = reader
        self._chooser = chooser
        self._drafter = drafter
        self._history = list(prompt)
        self._end = len(self._history) + limit
        self._random = judge_randomness(seed)
        self._most = most
        self._length = most
        self._pause = self._last_pause = 0  # tokens without a guess
        self.drafted = 0
        self.accepted = 0

    def tokens(self) -> Iterator[tuple[int, RowT]]:
        """Yield tokens, each with the logits it was chosen by; the end is a stop."""
        row = self._reader.start()
        token = self._chooser.pick(row)
        self._history.append(token)
        yield token, row
        while True:
            draft = self._draft()
            rows = self._reader.read([token, *draft.tokens])
            if rows is None:
                return
            chosen = self._judged(rows, draft)
            self._reader.take_back(len(rows) - len(chosen))
            self._learn(draft, chosen)
            token = chosen[-1]
            yield from zip(chosen, rows, strict=False)

    def _draft(self) -> Draft:
        if self._pause > 0:
            self._pause -= 1
            return Draft()
        # A pass gives one token more than it has guesses.
        room = self._end - len(self._history) - 1
        most = self._reader.most_ahead(min(self._length, room))
        return self._drafter.propose(self._history, most) if most > 0 else Draft()

    def _judged(self, rows: Sequence[RowT], draft: Draft) -> list[int]:
        """Return the guesses that are taken, and one token more."""
        chosen: list[int] = []
        for place, row in enumerate(rows):
            token = self._choose(row, draft, place)
            self._history.append(token)
            chosen.append(token)
            right = place < len(draft.tokens) and token == draft.tokens[place]
            if not right or token in self._ends:
                break
        return chosen

    def _choose(self, row: RowT, draft: Draft, place: int) -> int:
        if place >= len(draft.chances):
            return self._chooser.pick(row)
        target = self._chooser.distribution(row)
        token = judge(target, draft.chances[place], draft.tokens[place], self._random)
        self._chooser.remember(token)
        return token

    def _learn(self, draft: Draft, chosen: Sequence[int]) -> None:
        """Count; guess further after guesses that all were right, and less after wrong ones.

        Where nothing was right, guessing pauses, each time for twice as long: a text that cannot
        be guessed costs little more than without.
        """
        if not draft.tokens:
            return
        accepted = sum(a == b for a, b in zip(draft.tokens, chosen, strict=False))
        self.drafted += len(draft.tokens)
        self.accepted += accepted
        longer = min(self._most, 2 * self._length)
        self._length = longer if accepted == len(draft.tokens) else accepted + 1
        self._pause = 0 if accepted else min(_LONGEST_PAUSE, 2 * self._last_pause + 1)
        self._last_pause = self._pause


def judge(target: Chances, drafted: Chances, token: int, random: np.random.Generator) -> int:
    """Return ``token`` or what is taken in its place, so that the result is drawn from ``target``.

    Leviathan et al. 2023, algorithm 1.

    Args:
        target: p, what the model says.
        drafted: q, what ``token`` was drawn from.
        token: The guess.
        random: Independent of how the guess was drawn.
    """
    if random.random() * drafted.of(token) < target.of(token):
        return token
    left = target.beyond(drafted)
    return token if left is None else left.draw(random)


def judge_randomness(seed: int) -> np.random.Generator:
    """Return the random numbers of the judgements of an answer."""
    return np.random.default_rng([seed % (1 << 64), _JUDGES])


def draft_randomness(seed: int) -> np.random.Generator:
    """Return the random numbers of the guesses of an answer."""
    return np.random.default_rng([seed % (1 << 64), _DRAFTS])
