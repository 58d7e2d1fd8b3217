"""Both engines see the same inside of the same weights, and refuse the same nonsense."""

from __future__ import annotations

import importlib.resources
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import ContextOverflowError, InferenceError, UnsupportedRequestError
from inference.gguf.engine import open_engine as open_gguf
from inference.inside.perplexity import METHODS, Method, Reading, measure
from inference.inside.products import AskProducts
from inference.inside.questions import (
    Array,
    AskAttention,
    AskAttentionOverview,
    AskChanged,
    AskContext,
    AskHidden,
    AskLens,
    AskLensAlong,
    AskMap,
    AskNeighbours,
    AskNext,
    AskPieces,
    AskRollout,
    AskSum,
    AskSurprise,
    AskUpdates,
    AskVectors,
    HeadOff,
    Neighbours,
    NextTokens,
    Pieces,
    Term,
)
from inference.native.engine import open_engine as open_native
from inference.types import LoadOptions, TokenPiece
from tests.helpers.assets import asset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.engine import Engine
    from inference.inside.questions import Question

_TEXT = "Once upon a time there was a little girl called Lily. The sky was blue, and she sang. "


class Both:
    """The two engines with the same weights, and a text's ids."""

    def __init__(self, gguf: Engine, native: Engine, ids: tuple[int, ...]) -> None:
        self.gguf, self.native, self.ids = gguf, native, ids

    def ask(self, question: Question) -> tuple[Any, Any]:
        return (
            self.gguf.inspect(question, CancelToken()),
            self.native.inspect(question, CancelToken()),
        )

    def worst(self, question: Question) -> float:
        ours, theirs = self.ask(question)
        assert isinstance(ours, Array)
        assert ours.shape == theirs.shape
        return float(np.abs(ours.numbers() - theirs.numbers()).max())


def _both(file: Path, folder: Path, repeat: int, **options: Any) -> Iterator[Both]:
    gguf = open_gguf(LoadOptions(str(file), "gguf", **options), lambda _: None, CancelToken())
    native = open_native(LoadOptions(str(folder), "native"), lambda _: None, CancelToken())
    try:
        pieces = native.tokenize(_TEXT * repeat, add_bos=native.loaded.adds_bos)
        yield Both(gguf, native, tuple(piece.id for piece in pieces))
    finally:
        gguf.close()
        native.close()


@pytest.fixture(scope="module")
def starter() -> Iterator[Both]:
    """A text of more than 512 tokens: llama.cpp reads it in two parts."""
    folder = Path(str(importlib.resources.files("resources") / "starter"))
    yield from _both(folder / "starter-instruct-F16.gguf", folder / "starter-instruct", 30)


@pytest.fixture(scope="module")
def stories() -> Iterator[Both]:
    file, folder = asset("stories260K") / "stories260K.gguf", asset("stories260K-hf")
    exact = {"kv_cache_type": "f32", "flash_attention": False}
    yield from _both(file, folder, 3, **exact)


def test_attention_is_the_same_within_a_thousandth_in_f16(starter: Both) -> None:
    ids = starter.ids[:80]
    for layer in range(starter.native.loaded.n_layers):
        assert starter.worst(AskAttention(ids, layer, "all")) < 1e-3
    assert starter.worst(AskAttentionOverview(ids)) < 1e-3
    assert starter.worst(AskRollout(ids)) < 1e-3


def test_a_part_of_the_attention_is_that_of_the_whole(starter: Both) -> None:
    ids = starter.ids[:300]
    whole = starter.native.inspect(AskAttention(ids, 2, "mean"), CancelToken())
    assert isinstance(whole, Array)
    weights = whole.numbers()
    for engine in (starter.native, starter.gguf):
        cut = engine.inspect(AskAttention(ids, 2, "mean", (40, 10, 50, 60)), CancelToken())
        assert isinstance(cut, Array)
        np.testing.assert_allclose(cut.numbers(), weights[40:90, 10:70], atol=2e-3)
        small = engine.inspect(AskAttention(ids, 2, "mean", None, 60), CancelToken())
        assert isinstance(small, Array)
        assert small.shape == (60, 60)
        expected = weights.reshape(60, 5, 60, 5).max(axis=(1, 3))
        np.testing.assert_allclose(small.numbers(), expected, atol=2e-3)
        flow = engine.inspect(AskRollout(ids, (290, 0, 10, 300), 100), CancelToken())
        assert isinstance(flow, Array)
        assert (flow.shape, flow.origin) == ((10, 100), "derived")
        for nonsense in ((0, 0, 301, 1), (-1, 0, 2, 2), (0, 0, 0, 5)):
            with pytest.raises(UnsupportedRequestError, match="does not exist"):
                engine.inspect(AskAttention(ids, 2, "mean", nonsense), CancelToken())
        with pytest.raises(UnsupportedRequestError, match="one head at a time"):
            engine.inspect(AskAttention(ids, 2, "all", None, 60), CancelToken())


def test_a_text_that_is_read_in_two_parts_shows_the_same_attention(starter: Both) -> None:
    """Beyond 512 tokens: 1.3 thousandths, since llama.cpp rounds to 16 bits before each product."""
    assert len(starter.ids) > 512
    for layer in range(starter.native.loaded.n_layers):
        assert starter.worst(AskAttention(starter.ids, layer, "max")) < 2e-3
    assert starter.worst(AskAttentionOverview(starter.ids)) < 2e-3


def test_products_of_query_and_keys_are_the_same_and_make_the_attention(starter: Both) -> None:
    ids = starter.ids[:600]  # llama.cpp reads them in two parts
    for layer, head, place in ((0, 0, 20), (1, 3, 511), (3, 2, 512), (2, 1, -1)):
        ours, theirs = starter.ask(AskProducts(ids, layer, head, place))
        np.testing.assert_allclose(ours.scores(), theirs.scores(), atol=0.01)
        for one, other in zip(
            (ours.looking(), ours.looked_at()), (theirs.looking(), theirs.looked_at()), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=0.02 * float(np.abs(one).max()))
        matrix = starter.gguf.inspect(AskAttention(ids, layer, head), CancelToken())
        assert isinstance(matrix, Array)
        row = matrix.numbers()[place, : len(ours.taken())]
        np.testing.assert_allclose(ours.taken(), row, atol=1e-6)
        np.testing.assert_allclose(ours.shares_of_scores(), row, atol=1e-5)


def test_streams_lenses_and_surprises_are_the_same_in_f16(starter: Both) -> None:
    ids = starter.ids
    assert starter.worst(AskHidden(ids, (0, 511, 512, len(ids) - 1))) < 0.05
    assert starter.worst(AskVectors(ids[:9])) == 0
    assert starter.worst(AskUpdates(ids[:200])) < 0.1
    for ours, theirs in zip(*(lens.layers for lens in starter.ask(AskLens(ids))), strict=True):
        assert ours[0].id == theirs[0].id
        assert ours[0].logprob == pytest.approx(theirs[0].logprob, abs=0.02)
    ours, theirs = starter.ask(AskSurprise(ids))
    assert ours.logprobs[0] is None
    assert _perplexity(ours) == pytest.approx(_perplexity(theirs), rel=0.01)
    np.testing.assert_allclose(ours.entropy_bits[1:], theirs.entropy_bits[1:], atol=0.05)


def test_sums_maps_and_turns_of_words_are_the_same_in_f16(starter: Both) -> None:
    ids = starter.ids[:120]
    words = (Term(ids[3:5]), Term(ids[9:10], -1), Term(ids[12:13]))
    found, expected = starter.ask(AskSum(words, 12))
    assert [one.id for one in found.found] == [one.id for one in expected.found]
    for one, other in zip(found.left_out, expected.left_out, strict=True):
        assert (one.id, one.cosine) == (other.id, pytest.approx(other.cosine, abs=1e-4))
    assert starter.worst(AskContext(ids, 90, ids[5:60], 30)) < 0.02
    ours, theirs = starter.ask(AskMap((ids[3:5],), frequent=100))
    assert ours.names == theirs.names
    assert len(ours.names) == 101
    assert all(name.startswith(" ") for name in ours.names[1:])
    np.testing.assert_allclose(
        np.abs(ours.spots.numbers()), np.abs(theirs.spots.numbers()), atol=1e-3
    )
    for one, other in zip(
        (*ours.spread, ours.kept, ours.trust),
        (*theirs.spread, theirs.kept, theirs.trust),
        strict=True,
    ):
        assert one == pytest.approx(other, abs=0.01)
    drawn, again = starter.ask(AskMap((), 60, "tsne"))
    for one in (drawn, again):
        assert one.trust > 0.7
        assert one.kept > one.by_chance


def test_a_trained_model_gives_the_same_figures_on_both_engines(stories: Both) -> None:
    ids = stories.ids
    for layer in range(stories.native.loaded.n_layers):
        assert stories.worst(AskAttention(ids, layer, "all")) < 1e-4
    assert stories.worst(AskHidden(ids, tuple(range(len(ids))))) < 1e-3
    assert stories.worst(AskUpdates(ids)) < 1e-3
    ours, theirs = stories.ask(AskNext(ids))
    assert [token.id for token in ours.top] == [token.id for token in theirs.top]
    for one, other in zip(ours.top, theirs.top, strict=True):
        assert one.logit == pytest.approx(other.logit, abs=1e-3)
    found, expected = stories.ask(AskNeighbours(ids[5:6], top_n=8))
    assert [one.id for one in found.found] == [one.id for one in expected.found]
    ours, theirs = stories.ask(AskSurprise(ids))
    assert _perplexity(ours) == pytest.approx(_perplexity(theirs), rel=1e-4)


def test_both_engines_draw_the_same_tokens_along_a_line_of_temperatures(stories: Both) -> None:
    ids = stories.ids[:20]
    edited = (*ids[:9], 300, *ids[10:])
    line = (1.5, 1.5, 0.0, 0.4)
    gguf, native = stories.ask(
        AskChanged(ids, (), edited, 8, temperatures=line, temperature=0.7, seed=5)
    )
    for ours, theirs in zip(
        gguf.before_steps + gguf.after_steps, native.before_steps + native.after_steps, strict=True
    ):
        assert (ours.id, ours.temperature) == (theirs.id, theirs.temperature)
        assert ours.entropy_bits == pytest.approx(theirs.entropy_bits, abs=1e-3)
    assert gguf.shift_bits == pytest.approx(native.shift_bits, abs=1e-3)
    assert gguf.shift_bits > 0
    with pytest.raises(UnsupportedRequestError, match=r"llama\.cpp runs it as a whole"):
        stories.gguf.inspect(AskChanged(ids, (HeadOff(0, 0),)), CancelToken())


@pytest.mark.parametrize("method", METHODS)
def test_a_long_text_has_the_same_perplexity_on_both_engines(stories: Both, method: Method) -> None:
    """Several thousand tokens of a book, in windows of 256."""
    book = (asset("corpus") / "aesop.txt").read_text(encoding="utf-8")[:9_000]
    pieces = [engine.tokenize(book, add_bos=True) for engine in (stories.gguf, stories.native)]
    assert [piece.id for piece in pieces[0]] == [piece.id for piece in pieces[1]]
    ids = [piece.id for piece in pieces[0]]
    assert len(ids) > 3_000
    scores = [
        measure(
            Reading(ids, 256, has_bos=True, method=method),
            lambda question, engine=engine: engine.inspect(question, CancelToken()),
        )
        for engine in (stories.gguf, stories.native)
    ]
    assert scores[0].n_windows == scores[1].n_windows > 10
    assert scores[0].perplexity == pytest.approx(scores[1].perplexity, rel=1e-4)


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        (AskAttention((5, 6), 99), UnsupportedRequestError, "no layer 99"),
        (AskAttention((5, 6), 0, 99), UnsupportedRequestError, "no head 99"),
        (AskAttention((), 0), UnsupportedRequestError, "no token"),
        (AskProducts((5, 6), 99, 0), UnsupportedRequestError, "no layer 99"),
        (AskProducts((5, 6), 0, 99), UnsupportedRequestError, "no head 99"),
        (AskProducts((5, 6), 0, 0, 2), UnsupportedRequestError, "no position 2"),
        (AskHidden((5, 6), (2,)), UnsupportedRequestError, "no position 2"),
        (AskNext((10**9,)), UnsupportedRequestError, "1000000000"),
        (AskNeighbours(()), UnsupportedRequestError, "at least one token"),
        (AskNeighbours((5,), (5,)), UnsupportedRequestError, "cancel each other out"),
        (
            AskSum((Term((5,)), Term((6,)), Term((5,), -1), Term((6,), -1))),
            UnsupportedRequestError,
            "cancel",
        ),
        (AskMap(((5,), (), (6,))), UnsupportedRequestError, "these are 2"),
        (AskVectors(()), UnsupportedRequestError, "no token"),
        (AskHidden((5, 6), ()), UnsupportedRequestError, "no position to look at"),
        (AskLensAlong((5, 6), ()), UnsupportedRequestError, "no position to look at"),
        (AskAttentionOverview((5, 6), 0), UnsupportedRequestError, "at least one cell"),
        (AskSurprise((5,) * 100_000), ContextOverflowError, "100,000 tokens"),
    ],
)
def test_nonsense_is_refused_in_the_same_words(
    starter: Both, question: Question, error: type[InferenceError], words: str
) -> None:
    for engine in (starter.gguf, starter.native):
        with pytest.raises(error, match=words):
            engine.inspect(question, CancelToken())


def test_a_stop_ends_a_look_and_the_next_one_works(starter: Both) -> None:
    cancel = CancelToken()
    cancel.cancel()
    for engine in (starter.gguf, starter.native):
        for question in (
            AskAttention(starter.ids, 1),
            AskHidden(starter.ids, (3,)),
            AskSurprise(starter.ids),
            AskNext(starter.ids[::-1]),
            AskLensAlong(starter.ids, tuple(range(20))),
        ):
            with pytest.raises(InferenceError, match="stopped"):
                engine.inspect(question, cancel)
        engine.inspect(AskNext(starter.ids[:20]), CancelToken())


def test_a_stop_ends_the_way_through_the_output_head(starter: Both) -> None:
    cancel = CancelToken()
    cancel.cancel()
    stream = np.zeros((2, starter.native.inspect(AskVectors((1,)), CancelToken()).shape[1]))
    for source in (starter.gguf._inside, starter.native._source):
        assert source.unembed(stream.astype(np.float32), CancelToken()).shape == (2, source.n_vocab)
        with pytest.raises(InferenceError, match="stopped"):
            source.unembed(stream.astype(np.float32), cancel)


def _perplexity(surprise: Any) -> float:
    told = [value for value in surprise.logprobs if value is not None]
    return math.exp(-sum(told) / len(told))


def test_both_engines_say_which_of_the_tokens_they_find_are_special(starter: Both) -> None:
    ends = starter.native.loaded.eos_ids
    for engine in (starter.gguf, starter.native):
        near = engine.inspect(AskNeighbours(plus=ends[:1], top_n=40), CancelToken())
        assert isinstance(near, Neighbours)
        assert near.left_out[0].special
        assert near.left_out[0].text.startswith("<|")
        top = engine.inspect(AskNext(starter.ids[:20], 1000), CancelToken())
        assert isinstance(top, NextTokens)
        for found in (near.found, top.top):
            pieces = engine.inspect(AskPieces(tuple(one.id for one in found)), CancelToken())
            assert isinstance(pieces, Pieces)
            assert pieces.tokens == tuple(
                TokenPiece(one.id, one.text, one.special, one.raw) for one in found
            )
        assert any(one.special for one in top.top)
