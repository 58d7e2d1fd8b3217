"""A text of any length is scored in windows, each token once, with enough before it."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import UnsupportedRequestError
from inference.inside.perplexity import Reading, Score, measure, windows
from inference.inside.questions import AskSurprise, Surprise


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
    assert score.n_windows == len(fractions) == reading.n_windows
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_the_figures_of_a_text_follow_from_its_chances() -> None:
    score = Score((None, math.log(0.5), math.log(0.125)), 1)
    assert score.scored == 2
    assert score.perplexity == pytest.approx(4)  # 1 and 3 bits
    assert score.bits_per_byte(8) == pytest.approx(0.5)


def test_a_text_of_one_token_and_a_context_without_room_are_refused() -> None:
    with pytest.raises(UnsupportedRequestError, match="nothing before it"):
        Reading((5,), 64, has_bos=False)
    with pytest.raises(UnsupportedRequestError, match="too small"):
        Reading((5, 6, 7), 3, has_bos=True)
