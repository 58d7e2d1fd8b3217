"""Each setting against transformers' own processor on the same logits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers.generation import logits_process as theirs

from inference.native.sampling import Sampler
from inference.types import SamplingParams

if TYPE_CHECKING:
    from torch import Tensor

OFF: dict[str, Any] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
VOCAB = 300
HISTORY = [7, 3, 9, 3, 9, 250, 7, 3, 9, 11, 7, 3]


def _logits(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(VOCAB, generator=generator) * 3


def ours(logits: Tensor, **settings: Any) -> Tensor:
    """Return the chance of every token, (V,)."""
    sampler = Sampler(SamplingParams(**(OFF | settings)), 0, HISTORY)
    ids, chances = sampler.chances(sampler._penalties.apply(logits, HISTORY))
    return torch.zeros(VOCAB).index_copy(0, ids, chances)


def reference(logits: Tensor, *processors: Any) -> Tensor:
    scores = logits[None]
    for processor in processors:
        scores = processor(torch.tensor([HISTORY]), scores)
    return scores[0].softmax(0)


CASES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "temperature": ({"temperature": 0.6}, [theirs.TemperatureLogitsWarper(0.6)]),
    "top k": ({"top_k": 12}, [theirs.TopKLogitsWarper(12)]),
    "top p": ({"top_p": 0.8}, [theirs.TopPLogitsWarper(0.8)]),
    "min p": ({"min_p": 0.1}, [theirs.MinPLogitsWarper(0.1)]),
    "typical p": ({"typical_p": 0.7}, [theirs.TypicalLogitsWarper(0.7)]),
    "repeat penalty": (
        {"repeat_penalty": 1.4},
        [theirs.RepetitionPenaltyLogitsProcessor(1.4)],
    ),
    "no repeated bigram": ({"no_repeat_ngram": 2}, [theirs.NoRepeatNGramLogitsProcessor(2)]),
    "no repeated trigram": ({"no_repeat_ngram": 3}, [theirs.NoRepeatNGramLogitsProcessor(3)]),
    "logit bias": (
        {"logit_bias": ((4, 6.0), (200, -9.5))},
        [theirs.SequenceBiasLogitsProcessor([[[4], 6.0], [[200], -9.5]])],
    ),
    "all in their order": (
        {
            "logit_bias": ((9, 5.0),),
            "repeat_penalty": 1.2,
            "no_repeat_ngram": 3,
            "top_k": 60,
            "typical_p": 0.95,
            "top_p": 0.9,
            "min_p": 0.02,
            "temperature": 1.7,
        },
        [
            theirs.SequenceBiasLogitsProcessor([[[9], 5.0]]),
            theirs.RepetitionPenaltyLogitsProcessor(1.2),
            theirs.NoRepeatNGramLogitsProcessor(3),
            theirs.TopKLogitsWarper(60),
            theirs.TypicalLogitsWarper(0.95),
            theirs.TopPLogitsWarper(0.9),
            theirs.MinPLogitsWarper(0.02),
            theirs.TemperatureLogitsWarper(1.7),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(5))
def test_the_distribution_is_that_of_transformers(name: str, seed: int) -> None:
    settings, processors = CASES[name]
    logits = _logits(seed)
    expected = reference(logits.clone(), *processors)
    torch.testing.assert_close(ours(logits, **settings), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_xtc_keeps_only_the_last_of_the_likely_ones(seed: int) -> None:
    logits = _logits(seed)
    chances = logits.softmax(0)
    likely = (chances >= 0.05).nonzero().flatten()
    assert len(likely) > 1
    expected = chances.clone()
    expected[likely[chances[likely] > chances[likely].min()]] = 0
    found = ours(logits, xtc_probability=1.0, xtc_threshold=0.05)
    torch.testing.assert_close(found, expected / expected.sum(), atol=1e-5, rtol=0)


def test_xtc_acts_as_often_as_it_should_and_not_above_one_half() -> None:
    logits = torch.tensor([0.4, 0.35, 0.25]).log()
    sampler = Sampler(SamplingParams(**OFF, xtc_probability=0.3, xtc_threshold=0.3), 1, ())
    acted = sum(0 not in sampler.chances(logits)[0] for _ in range(2000))
    assert acted / 2000 == pytest.approx(0.3, abs=0.05)
    sampler = Sampler(SamplingParams(**OFF, xtc_probability=1.0, xtc_threshold=0.51), 1, ())
    assert sampler.chances(logits)[0].tolist() == [0, 1, 2]


def test_mirostat_holds_the_surprise_where_it_should_be() -> None:
    """Basu et al. 2020, algorithm 2, computed anew beside the sampler."""
    logits = _logits(3) / 2
    tau, eta = 3.0, 0.2
    params = SamplingParams(temperature=0.9, mirostat=2, mirostat_tau=tau, mirostat_eta=eta)
    sampler = Sampler(params, 5, ())
    limit, surprises = 2 * tau, []
    for _ in range(400):
        chances = (logits / 0.9).double().softmax(0)
        allowed = -chances.log2() <= limit
        expected = (chances * allowed) / (chances * allowed).sum()
        ids, found = sampler.chances(logits)
        whole = torch.zeros(VOCAB).index_copy(0, ids, found)
        torch.testing.assert_close(whole.double(), expected, atol=1e-5, rtol=0)
        token = sampler.pick(logits)
        surprises.append(-math.log2(float(expected[token])))
        limit -= eta * (surprises[-1] - tau)
    assert sum(surprises[50:]) / 350 == pytest.approx(tau, abs=0.3)


def test_a_ban_on_every_token_is_lifted() -> None:
    sampler = Sampler(SamplingParams(temperature=0.0, no_repeat_ngram=1), 0, (0, 1, 2))
    assert sampler.pick(torch.tensor([0.0, 2.0, 1.0])) == 1


@pytest.mark.parametrize(
    "settings", [{"xtc_probability": 0.5}, {"mirostat": 2}, {"dry_multiplier": 1.0}]
)
def test_a_seed_repeats_every_way_of_drawing(settings: dict[str, Any]) -> None:
    runs = []
    for seed in (3, 3, 4):
        sampler = Sampler(SamplingParams(temperature=1.0, **settings), seed, HISTORY)
        runs.append([sampler.pick(_logits(step)) for step in range(30)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
