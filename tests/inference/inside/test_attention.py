from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.inside.attention import Overview, Reduced


@given(
    n_tokens=st.integers(1, 40),
    size=st.integers(1, 50),
    cuts=st.lists(st.integers(1, 39), max_size=4),
    seed=st.integers(0, 99),
)
def test_an_overview_keeps_the_strongest_look_of_each_cell_however_rows_arrive(
    n_tokens: int, size: int, cuts: list[int], seed: int
) -> None:
    whole = np.tril(np.random.default_rng(seed).random((2, n_tokens, n_tokens), np.float32))
    overview = Overview(1, 2, n_tokens, size)
    places = sorted({0, *(cut for cut in cuts if cut < n_tokens), n_tokens})
    for start, end in itertools.pairwise(places):
        overview.take(0, start, whole[:, start:end, :end])
    small = min(size, n_tokens)
    cell = [place * small // n_tokens for place in range(n_tokens)]
    expected = np.zeros((2, small, small), np.float32)
    for row in range(n_tokens):
        for column in range(n_tokens):
            there = expected[:, cell[row], cell[column]]
            expected[:, cell[row], cell[column]] = np.maximum(there, whole[:, row, column])
    np.testing.assert_array_equal(overview.cells[0], expected)


@pytest.mark.parametrize("heads", ["mean", "max", 1])
def test_rows_that_arrive_in_parts_are_put_together(heads: str | int) -> None:
    whole = np.tril(np.random.default_rng(1).random((3, 10, 10), np.float32))
    reduced = Reduced(heads, 3, 10)  # type: ignore[arg-type]  # parametrised
    reduced.take(0, 0, whole[:, :6, :6])
    reduced.take(0, 6, whole[:, 6:])
    expected = {"mean": whole.mean(0), "max": whole.max(0), 1: whole[1]}[heads]
    np.testing.assert_allclose(reduced.weights, expected, rtol=1e-6)
