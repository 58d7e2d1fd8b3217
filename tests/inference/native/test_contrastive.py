"""Contrastive search against its paper's equation, computed anew for every token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.types import SamplingParams
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama
from tests.inference.native.answers import end_of, events, failure_of, ids_of, opened, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.native.engine import NativeEngine

PROMPT = (5, 90, 17, 200, 33, 8)


@pytest.fixture(scope="module", params=[tiny_llama, tiny_gpt2])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = request.param(tmp_path_factory.mktemp("contrastive"))
    return made


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[NativeEngine]:
    opened_engine = opened(folder)
    yield opened_engine
    opened_engine.close()


@torch.inference_mode()
def by_the_paper(folder: Path, alpha: float, top_k: int, length: int) -> list[int]:
    """Su et al. 2022, equation 5, without a cache; the hidden states are transformers'."""
    import transformers

    network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = list(PROMPT)
    for _ in range(length):
        chances = network(torch.tensor([ids])).logits[0, -1].softmax(0)
        likely, candidates = chances.topk(top_k)
        worth = []
        for chance, candidate in zip(likely, candidates, strict=True):
            tried = torch.tensor([[*ids, int(candidate)]])
            hidden = network(tried, output_hidden_states=True).hidden_states[-1][0]
            alike = torch.cosine_similarity(hidden[-1:], hidden[:-1]).max()
            worth.append(float((1 - alpha) * chance - alpha * alike))
        ids.append(int(candidates[max(range(top_k), key=worth.__getitem__)]))
    return ids[len(PROMPT) :]


def contrastive(**settings: Any) -> SamplingParams:
    values = {"strategy": "contrastive", "top_k": 4, "max_tokens": 12} | settings
    return SamplingParams(**values)


@pytest.mark.parametrize(("alpha", "top_k"), [(0.6, 4), (0.3, 6), (1.0, 3)])
def test_the_tokens_are_those_of_the_paper(
    folder: Path, engine: NativeEngine, alpha: float, top_k: int
) -> None:
    asked = contrastive(penalty_alpha=alpha, top_k=top_k)
    found = ids_of(events(engine, request(token_ids=PROMPT, sampling=asked)))
    assert found == by_the_paper(folder, alpha, top_k, 12)[: len(found)]
    assert len(found) > 3


def test_without_the_penalty_it_is_greedy(engine: NativeEngine) -> None:
    plain = ids_of(events(engine, request(token_ids=PROMPT)))[:12]
    asked = contrastive(penalty_alpha=0.0)
    assert ids_of(events(engine, request(token_ids=PROMPT, sampling=asked))) == plain


def test_the_penalties_act_on_the_candidates(engine: NativeEngine) -> None:
    asked = contrastive(penalty_alpha=0.0, no_repeat_ngram=1, max_tokens=40)
    found = ids_of(events(engine, request(token_ids=PROMPT, sampling=asked)))
    assert len({*found, *PROMPT}) == len(found) + len(PROMPT)


def test_a_prompt_read_before_gives_the_same_answer(engine: NativeEngine) -> None:
    first = events(engine, request(token_ids=PROMPT, sampling=contrastive()))
    again = events(engine, request(token_ids=PROMPT, sampling=contrastive()))
    assert ids_of(first) == ids_of(again)
    assert end_of(again).usage.reused_tokens == 0


def test_no_candidates_at_all_are_refused_by_name(engine: NativeEngine) -> None:
    refused = failure_of(events(engine, request(text="A", sampling=contrastive(top_k=0))))
    assert refused.error == "UnsupportedRequest"
    assert "top k" in refused.message
