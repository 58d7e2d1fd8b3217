"""Guesses change nothing: the rule of judging them, the look-up, and the loop around both."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.drafters import PromptLookup
from inference.speculation import Chances, judge

if TYPE_CHECKING:
    from collections.abc import Callable

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
