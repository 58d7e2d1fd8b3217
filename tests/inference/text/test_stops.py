from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from inference.text.stops import StopMatcher

_SHORT = st.text(alphabet="ab<", max_size=4)


def _first_stop(text: str, stops: list[str]) -> int | None:
    """Position of the stop that is complete first, the longest of those; the slow, plain way."""
    for end in range(1, len(text) + 1):
        lengths = [len(stop) for stop in stops if stop and text[:end].endswith(stop)]
        if lengths:
            return end - max(lengths)
    return None


def _longest_possible_start(text: str, stops: list[str]) -> int:
    return max(
        (n for stop in stops for n in range(len(stop)) if text.endswith(stop[:n])), default=0
    )


@given(st.lists(_SHORT, max_size=4), st.lists(_SHORT, max_size=8))
def test_the_first_stop_is_found_however_the_text_is_split(
    stops: list[str], pieces: list[str]
) -> None:
    matcher = StopMatcher(stops)
    for piece in pieces:
        matcher.feed(piece)
    assert matcher.found == _first_stop("".join(pieces), stops)


@given(st.lists(_SHORT, max_size=4), st.lists(_SHORT, max_size=8))
def test_exactly_what_could_become_a_stop_is_uncertain(stops: list[str], pieces: list[str]) -> None:
    matcher = StopMatcher(stops)
    text = ""
    for piece in pieces:
        text += piece
        if matcher.feed(piece):
            return
        held = len(text) - matcher.certain
        assert held == _longest_possible_start(text, stops)


def test_the_end_of_the_text_makes_everything_certain() -> None:
    matcher = StopMatcher(["</s>"])
    matcher.feed("one </")
    assert matcher.certain == 4
    matcher.finish()
    assert matcher.certain == 6


def test_after_a_stop_nothing_changes_any_more() -> None:
    matcher = StopMatcher(["x"])
    assert matcher.feed("abxc")
    assert matcher.feed("x")
    matcher.finish()
    assert (matcher.found, matcher.certain) == (2, 2)


def test_a_stop_inside_another_ends_the_text_as_soon_as_it_is_complete() -> None:
    matcher = StopMatcher(["abcd", "bc"])
    assert matcher.feed("abc")
    assert matcher.found == 1


def test_a_long_stop_that_almost_matches_costs_linear_time() -> None:
    text, stop = "a" * 200_000, "a" * 5_000 + "b"
    matcher = StopMatcher([stop])
    before = time.perf_counter()
    matcher.feed(text)
    assert time.perf_counter() - before < 5  # a restart per position would take minutes
    assert matcher.certain == len(text) - 5_000
