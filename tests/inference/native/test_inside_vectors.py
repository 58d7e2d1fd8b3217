"""Sums of words, maps and turns by context equal what plain numpy makes of the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.inside.answering import answer
from inference.inside.questions import (
    Array,
    AskContext,
    AskMap,
    AskNeighbours,
    AskSum,
    Neighbours,
    Term,
    WordMap,
)
from inference.native.inside import NativeSource
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.types import TokenPiece
from tests.inference.native.reference import VOCAB_SIZE, random_ids, reference_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from inference.inside.questions import Question

IDS = tuple(random_ids(40)[0].tolist())


def _text(token: int) -> str:
    """Every third token begins a word, one of two letters among them."""
    return " of" if token == 3 else f" {'abc'[token % 3]}word" if token % 3 == 0 else f"x{token}"


def _piece(token: int) -> TokenPiece:
    return TokenPiece(token, _text(token))


def _any(_ids: Sequence[int]) -> None:
    return None


class Both:
    """Transformers' network and our source of the same weights."""

    def __init__(self, theirs: Any, source: NativeSource) -> None:
        self.theirs, self.source = theirs, source
        table = theirs.get_input_embeddings().weight.detach().numpy()
        self.table: npt.NDArray[np.float32] = table

    def ask(self, question: Question) -> Any:
        return answer(question, self.source, CancelToken())

    @torch.inference_mode()
    def hidden(self, ids: Sequence[int]) -> list[npt.NDArray[np.float32]]:
        """The stream in front of each block, (T, C) each; they norm what comes after the last."""
        result = self.theirs(torch.tensor([list(ids)]), output_hidden_states=True, use_cache=False)
        return [state[0].numpy() for state in result.hidden_states[:-1]]


@pytest.fixture(scope="module", params=["llama, grouped heads, untied", "gpt2, tied", "gemma2"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("reference")
    theirs = reference_network(folder, request.param)
    device = torch.device("cpu")
    network = load_network(open_checkpoint(folder), dtype=torch.float32, device=device)
    session = Session(network, 128, torch.float32, device)
    return Both(theirs, NativeSource(network, session, 128, _text, _any, piece=_piece))


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    scaled: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled


def test_a_sum_of_words_is_searched_through_the_whole_table(both: Both) -> None:
    table = both.table
    king, man, woman = (
        _unit(table[[5, 6]].mean(0)),
        _unit(table[9]),
        _unit(table[[13, 2, 7]].mean(0)),
    )
    direction = _unit(king - man + woman)
    cosines = _unit(table) @ direction
    asked = [5, 6, 9, 13, 2, 7]
    expected = cosines.copy()
    expected[asked] = -2
    order = np.argsort(-expected)[:10]
    found = both.ask(AskSum((Term((5, 6)), Term((9,), -1), Term((13, 2, 7))), top_n=10))
    assert isinstance(found, Neighbours)
    assert found.origin == "derived"
    assert [one.id for one in found.found] == order.tolist()
    np.testing.assert_allclose([one.cosine for one in found.found], expected[order], atol=1e-5)
    assert [one.id for one in found.left_out] == asked
    np.testing.assert_allclose([one.cosine for one in found.left_out], cosines[asked], atol=1e-5)


def test_one_token_is_its_own_nearest_and_left_out(both: Both) -> None:
    found = both.ask(AskNeighbours((7,), top_n=3))
    assert found.origin == "measured"
    assert [one.id for one in found.left_out] == [7]
    assert found.left_out[0].cosine == pytest.approx(1, abs=1e-5)
    assert 7 not in [one.id for one in found.found]


def test_a_sum_needs_a_word_that_is_added(both: Both) -> None:
    for terms in ((), (Term((5,), -1),), (Term(()), Term((5,), -1))):
        with pytest.raises(UnsupportedRequestError, match="at least one token"):
            both.ask(AskSum(terms))


def test_a_map_has_chosen_words_and_the_first_of_the_vocabulary(both: Both) -> None:
    found = both.ask(AskMap(((5, 6), (9,)), frequent=12))
    assert isinstance(found, WordMap)
    frequent = [token for token in range(VOCAB_SIZE) if token % 3 == 0 and token not in (3, 9)]
    assert found.names == (_text(5) + _text(6), _text(9), *map(_text, frequent[:11]))
    groups = [[5, 6], [9], *([token] for token in frequent[:11])]
    vectors = np.stack([_unit(both.table[group].mean(0)) for group in groups])
    left, sizes, _ = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    spots = found.spots.numbers()
    np.testing.assert_allclose(np.abs(spots), np.abs(left[:, :2] * sizes[:2]), atol=1e-4)
    np.testing.assert_allclose(found.spread, (sizes**2 / (sizes**2).sum())[:2], rtol=1e-3)
    with pytest.raises(UnsupportedRequestError, match="up to 1,000 words"):
        both.ask(AskMap(tuple((n, n % 90) for n in range(1001))))


def test_a_vocabulary_without_words_has_no_frequent_ones(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(both.source, "text_of", str)
    with pytest.raises(UnsupportedRequestError, match="no pieces that begin a word"):
        both.ask(AskMap(frequent=12))


def test_turns_are_cosines_of_the_streams(both: Both) -> None:
    other = (*IDS[10:30:2], IDS[20], 4)
    one_text = both.ask(AskContext(IDS, 20))
    two_texts = both.ask(AskContext(IDS, 20, other, 10))
    assert isinstance(two_texts, Array)
    own, any_two = one_text.numbers()
    rows = two_texts.numbers()
    assert rows.shape == (4, own.shape[0])
    np.testing.assert_array_equal(rows[0], own)
    here, there = both.hidden(IDS), both.hidden(other)
    for layer, (first, second) in enumerate(zip(here, there, strict=True)):
        expected = [
            (_unit(first[20]) * _unit(here[0][20])).sum(),
            (_unit(second[10]) * _unit(there[0][10])).sum(),
            (_unit(first[20]) * _unit(second[10])).sum(),
        ]
        np.testing.assert_allclose(rows[:3, layer], expected, atol=1e-4)
    assert np.abs(any_two).max() < 1
    assert (np.abs(rows[3] - any_two) < 0.7).all()


def test_any_two_tokens_are_pairs_of_different_ones(both: Both) -> None:
    ids = (3, 11, 12, 11, 13)
    found = both.ask(AskContext(ids, 4)).numbers()
    for layer, stream in enumerate(both.hidden(ids)):
        three = _unit(stream[[3, 2, 4]])  # without the first token, and 11 once
        pairs = [three[0] @ three[1], three[0] @ three[2], three[1] @ three[2]]
        assert found[1, layer] == pytest.approx(np.mean(pairs), abs=1e-4)
    alone = both.ask(AskContext((5,), 0)).numbers()
    assert np.isnan(alone[1]).all()
    assert alone[0, 0] == pytest.approx(1, abs=1e-5)
