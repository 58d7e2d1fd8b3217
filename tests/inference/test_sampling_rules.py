"""Settings without a meaning are refused by name, for both engines alike."""

from __future__ import annotations

import math

import pytest

from inference.errors import UnsupportedRequestError
from inference.sampling_rules import check_alternatives, check_params, pick_seed
from inference.types import SamplingParams


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_k", -1),
        ("top_p", 1.1),
        ("min_p", -0.1),
        ("typical_p", 2),
        ("repeat_penalty", 0),
        ("frequency_penalty", math.nan),
        ("penalty_window", -1),
        ("penalty_window", 1 << 31),
        ("max_tokens", -1),
    ],
)
def test_a_setting_without_meaning_is_named(name: str, value: float) -> None:
    params = SamplingParams(**{name: value})
    with pytest.raises(UnsupportedRequestError) as caught:
        check_params(params)
    assert name.replace("_", " ") in caught.value.message


def test_the_seed_asked_for_is_used_and_none_picks_one() -> None:
    assert pick_seed(SamplingParams(seed=5)) == 5
    assert len({pick_seed(SamplingParams()) for _ in range(5)}) > 1


def test_every_setting_at_its_edge_is_taken() -> None:
    check_params(SamplingParams(0, 0, 0, 0, 0, 0.01, -100, -100, 0, max_tokens=0))
    check_params(SamplingParams(100, 2**31 - 1, 1, 1, 1, 100, 100, 100, 2**31 - 1, max_tokens=9))


@pytest.mark.parametrize("top_n", [-1, 21, 1_000])
def test_more_alternatives_than_can_be_reported_are_refused(top_n: int) -> None:
    with pytest.raises(UnsupportedRequestError, match=f"{top_n:,} alternatives"):
        check_alternatives(top_n)
