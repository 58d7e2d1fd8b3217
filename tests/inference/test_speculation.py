"""Guesses change nothing: the rule of judging them, the look-up, and the loop around both."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

from inference.drafters import PromptLookup
from inference.speculation import Chances, Draft, Speculation, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DRAWS = 20_000
CELLS = 6
CRITICAL = 30.9  # chi-square with 5 degrees of freedom is above it once in 100,000 times
TARGET = Chances(np.array([3, 5, 7, 8, 9, 11]), np.array([0.35, 0.25, 0.2, 0.1, 0.07, 0.03]))
DRAFT = Chances(np.array([5, 3, 20, 8, 7]), np.array([0.5, 0.2, 0.15, 0.1, 0.05]))


def chi_square(rule: Callable[[np.random.Generator, int], int]) -> float:
    """Return how far what a rule gives is from the target, over many draws."""
    guesses, judgements = np.random.default_rng(1), np.random.default_rng(2)
    found = Counter(rule(judgements, DRAFT.draw(guesses)) for _ in range(DRAWS))
    if set(found) - set(TARGET.ids.tolist()):
        return float("inf")
    expected = TARGET.values * DRAWS
    counts = np.array([found[token] for token in TARGET.ids.tolist()])
    return float(((counts - expected) ** 2 / expected).sum())


def test_what_is_taken_has_the_distribution_of_the_model() -> None:
    assert chi_square(lambda random, token: judge(TARGET, DRAFT, token, random)) < CRITICAL


def _drawn_anew(random: np.random.Generator, token: int) -> int:
    """As ``judge``, but a guess that is refused is replaced by a draw from all of p."""
    right = random.random() * DRAFT.of(token) < TARGET.of(token)
    return token if right else TARGET.draw(random)


def _taken_by_its_own_chance(random: np.random.Generator, token: int) -> int:
    """As ``judge``, but the chance to be taken forgets how the guess was drawn."""
    left = TARGET.beyond(DRAFT)
    assert left is not None
    return token if random.random() < TARGET.of(token) else left.draw(random)


@pytest.mark.parametrize(
    "wrong", [lambda _random, token: token, _drawn_anew, _taken_by_its_own_chance]
)
def test_a_wrong_rule_is_told_from_the_right_one(
    wrong: Callable[[np.random.Generator, int], int],
) -> None:
    assert chi_square(wrong) > 10 * CRITICAL


def test_equal_chances_take_every_guess() -> None:
    random = np.random.default_rng(0)
    assert all(judge(DRAFT, DRAFT, 5, random) == 5 for _ in range(200))


def test_what_is_left_beyond_a_distribution_adds_to_one() -> None:
    left = TARGET.beyond(DRAFT)
    assert left is not None
    assert left.values.sum() == pytest.approx(1)
    assert left.of(5) == 0
    assert left.of(3) == pytest.approx(0.15 / (0.15 + 0.15 + 0.07 + 0.03))
    assert TARGET.beyond(TARGET) is None


def test_the_newest_place_that_ends_alike_is_gone_on_with() -> None:
    text = [1, 2, 3, 4, 9, 2, 3, 5, 6, 2, 3]
    assert PromptLookup().propose(text, 3).tokens == [5, 6, 2]


def test_a_longer_run_is_trusted_before_a_newer_one() -> None:
    text = [1, 2, 3, 4, 7, 2, 3, 8, 1, 2, 3]
    assert PromptLookup().propose(text, 1).tokens == [4]


def test_a_text_that_goes_in_circles_is_guessed_to_go_on_in_circles() -> None:
    assert PromptLookup().propose([8, 1, 2, 1, 2], 5).tokens == [1, 2, 1, 2, 1]


def test_a_text_without_repetition_gives_no_guess() -> None:
    lookup = PromptLookup()
    lookup.prepare([1, 2, 3])
    assert not lookup.propose([1, 2, 3, 4, 2], 4).tokens
    assert not lookup.propose([1, 2, 3, 4, 2, 5], 4).tokens
    assert lookup.propose([1, 2, 3, 4, 2, 5, 2, 3], 1).tokens == [4]


def test_a_look_up_that_grew_with_the_text_guesses_as_one_that_read_it_whole() -> None:
    random = np.random.default_rng(3)
    text = random.integers(0, 4, 200).tolist()
    grown = PromptLookup()
    for length in range(5, len(text)):
        whole = PromptLookup().propose(text[:length], 6)
        assert grown.propose(text[:length], 6) == whole


class Counts:
    """A model that writes 1, 2, 3 ...: its row is what it has read last."""

    def __init__(self) -> None:
        self.read_ids = [0]
        self.passes: list[int] = []

    def start(self) -> int:
        return self.read_ids[-1]

    def most_ahead(self, wanted: int) -> int:
        return min(wanted, 6)

    def read(self, tokens: Sequence[int]) -> Sequence[int]:
        self.passes.append(len(tokens))
        self.read_ids += tokens
        return list(tokens)

    def take_back(self, count: int) -> None:
        del self.read_ids[len(self.read_ids) - count :]


class NextNumber:
    """Chooses the number after the one that was read."""

    def pick(self, logits: int) -> int:
        return logits + 1

    def distribution(self, logits: int) -> Chances:
        return Chances(np.array([logits + 1]), np.array([1.0]))

    def remember(self, token: int) -> None:
        del token

    def fork(self) -> Self:
        return self

    def close(self) -> None:
        pass


class Guesses:
    """Guesses right, or wrong from some place on."""

    def __init__(self, right: int) -> None:
        self._right = right

    def prepare(self, prompt: Sequence[int]) -> None:
        del prompt

    def propose(self, history: Sequence[int], most: int) -> Draft:
        return Draft([history[-1] + 1 + i + (i >= self._right) for i in range(most)])

    def close(self) -> None:
        pass


def written(right: int, count: int, limit: int = 200) -> tuple[Counts, Speculation[int]]:
    reader = Counts()
    speculation = Speculation(
        reader, NextNumber(), Guesses(right), prompt=(0,), seed=0, limit=limit, most=8, ends=()
    )
    tokens = speculation.tokens()
    assert [next(tokens)[0] for _ in range(count)] == list(range(1, count + 1))
    return reader, speculation


def test_right_guesses_are_read_as_many_together_as_the_reader_allows() -> None:
    reader, counted = written(right=99, count=29)
    assert reader.passes == [7, 7, 7, 7]
    assert counted.accepted == counted.drafted == 24


def test_only_what_was_taken_stays_read() -> None:
    reader, counted = written(right=2, count=31)
    assert reader.read_ids == list(range(len(reader.read_ids)))
    assert counted.accepted == 2 * len(reader.passes)


def test_a_text_that_cannot_be_guessed_is_seldom_guessed() -> None:
    reader, counted = written(right=0, count=200)
    assert counted.accepted == 0
    assert len(reader.passes) == 199
    assert sum(size > 1 for size in reader.passes) < 199 / 10


def test_nothing_is_guessed_beyond_the_limit() -> None:
    reader, _counted = written(right=99, count=10, limit=10)
    assert reader.read_ids[-1] <= 9
    assert sum(reader.passes) == 9


def test_an_end_among_the_guesses_is_the_last_that_is_taken() -> None:
    reader = Counts()
    speculation = Speculation(
        reader, NextNumber(), Guesses(99), prompt=(0,), seed=0, limit=50, most=8, ends=(4,)
    )
    tokens = speculation.tokens()
    assert [next(tokens)[0] for _ in range(4)] == [1, 2, 3, 4]
    assert speculation.accepted == 3
    assert reader.read_ids == [0, 1, 2, 3]
