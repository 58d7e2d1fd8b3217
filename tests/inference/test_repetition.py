"""N-grams and DRY, each against a definition that looks at every run one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.repetition import banned_by_ngrams, dry_penalties, find_breakers
from inference.types import SamplingParams

if TYPE_CHECKING:
    from inference.repetition import Breakers

IDS = st.lists(st.integers(0, 3), max_size=40)


@given(IDS, st.integers(1, 5))
def test_exactly_the_tokens_that_would_repeat_an_n_gram_are_banned(
    history: list[int], size: int
) -> None:
    def runs(ids: list[int]) -> list[tuple[int, ...]]:
        return [tuple(ids[i : i + size]) for i in range(len(ids) - size + 1)]

    repeating = {
        token
        for token in range(4)
        if len(history) >= size and runs([*history, token])[-1] in runs(history)
    }
    assert banned_by_ngrams(history, size) == repeating


def test_without_a_size_nothing_is_banned() -> None:
    assert banned_by_ngrams([1, 1, 1], 0) == set()


def _dry_by_definition(
    history: list[int], params: SamplingParams, breakers: Breakers
) -> dict[int, float]:
    """Try every earlier place and every length."""
    recent = history[-params.dry_window :]
    last_break = max((i for i, token in enumerate(recent) if token in breakers), default=-1)
    limit = len(recent) - 1 - last_break
    found: dict[int, int] = {}
    for place, token in enumerate(recent):
        for length in range(params.dry_allowed_length, min(place, limit) + 1):
            run = recent[place - length : place]
            if run == recent[len(recent) - length :] and token not in breakers:
                found[token] = max(length, found.get(token, 0))
    return {
        token: params.dry_multiplier * params.dry_base ** (length - params.dry_allowed_length)
        for token, length in found.items()
    }


@given(IDS, st.integers(1, 4), st.integers(1, 50), st.sets(st.integers(0, 3), max_size=1))
def test_dry_penalises_what_goes_on_with_the_longest_repeated_run(
    history: list[int], allowed: int, window: int, breaking: set[int]
) -> None:
    params = SamplingParams(dry_multiplier=0.8, dry_allowed_length=allowed, dry_window=window)
    breakers = {token: [()] for token in breaking}
    expected = _dry_by_definition(history, params, breakers)
    assert dry_penalties(history, params, breakers) == pytest.approx(expected)


def test_dry_counts_the_run_of_its_published_example() -> None:
    a, b, c, y = range(4)
    params = SamplingParams(dry_multiplier=1.0, dry_base=2.0, dry_allowed_length=1)
    found = dry_penalties([a, b, c, c, b, c, y, a, b, c], params, {})
    assert found == {c: 2.0**2, b: 2.0**0, y: 2.0**1}


def test_a_penalty_never_grows_beyond_a_float() -> None:
    params = SamplingParams(dry_multiplier=1.0, dry_base=2.0, dry_allowed_length=1)
    assert dry_penalties([1] * 1000, params, {})[1] == 2.0**127


def test_a_breaker_of_two_tokens_has_to_be_complete() -> None:
    params = SamplingParams(dry_multiplier=1.0, dry_base=2.0, dry_allowed_length=2)
    breakers = {5: [(6,)]}
    whole = dry_penalties([1, 5, 6, 2, 3, 4, 1, 5, 6, 2, 3], params, breakers)
    assert whole == {4: 1.0}
    begun = dry_penalties([1, 5, 7, 2, 3, 4, 1, 5, 7, 2, 3], params, breakers)
    assert begun == {4: 2.0**3}


def test_breakers_are_the_tokens_that_hold_or_begin_them() -> None:
    pieces = [b"a", b"\n", b"x\n\n", b"<|", b"im>", b"y<", b"|im>"]
    index = {piece.decode(): token for token, piece in enumerate(pieces)}
    found = find_breakers(("\n", "<|im>", ""), pieces, lambda text: [index[text]])
    assert found == {1: [()], 2: [()], 3: [(4,)], 5: [(6,)]}
