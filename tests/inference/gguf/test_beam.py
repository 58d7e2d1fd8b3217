"""Beam search through llama.cpp: the same beams as when every one is computed from its start."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inference.beam_search import BeamSearch, Continuation
from inference.cancel import CancelToken
from inference.native.engine import open_engine as open_native
from inference.types import GenerationRequest, LoadOptions, SamplingParams, TokenPiece
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.gguf.answers import CancelAfter, ask

if TYPE_CHECKING:
    from inference.gguf.engine import GgufEngine
    from tests.inference.gguf.conftest import OpenGguf

PROMPT = (72, 101, 108, 108, 111)


@pytest.fixture
def engine(open_gguf: OpenGguf, tmp_path: Path) -> GgufEngine:
    path = tiny_gguf(tmp_path / "tiny.gguf", std=0.15)
    return open_gguf(path, kv_cache_type="f32", flash_attention=False, n_ctx=256)


def slowly(engine: GgufEngine, params: SamplingParams) -> BeamSearch:
    """Search with one sequence that reads each beam anew from its first token."""
    session, cancel = engine._session, CancelToken()
    search = BeamSearch(params, params.max_tokens or 0, engine.loaded.eos_ids)
    while not search.done:
        found = []
        for row, (node, score) in enumerate(zip(search.running, search.scores, strict=True)):
            session.forget()
            assert session.read([*PROMPT, *search.tokens(node)], cancel)
            logits = session.logits().astype(np.float64)
            logprobs = logits - np.logaddexp.reduce(logits)
            found += [
                Continuation(row, token, logprob, score + logprob)
                for token, logprob in enumerate(logprobs.tolist())
            ]
        search.advance(sorted(found, key=lambda one: -one.score)[: search.wanted])
    return search


@pytest.mark.parametrize(
    "settings",
    [
        {"beams": 1},
        {"beams": 4},
        {"beams": 3, "length_penalty": 2.0, "early_stop": True},
        {"beams": 7, "early_stop": "never"},
        {"beams": 64, "max_tokens": 4},
    ],
    ids=str,
)
def test_beams_are_those_of_a_search_without_a_cache(
    engine: GgufEngine, settings: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"strategy": "beam", "max_tokens": 10} | settings
    wanted = slowly(engine, SamplingParams(**asked))
    answer = ask(engine, token_ids=PROMPT, **asked)
    answer.check_grammar()
    expected, tree = wanted.tree("r", lambda token: TokenPiece(token, "")), engine.beam_tree("r")
    assert [(n.id, n.parent, n.state) for n in tree.nodes] == [
        (n.id, n.parent, n.state) for n in expected.nodes
    ]
    scores = [node.score for node in expected.nodes]
    assert [node.score for node in tree.nodes] == pytest.approx(scores, abs=1e-4)
    told = [token for token in wanted.tokens(wanted.winner) if token not in engine.loaded.eos_ids]
    assert answer.ids == told
    assert tree.winner == expected.winner


def test_the_winner_is_told_with_its_own_chances(engine: GgufEngine) -> None:
    answer = ask(engine, token_ids=PROMPT, strategy="beam", beams=3, max_tokens=6, top_n=3)
    ids = (*PROMPT, *answer.ids)
    rows = engine.score(ids, 20, CancelToken())[len(PROMPT) - 1 :]
    for row, token in zip(rows, answer.tokens, strict=False):
        assert [c.id for c in token.top] == [c.id for c in row[:3]]
        chances = {c.id: c.logprob for c in row}
        if token.token_id in chances:
            assert token.logprob == pytest.approx(chances[token.token_id], abs=1e-3)


def test_after_a_search_the_prompt_is_reused_and_greedy_is_as_before(engine: GgufEngine) -> None:
    before = ask(engine, token_ids=PROMPT, max_tokens=8)
    ask(engine, token_ids=PROMPT, strategy="beam", max_tokens=8)
    after = ask(engine, token_ids=PROMPT, max_tokens=8)
    assert after.ids == before.ids
    assert after.finished.usage.reused_tokens == len(PROMPT) - 1


def test_a_stopped_search_tells_the_best_so_far(engine: GgufEngine) -> None:
    stopping = CancelAfter(600)
    answer = ask(engine, stopping, token_ids=PROMPT, strategy="beam", beams=2, max_tokens=200)
    answer.check_grammar()
    assert answer.finished.reason == "cancelled"
    assert len(answer.ids) < 200


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"repeat_penalty": 1.2}, "repeat penalty"),
        ({"no_repeat_ngram": 2}, "no repeat ngram"),
        ({"logit_bias": ((5, 1.0),)}, "logit bias"),
        ({"dry_multiplier": 0.8}, "dry multiplier"),
    ],
)
def test_what_beams_lack_here_is_refused_by_name(
    engine: GgufEngine, settings: dict[str, Any], named: str
) -> None:
    refused = ask(engine, text="a", strategy="beam", **settings).failed
    assert refused.error == "UnsupportedRequest"
    assert named in refused.message


def test_beams_that_would_read_positions_in_another_way_are_refused(engine: GgufEngine) -> None:
    engine._model.metadata["llama.rope.scaling.original_context_length"] = "300"
    fits = ask(engine, token_ids=PROMPT, strategy="beam", beams=2, max_tokens=100)
    assert fits.finished
    refused = ask(engine, token_ids=PROMPT, strategy="beam", beams=4, max_tokens=100).failed
    assert refused.error == "UnsupportedRequest"
    assert "300" in refused.message


def test_both_engines_find_the_same_beams(open_gguf: OpenGguf) -> None:
    folder = Path(str(importlib.resources.files("resources") / "starter"))
    file, weights = folder / "starter-instruct-F16.gguf", folder / "starter-instruct"
    if not (file.exists() and weights.exists()):
        pytest.skip("the starter model has not been made yet")
    gguf = open_gguf(file, kv_cache_type="f32", flash_attention=False, n_ctx=128)
    native = open_native(
        LoadOptions(str(weights), "native", n_ctx=128, threads=1, dtype="float32", device="cpu"),
        lambda _: None,
        CancelToken(),
    )
    sampling = SamplingParams(strategy="beam", beams=3, max_tokens=10)
    request = GenerationRequest("r", text="The sky is", sampling=sampling)
    trees = []
    for engine in (gguf, native):
        list(engine.generate(request, CancelToken()))
        trees.append(engine.beam_tree("r"))
    native.close()
    ours, theirs = trees
    assert [n.id for n in ours.nodes[:6]] == [n.id for n in theirs.nodes[:6]]
    assert ours.ends[0].score == pytest.approx(theirs.ends[0].score, abs=0.02)
