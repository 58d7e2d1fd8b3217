"""What hooks see inside our networks equals what transformers says of the same weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from inference.cancel import CancelToken
from inference.inside.answering import answer
from inference.inside.products import AskProducts, Products
from inference.inside.questions import (
    Array,
    AskAttention,
    AskHabits,
    AskHidden,
    AskLens,
    AskLensAlong,
    AskNeighbours,
    AskNext,
    AskRollout,
    AskSurprise,
    AskUpdates,
    Lens,
    Neighbours,
    NextTokens,
    Surprise,
)
from inference.inside.reading import StoppedLookError
from inference.native.inside import NativeSource
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from tests.inference.native.reference import VARIANTS, random_ids, reference_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.inside.questions import Question

_LENGTH = 90  # past every window, and past the 64 positions of the scaled variants
IDS = tuple(random_ids(_LENGTH)[0].tolist())


class Pair:
    """Transformers' network and our source of the same weights."""

    def __init__(self, theirs: Any, source: NativeSource) -> None:
        self.theirs = theirs
        self.source = source

    @torch.inference_mode()
    def their_pass(self) -> Any:
        ids = torch.tensor([IDS])
        return self.theirs(
            ids, labels=ids, output_attentions=True, output_hidden_states=True, use_cache=False
        )

    @torch.inference_mode()
    def their_logits(self, n_layers: int) -> torch.Tensor:
        """The scores after the last token if their network had only its first blocks, (V,)."""
        inner = self.theirs.base_model
        name = "h" if hasattr(inner, "h") else "layers"
        config, blocks = inner.config, getattr(inner, name)
        whole = config.num_hidden_layers
        setattr(inner, name, blocks[:n_layers])
        config.num_hidden_layers = n_layers
        try:
            logits = self.theirs(torch.tensor([IDS]), use_cache=False).logits[0, -1]
        finally:
            setattr(inner, name, blocks)
            config.num_hidden_layers = whole
        return torch.as_tensor(logits)

    def ask(self, question: Question) -> Any:
        return answer(question, self.source, CancelToken())


def _any(_ids: Sequence[int]) -> None:
    return None


@pytest.fixture(scope="module", params=VARIANTS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("reference")
    theirs = reference_network(folder, request.param)
    device = torch.device("cpu")
    network = load_network(open_checkpoint(folder), dtype=torch.float32, device=device)
    session = Session(network, 128, torch.float32, device)
    return Pair(theirs, NativeSource(network, session, 128, str, _any))


def test_attention_equals_transformers_and_each_row_sums_to_1(pair: Pair) -> None:
    expected = pair.their_pass().attentions
    for layer, theirs in enumerate(expected):
        found = pair.ask(AskAttention(IDS, layer, "all"))
        assert isinstance(found, Array)
        ours = found.numbers()  # (H, T, T)
        np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-5, rtol=0)
        np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-5)
        one, mean, most = (pair.ask(AskAttention(IDS, layer, how)) for how in (2, "mean", "max"))
        np.testing.assert_array_equal(one.numbers(), ours[2])
        np.testing.assert_allclose(mean.numbers(), ours.mean(0), atol=1e-6)
        np.testing.assert_array_equal(most.numbers(), ours.max(0))


def test_products_of_query_and_keys_make_the_attention_of_transformers(pair: Pair) -> None:
    expected = pair.their_pass().attentions
    for layer, theirs in enumerate(expected):
        for head, place in ((0, 40), (2, -1)):
            found = pair.ask(AskProducts(IDS, layer, head, place))
            assert isinstance(found, Products)
            row = theirs[0, head, place].numpy()[: len(found.taken())]
            assert len(row) == (41 if place == 40 else _LENGTH)
            np.testing.assert_allclose(found.taken(), row, atol=1e-5, rtol=0)
            np.testing.assert_allclose(found.shares_of_scores(), row, atol=1e-5, rtol=0)
            sums = found.parts().sum(axis=1)
            assert found.parts().shape == (len(row), len(found.looking()))
            assert np.array_equal(found.scores(), sums) or found.cap > 0


def test_habits_are_means_over_the_tokens_from_the_third_on(pair: Pair) -> None:
    theirs = pair.their_pass().attentions[1][0]  # (H, T, T)
    for heads, weights in ((2, theirs[2]), ("mean", theirs.mean(0)), ("max", theirs.max(0)[0])):
        found = pair.ask(AskHabits(IDS, 1, heads))
        rows = range(2, _LENGTH)
        expected = [
            np.mean([weights[row, place].item() for row, place in zip(rows, places, strict=True)])
            for places in (rows, [row - 1 for row in rows], [0] * len(rows))
        ]
        np.testing.assert_allclose(found.numbers(), expected, atol=1e-5)
    assert np.isnan(pair.ask(AskHabits(IDS[:2], 1)).numbers()).all()


def test_the_stream_equals_transformers_hidden_states(pair: Pair) -> None:
    expected = pair.their_pass().hidden_states
    places = (0, 31, _LENGTH - 1)
    ours = pair.ask(AskHidden(IDS, places)).numbers()  # (L + 1, P, C)
    for layer, theirs in enumerate(expected[:-1]):  # they norm the last one
        np.testing.assert_allclose(ours[layer], theirs[0, places].numpy(), atol=1e-4, rtol=1e-4)
    norm = pair.source._network.final_norm
    with torch.inference_mode():
        normed = norm(torch.tensor(ours[-1]))
    torch.testing.assert_close(normed, expected[-1][0, places], atol=1e-4, rtol=1e-4)


def test_the_lens_is_what_their_network_says_when_it_ends_after_a_layer(pair: Pair) -> None:
    lens = pair.ask(AskLens(IDS, top_n=97))
    assert isinstance(lens, Lens)
    assert lens.origin == "derived"
    for count, ours in enumerate(lens.layers, start=1):
        expected = pair.their_logits(count).log_softmax(-1)
        assert [one.id for one in ours][:1] == [int(expected.argmax())]
        assert max(abs(expected[one.id].item() - one.logprob) for one in ours) < 1e-4


def test_the_lens_along_a_text_is_that_of_each_place(pair: Pair) -> None:
    places = (5, 40, _LENGTH - 1)
    along = pair.ask(AskLensAlong(IDS, places))
    assert isinstance(along, Lens)
    for column, place in enumerate(places):
        alone = pair.ask(AskLens(IDS, 1, place))
        for here, there in zip(along.layers, alone.layers, strict=True):
            assert here[column].id == there[0].id
            assert here[column].logprob == pytest.approx(there[0].logprob, abs=1e-5)


def test_the_next_token_and_every_surprise_equal_transformers(pair: Pair) -> None:
    result = pair.their_pass()
    following = pair.ask(AskNext(IDS, top_n=5, all_logits=True))
    assert isinstance(following, NextTokens)
    expected = result.logits[0, -1]
    logits = np.frombuffer(following.logits, np.float32)
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4, rtol=0)
    assert [token.id for token in following.top] == expected.topk(5).indices.tolist()
    entropy = torch.distributions.Categorical(logits=expected).entropy().item() / math.log(2)
    assert following.entropy_bits == pytest.approx(entropy, abs=1e-4)
    surprise = pair.ask(AskSurprise(IDS))
    assert isinstance(surprise, Surprise)
    assert surprise.logprobs[0] is None
    told = [value for value in surprise.logprobs if value is not None]
    assert len(told) == _LENGTH - 1
    assert -sum(told) / len(told) == pytest.approx(result.loss.item(), abs=1e-4)


def test_updates_are_what_each_part_adds(pair: Pair) -> None:
    lengths = pair.ask(AskUpdates(IDS)).numbers()  # (L, 3, T)
    stream = pair.ask(AskHidden(IDS, tuple(range(_LENGTH)))).numbers()  # (L + 1, T, C)
    np.testing.assert_allclose(
        lengths[:, 2], np.linalg.norm(stream[1:], axis=-1), rtol=1e-4, atol=1e-5
    )
    # The two parts together make the step from one stream to the next (triangle inequality).
    step = np.linalg.norm(stream[1:] - stream[:-1], axis=-1)
    assert (step <= lengths[:, 0] + lengths[:, 1] + 1e-3).all()
    assert (step >= np.abs(lengths[:, 0] - lengths[:, 1]) - 1e-3).all()
    assert lengths.min() > 0


def test_roll_out_is_the_product_of_the_mixed_means(pair: Pair) -> None:
    attentions = pair.their_pass().attentions
    flow = torch.eye(_LENGTH)
    for weights in attentions:
        flow = (0.5 * weights[0].mean(0) + 0.5 * torch.eye(_LENGTH)) @ flow
    found = pair.ask(AskRollout(IDS))
    assert found.origin == "derived"
    np.testing.assert_allclose(found.numbers(), flow.numpy(), atol=1e-5)
    np.testing.assert_allclose(found.numbers().sum(-1), 1, atol=1e-5)


def test_neighbours_equal_a_search_through_the_whole_table(pair: Pair) -> None:
    table = pair.theirs.get_input_embeddings().weight.detach().numpy()
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    direction = unit[5] - unit[9] + unit[13]
    cosines = unit @ (direction / np.linalg.norm(direction))
    cosines[[5, 9, 13]] = -2
    order = np.argsort(-cosines)[:10]
    found = pair.ask(AskNeighbours((5, 13), (9,), top_n=10))
    assert isinstance(found, Neighbours)
    assert [one.id for one in found.found] == order.tolist()
    np.testing.assert_allclose([one.cosine for one in found.found], cosines[order], atol=1e-5)


def test_hooks_are_gone_afterwards_and_the_session_goes_on(pair: Pair) -> None:
    network = pair.source._network

    def hooks() -> int:
        modules = network.modules()
        return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in modules)

    before = hooks()
    pair.ask(AskAttention(IDS, 0))
    pair.ask(AskUpdates(IDS))
    cancel = CancelToken()
    cancel.cancel()
    for question in (AskNext(IDS[::-1]), AskAttention(IDS, 1, "max"), AskHidden(IDS, (3,))):
        with pytest.raises(StoppedLookError):
            answer(question, pair.source, cancel)
    assert hooks() == before
    with torch.inference_mode():
        expected = network(torch.tensor([IDS]), last_only=True)[0, 0].numpy()
    found = pair.ask(AskNext(IDS, all_logits=True))
    np.testing.assert_allclose(np.frombuffer(found.logits, np.float32), expected, atol=1e-4)
