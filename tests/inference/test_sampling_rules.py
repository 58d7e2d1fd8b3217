"""Settings without a meaning are refused by name, for both engines alike."""

from __future__ import annotations

import math
from typing import Any

import pytest

from inference.errors import UnsupportedRequestError
from inference.sampling_rules import (
    check_alternatives,
    check_draft,
    check_params,
    pick_seed,
)
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
        ("no_repeat_ngram", -1),
        ("dry_multiplier", math.inf),
        ("dry_base", 0.5),
        ("dry_allowed_length", 0),
        ("dry_window", -1),
        ("xtc_probability", 1.5),
        ("xtc_threshold", -0.1),
        ("mirostat", 1),
        ("mirostat_tau", -1),
        ("mirostat_eta", math.nan),
        ("beams", 0),
        ("length_penalty", math.nan),
        ("penalty_alpha", 1.1),
        ("samples", 0),
        ("samples", 65),
        ("draft_tokens", 0),
        ("draft_tokens", 33),
    ],
)
def test_a_setting_without_meaning_is_named(name: str, value: Any) -> None:
    settings: dict[str, Any] = {name: value}
    params = SamplingParams(**settings)
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


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"mirostat": 2, "xtc_probability": 0.5}, "XTC"),
        ({"mirostat": 2, "typical_p": 0.5}, "typical p"),
        ({"strategy": "beam", "xtc_probability": 0.5}, "XTC"),
        ({"strategy": "beam", "mirostat": 2}, "mirostat"),
        ({"strategy": "contrastive", "mirostat": 2}, "mirostat"),
        ({"strategy": "contrastive", "top_k": 0}, "top k"),
        ({"strategy": "beam", "samples": 2}, "samples"),
        ({"speculate": "prompt", "strategy": "beam"}, "strategy beam"),
        ({"speculate": "prompt", "strategy": "contrastive"}, "strategy contrastive"),
        ({"speculate": "draft", "mirostat": 2}, "mirostat"),
        ({"speculate": "draft", "samples": 2}, "several samples"),
        ({"strategy": "contrastive", "samples": 2}, "samples"),
        ({"strategy": "greedy", "samples": 2}, "samples"),
        ({"temperature": 0.0, "samples": 2}, "samples"),
    ],
)
def test_settings_that_cannot_act_together_are_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedRequestError, match=named) as caught:
        check_params(SamplingParams(**settings))
    assert caught.value.hint


@pytest.mark.parametrize(
    "bias", [((5, 101.0),), ((5, math.nan),), ((-1, 1.0),), ((1, 0.0), (20, 1.0))]
)
def test_a_bias_without_a_token_or_a_meaning_is_named(bias: tuple[tuple[int, float]]) -> None:
    with pytest.raises(UnsupportedRequestError, match=f"token {bias[-1][0]}"):
        check_params(SamplingParams(logit_bias=bias), n_vocab=20)


def test_what_is_new_is_off_unless_it_is_asked_for() -> None:
    params = SamplingParams()
    assert params.strategy == "sample"
    assert not params.no_repeat_ngram
    assert not params.logit_bias
    assert not params.dry_multiplier
    assert not params.xtc_probability
    assert not params.mirostat
    assert params.samples == 1
    assert params.speculate == "off"


def test_a_draft_model_that_is_not_there_is_named() -> None:
    with pytest.raises(UnsupportedRequestError, match="No draft model is loaded"):
        check_draft(SamplingParams(speculate="draft"), "")
    check_draft(SamplingParams(speculate="draft"), "small")
    check_draft(SamplingParams(speculate="prompt"), "")
