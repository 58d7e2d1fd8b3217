"""Beam search: tokens and scores are those of transformers' ``generate(num_beams=...)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.events import TokenEvent
from inference.types import SamplingParams
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama
from tests.inference.native.answers import end_of, events, ids_of, opened, request, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.native.engine import NativeEngine

PROMPT = (5, 90, 17, 200, 33, 8)
LIMIT = 14
END = 2  # <|im_end|>


def beam(**settings: Any) -> SamplingParams:
    return SamplingParams(**({"strategy": "beam", "max_tokens": LIMIT} | settings))


@pytest.fixture(scope="module", params=[tiny_llama, tiny_gpt2])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that ends its answers now and then: END is as likely as a common token."""
    made: Path = request.param(tmp_path_factory.mktemp("beam"))
    return made


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[NativeEngine]:
    opened_engine = opened(folder)
    yield opened_engine
    opened_engine.close()


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    import transformers

    network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return network.eval()


def search_of_transformers(network: Any, ends: list[int], **settings: Any) -> Any:
    ids = torch.tensor([PROMPT])
    return network.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=LIMIT,
        eos_token_id=ends,
        pad_token_id=0,
        output_scores=True,
        return_dict_in_generate=True,
        num_return_sequences=settings["num_beams"],
        **settings,
    )


def _with_ends(engine: NativeEngine, monkeypatch: pytest.MonkeyPatch, ends: list[int]) -> None:
    changed = msgspec.structs.replace(engine.loaded, eos_ids=tuple(ends))
    monkeypatch.setattr(engine, "_loaded", changed)


OURS_TO_THEIRS = {
    "beams": "num_beams",
    "length_penalty": "length_penalty",
    "early_stop": "early_stopping",
    "no_repeat_ngram": "no_repeat_ngram_size",
    "repeat_penalty": "repetition_penalty",
}


@pytest.mark.parametrize(
    "settings",
    [
        {"beams": 3},
        {"beams": 5, "length_penalty": 0.0},
        {"beams": 4, "length_penalty": 2.0},
        {"beams": 4, "length_penalty": -1.0},
        {"beams": 3, "early_stop": True},
        {"beams": 3, "early_stop": "never", "length_penalty": 0.5},
        {"beams": 4, "no_repeat_ngram": 2, "repeat_penalty": 1.3},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_ends", [1, 40])
def test_beams_and_scores_equal_those_of_transformers(
    engine: NativeEngine,
    theirs: Any,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    n_ends: int,
) -> None:
    ends = [END] if n_ends == 1 else list(range(0, 320, 320 // n_ends))
    _with_ends(engine, monkeypatch, ends)
    named = {OURS_TO_THEIRS[name]: value for name, value in settings.items()}
    expected = search_of_transformers(theirs, ends, **named)
    found = events(engine, request(token_ids=PROMPT, sampling=beam(**settings), top_n=2))
    end_of(found)
    tree = engine.beam_tree("r1")
    answers = [_answer(tree, end.node) for end in tree.ends]
    wanted = [row[len(PROMPT) :].tolist() for row in expected.sequences]
    assert len(answers) == len(wanted)
    for ours, row in zip(answers, wanted, strict=True):
        assert ours == row[: len(ours)]
        assert set(row[len(ours) :]) <= {0}
    scores = [end.score for end in tree.ends]
    assert scores == pytest.approx(expected.sequences_scores.tolist(), abs=1e-4)
    told = [token for token in answers[0] if token not in ends]
    assert ids_of(found) == told


def _answer(tree: Any, node: int) -> list[int]:
    ids: list[int] = []
    while node >= 0:
        ids.append(tree.nodes[node].id)
        node = tree.nodes[node].parent
    return ids[::-1]


def test_one_beam_is_greedy(engine: NativeEngine) -> None:
    greedy = SamplingParams(strategy="greedy", max_tokens=LIMIT)
    expected = ids_of(events(engine, request(token_ids=PROMPT, sampling=greedy)))
    found = events(engine, request(token_ids=PROMPT, sampling=beam(beams=1)))
    assert ids_of(found) == expected


def test_the_tree_tells_what_was_kept_and_what_was_pruned(engine: NativeEngine) -> None:
    found = events(engine, request(token_ids=PROMPT, sampling=beam(beams=3, max_tokens=6)))
    tree = engine.beam_tree("r1")
    assert tree.request_id == "r1"
    depths: list[int] = []
    for place, node in enumerate(tree.nodes):
        assert node.parent < place
        depths.append(0 if node.parent < 0 else depths[node.parent] + 1)
        if node.parent >= 0:
            parent = tree.nodes[node.parent]
            assert parent.state == "kept"
            assert node.score == pytest.approx(parent.score + node.logprob, abs=1e-4)
    for depth in range(5):
        step = [node for node, at in zip(tree.nodes, depths, strict=True) if at == depth]
        assert len(step) == 3 * (1 + len(engine.loaded.eos_ids))
        assert sum(node.state == "kept" for node in step) == 3
        assert [node.score for node in step] == sorted((n.score for n in step), reverse=True)
    assert _answer(tree, tree.winner) == ids_of(found)
    assert tree.winner == tree.ends[0].node
    likeliest = engine.score(PROMPT, 1, CancelToken())[-1][0]
    assert (tree.nodes[0].id, tree.nodes[0].text) == (likeliest.id, likeliest.text)


def test_the_winner_is_told_with_its_own_chances(engine: NativeEngine) -> None:
    asked = request(token_ids=PROMPT, sampling=beam(beams=3, repeat_penalty=1.5), top_n=4)
    tokens = [e for e in events(engine, asked) if isinstance(e, TokenEvent)]
    ids = [token.token_id for token in tokens]
    with torch.inference_mode():
        logits = engine.network(torch.tensor([[*PROMPT, *ids]]))[0]
    rows = logits.log_softmax(-1)[len(PROMPT) - 1 :]
    assert len(tokens) > 3
    for row, token in zip(rows, tokens, strict=False):
        assert token.logprob == pytest.approx(row[token.token_id].item(), abs=1e-4)
        assert [c.id for c in token.top] == row.topk(4).indices.tolist()


def test_a_tree_is_kept_for_the_latest_search_only(engine: NativeEngine) -> None:
    events(engine, request(token_ids=PROMPT, sampling=beam(max_tokens=2)))
    assert engine.beam_tree("r1").nodes
    with pytest.raises(UnsupportedRequestError, match="no tree"):
        engine.beam_tree("another")


def test_a_stopped_search_tells_the_best_so_far(engine: NativeEngine) -> None:
    class StopLater(CancelToken):
        looks = 0

        @property
        def cancelled(self) -> bool:
            self.looks += 1
            return self.looks > 40

    found = events(
        engine, request(token_ids=PROMPT, sampling=beam(max_tokens=200, beams=2)), StopLater()
    )
    assert end_of(found).reason == "cancelled"
    assert 0 < len(ids_of(found)) < 40


def test_after_a_search_the_prompt_is_reused_and_greedy_is_as_before(engine: NativeEngine) -> None:
    plain = request(token_ids=PROMPT)
    before = ids_of(events(engine, plain))
    events(engine, request(token_ids=PROMPT, sampling=beam()))
    after = events(engine, plain)
    assert ids_of(after) == before
    assert end_of(after).usage.reused_tokens == len(PROMPT) - 1


def test_a_stop_text_cuts_the_winner(engine: NativeEngine) -> None:
    whole = text_of(events(engine, request(token_ids=PROMPT, sampling=beam())))
    stop = whole[len(whole) // 2]
    cut = events(engine, request(token_ids=PROMPT, sampling=beam(stop=(stop,))))
    assert text_of(cut) == whole[: whole.index(stop)]
    assert end_of(cut).reason == "stop"


def test_a_length_of_nothing_ends_at_once(engine: NativeEngine) -> None:
    found = events(engine, request(token_ids=PROMPT, sampling=beam(max_tokens=0)))
    assert end_of(found).reason == "length"
    assert not ids_of(found)
