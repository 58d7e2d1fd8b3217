"""The stages shown are those that the engines draw with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.inside.stages import Sorted, draw
from inference.native.sampling import Sampler
from inference.types import SamplingParams

LOGITS = np.random.default_rng(3).normal(0, 2.5, 300).astype(np.float32)


@given(
    temperature=st.floats(0.05, 3),
    top_k=st.integers(0, 350),
    top_p=st.floats(0.05, 1),
    min_p=st.floats(0, 0.9),
    typical_p=st.sampled_from([1.0, 0.9, 0.5]),
)
@settings(max_examples=150)
def test_the_last_stage_is_what_the_native_engine_draws_from(
    temperature: float, top_k: int, top_p: float, min_p: float, typical_p: float
) -> None:
    sampling = SamplingParams(
        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, typical_p=typical_p
    )
    stages = Sorted.of(LOGITS).stages(sampling)
    ours = np.zeros(len(LOGITS))
    ours[stages.order] = stages.drawn
    ids, chances = Sampler(sampling, 0, ()).chances(torch.from_numpy(LOGITS.copy()))
    expected = np.zeros(len(LOGITS))
    expected[ids.numpy()] = chances.numpy()
    np.testing.assert_allclose(ours, expected, atol=2e-6)


def test_each_cut_tells_what_it_leaves_and_which_one_decides() -> None:
    stages = Sorted.of(LOGITS).stages(SamplingParams(top_k=40, top_p=0.8, min_p=0.0))
    assert stages.left["top_k"] == 40
    assert stages.left["top_p"] < 40
    assert stages.left["min_p"] == stages.left["top_p"]
    assert stages.decisive == "top_p"
    assert stages.limit == pytest.approx(stages.own[stages.left["top_p"]])
    assert (stages.drawn > 0).sum() == stages.left["min_p"]
    assert stages.own.sum() == pytest.approx(1)
    nothing = Sorted.of(LOGITS).stages(SamplingParams(top_k=0, top_p=1, min_p=0))
    assert nothing.decisive is None
    assert nothing.limit == 0


def test_greedy_leaves_one_token() -> None:
    for sampling in (SamplingParams(temperature=0), SamplingParams(strategy="greedy")):
        stages = Sorted.of(LOGITS).stages(sampling)
        assert stages.drawn[0] == 1
        assert stages.order[0] == LOGITS.argmax()
        assert draw(stages, 0.999) == LOGITS.argmax()


def test_draws_follow_the_chances() -> None:
    stages = Sorted.of(LOGITS).stages(SamplingParams(top_k=3, top_p=1, min_p=0, temperature=1))
    drawn = [draw(stages, chance) for chance in np.linspace(0, 1, 1000)]
    counts = [drawn.count(int(token)) / 1000 for token in stages.order[:3]]
    np.testing.assert_allclose(counts, stages.drawn[:3], atol=2e-3)
    assert set(drawn) == set(stages.order[:3].tolist())
