"""A text of any length is scored in windows, each token once, with enough before it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import UnsupportedRequestError
from inference.inside.perplexity import Reading, Score, measure, window_for, windows
from inference.inside.questions import AskSurprise, Surprise

if TYPE_CHECKING:
    from inference.inside.perplexity import Method


@given(st.integers(2, 500), st.integers(4, 64), st.booleans())
def test_windows_score_every_token_but_the_first_once(
    n_tokens: int, n_ctx: int, has_bos: bool
) -> None:
    parts = windows(n_tokens, n_ctx, has_bos=has_bos)
    scored = [place for part in parts for place in range(part.first, part.stop)]
    assert scored == list(range(1, n_tokens))
    for part in parts:
        repeats_bos = has_bos and part.start > 0
        assert part.stop - part.start + repeats_bos <= n_ctx
        assert part.first > part.start
    for part in parts[1:]:
        assert part.first - part.start == (n_ctx - has_bos) // 2


@given(st.integers(2, 300), st.integers(4, 40), st.booleans())
def test_a_token_is_told_the_chance_it_has_in_its_own_window(
    n_tokens: int, n_ctx: int, has_bos: bool
) -> None:
    """Ids are their places here, and a chance names its token and the one before it."""

    def ask(question: AskSurprise) -> Surprise:
        ids = question.token_ids
        assert len(ids) <= n_ctx
        if has_bos:
            assert ids[0] == 0
        told = (
            None,
            *(-float(now * 1000 + before) for before, now in itertools.pairwise(ids)),
        )
        return Surprise(told, (None,) * len(ids))

    fractions: list[float] = []
    reading = Reading(range(n_tokens), n_ctx, has_bos=has_bos)
    score = measure(reading, ask, fractions.append)
    assert score.logprobs == (
        None,
        *(-float(place * 1000 + place - 1) for place in range(1, n_tokens)),
    )
    assert score.n_windows == reading.n_windows <= len(fractions)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@given(st.integers(8, 300), st.integers(4, 40), st.booleans())
def test_the_method_of_llama_cpp_scores_the_second_half_of_each_chunk(
    n_tokens: int, size: int, has_bos: bool
) -> None:
    """Ids are their places; BOS takes the first place of each chunk, as its program has it."""

    def ask(question: AskSurprise) -> Surprise:
        ids = question.token_ids
        assert len(ids) == size
        assert ids[0] == 0 or not has_bos
        assert all(now == before + 1 for before, now in itertools.pairwise(ids[1:]))
        return Surprise((None, *(-float(one) for one in ids[1:])), (None,) * size)

    if n_tokens < 2 * size:
        with pytest.raises(UnsupportedRequestError, match=f"{2 * size} tokens"):
            Reading(range(n_tokens), size, has_bos=has_bos, method="llama.cpp")
        return
    reading = Reading(range(n_tokens), size, has_bos=has_bos, method="llama.cpp")
    score = measure(reading, ask)
    assert reading.n_windows == n_tokens // size
    for place, told in enumerate(score.logprobs):
        chunk, within = divmod(place, size)
        is_scored = chunk < n_tokens // size and within > size // 2
        assert told == (-float(place) if is_scored else None)


@pytest.mark.parametrize("has_bos", [True, False])
@pytest.mark.parametrize("method", ["overlap", "llama.cpp"])
def test_no_token_is_scored_twice(method: Method, has_bos: bool) -> None:
    scored: list[int] = []

    def ask(question: AskSurprise) -> Surprise:
        ids, first = question.token_ids, question.first
        scored.extend(ids[first:])
        told = (None,) * first + tuple(-float(one) for one in ids[first:])
        return Surprise(told, (None,) * len(ids))

    score = measure(Reading(range(100), 16, has_bos=has_bos, method=method), ask)
    assert len(scored) == len(set(scored)) == score.scored
    assert all(score.logprobs[one] == -float(one) for one in scored)


def test_a_long_window_tells_how_far_it_is_on_the_way() -> None:
    fractions: list[float] = []

    def ask(question: AskSurprise) -> Surprise:
        told = question.until or len(question.token_ids)
        return Surprise((None, *(-1.0,) * (told - 1)), (None,) * told)

    score = measure(Reading(range(3000), 2048, has_bos=False), ask, fractions.append)
    assert score.scored == 2999
    assert score.n_windows == 2
    assert len(fractions) >= 15
    assert fractions == sorted(fractions)
    assert max(b - a for a, b in itertools.pairwise((0.0, *fractions))) < 0.1
    assert fractions[-1] == 1


def test_a_window_is_what_the_method_and_the_context_allow() -> None:
    assert window_for(4096, "overlap") == 4096
    assert window_for(4096, "llama.cpp") == 512
    assert window_for(256, "llama.cpp") == 256
    assert window_for(4096, "overlap", 128) == 128
    with pytest.raises(UnsupportedRequestError, match="128 tokens does not fit"):
        window_for(64, "overlap", 128)


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=60), st.integers(1, 70))
def test_the_parts_of_a_score_are_all_of_it(told: list[float], count: int) -> None:
    score = Score((None, *told), 1)
    parts = score.parts(count)
    assert len(parts) == min(count, len(told))
    assert math.fsum(parts) == pytest.approx(score.nats)


def test_the_figures_of_a_text_follow_from_its_chances() -> None:
    score = Score((None, math.log(0.5), math.log(0.125)), 1)
    assert score.scored == 2
    assert score.perplexity == pytest.approx(4)  # 1 and 3 bits
    assert math.isnan(Score((None,), 0).perplexity)
    assert Score((None, -1e4), 1).perplexity == math.inf
    assert score.bits_per_byte(8) == pytest.approx(0.5)


def test_a_text_of_one_token_and_a_context_without_room_are_refused() -> None:
    with pytest.raises(UnsupportedRequestError, match="nothing before it"):
        Reading((5,), 64, has_bos=False)
    with pytest.raises(UnsupportedRequestError, match="too small"):
        Reading((5, 6, 7), 3, has_bos=True)
