from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from inference.errors import CorruptCheckpointError
from inference.native.penalties import Penalties
from inference.native.sampling import Sampler
from inference.types import SamplingParams

OFF = SamplingParams(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
PROBABILITIES = torch.tensor([0.05, 0.4, 0.1, 0.3, 0.15])
LOGITS = PROBABILITIES.log()


def sampler(history: tuple[int, ...] = (), seed: int = 0, **settings: float) -> Sampler:
    values = {name: getattr(OFF, name) for name in OFF.__struct_fields__} | settings
    return Sampler(SamplingParams(**values), seed, history)


def penalised(logits: torch.Tensor, history: tuple[int, ...], **settings: float) -> torch.Tensor:
    return Penalties(SamplingParams(**settings), {}).apply(logits, history)


def drawn(logits: torch.Tensor = LOGITS, count: int = 600, **settings: float) -> Counter[int]:
    chosen = sampler(**settings)
    return Counter(chosen.pick(logits) for _ in range(count))


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(drawn(temperature=0.0, count=20)) == {1}


def test_plain_draws_follow_the_distribution() -> None:
    counts = drawn(count=4000)
    for token, probability in enumerate(PROBABILITIES.tolist()):
        assert counts[token] / 4000 == pytest.approx(probability, abs=0.03)


def test_temperature_flattens_or_sharpens() -> None:
    assert drawn(temperature=0.3)[1] > drawn(temperature=1.0)[1] > drawn(temperature=5.0)[1]
    wanted = (LOGITS / 2).softmax(0)[1].item()
    assert drawn(temperature=2.0, count=4000)[1] / 4000 == pytest.approx(wanted, abs=0.03)


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (sampler(seed=seed) for seed in (7, 7, 8))
    a, b, c = ([s.pick(LOGITS) for _ in range(50)] for s in (first, again, other))
    assert a == b
    assert a != c


@pytest.mark.parametrize("seed", [0, 2**31 - 1, 2**64 - 1])
def test_any_seed_works(seed: int) -> None:
    assert sampler(seed=seed).pick(LOGITS) in range(5)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 4}),
        ({"top_k": 99}, {0, 1, 2, 3, 4}),
        ({"top_p": 0.0}, {1}),
        ({"top_p": 0.39}, {1}),
        ({"top_p": 0.69}, {1, 3}),
        ({"top_p": 0.75}, {1, 3, 4}),
        ({"min_p": 1.0}, {1}),
        ({"min_p": 0.7}, {1, 3}),
        ({"min_p": 0.3}, {1, 3, 4}),
        ({"top_k": 2, "top_p": 0.6}, {1, 3}),
        ({"top_k": 2, "top_p": 0.57}, {1}),
        # Expected surprise 1.39 nats; nearest to it are 0.3 (1.20), 0.15 (1.90), 0.4 (0.92) ...
        ({"typical_p": 0.2}, {3}),
        ({"typical_p": 0.5}, {3, 1}),
        ({"typical_p": 0.8}, {3, 1, 4}),
    ],
)
def test_each_setting_keeps_what_it_promises(settings: dict[str, float], kept: set[int]) -> None:
    assert set(drawn(**settings)) == kept


def test_typical_order_is_that_of_the_surprise() -> None:
    surprise = -LOGITS
    distance = (surprise - (PROBABILITIES * surprise).sum()).abs()
    assert distance.argsort().tolist()[:3] == [3, 1, 4]


def test_repeat_penalty_lowers_both_signs() -> None:
    logits = torch.tensor([2.0, 1.5, -1.0, -1.2])
    assert sampler((), temperature=0.0, repeat_penalty=2.0).pick(logits) == 0
    assert sampler((0,), temperature=0.0, repeat_penalty=2.0).pick(logits) == 1
    lowered = penalised(logits, (2,), repeat_penalty=2.0)
    assert lowered.tolist() == pytest.approx([2.0, 1.5, -2.0, -1.2])


def test_frequency_counts_and_presence_does_not() -> None:
    logits = torch.zeros(4)
    lowered = penalised(logits, (0, 0, 0, 1), frequency_penalty=0.5, presence_penalty=0.2)
    assert lowered.tolist() == pytest.approx([-1.7, -0.7, 0.0, 0.0])
    assert logits.tolist() == [0.0] * 4


def test_penalties_forget_what_left_the_window() -> None:
    logits = torch.tensor([1.0, 0.9, 0.8])
    greedy = sampler((0,), temperature=0.0, presence_penalty=0.5, penalty_window=2)
    assert [greedy.pick(logits) for _ in range(4)] == [1, 2, 0, 1]


def test_a_window_of_zero_switches_penalties_off() -> None:
    chosen = sampler((0, 0), temperature=0.0, presence_penalty=5.0, penalty_window=0)
    assert chosen.pick(torch.tensor([1.0, 0.9])) == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_scores_that_are_no_numbers_name_the_weights(value: float) -> None:
    with pytest.raises(CorruptCheckpointError, match="not a number"):
        sampler().pick(torch.tensor([0.0, value]))


def test_tokens_ruled_out_by_minus_infinity_are_not_drawn() -> None:
    logits = torch.tensor([0.0, -math.inf, 0.0])
    for settings in ({}, {"typical_p": 0.9}, {"top_p": 0.99}, {"min_p": 0.01}):
        assert set(drawn(logits, count=50, **settings)) == {0, 2}
