from __future__ import annotations

import math

import numpy as np
import pytest

from inference.errors import CorruptCheckpointError
from inference.gguf.probabilities import Distribution, check_finite, top_ids
from inference.types import TokenPiece

_SIZES = [1, 7, 300, 8191, 8192, 32_000, 128_256, 50_257]


def _reference(logits: np.ndarray) -> np.ndarray:
    exact = logits.astype(np.float64)
    exact -= exact.max()
    return exact - math.log(np.exp(exact).sum())


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("n", [1, 5, 20])
def test_the_likeliest_are_those_of_a_full_sort(size: int, n: int) -> None:
    logits = np.random.default_rng(size).normal(0, 3, size).astype(np.float32)
    expected = np.argsort(-logits, kind="stable")[:n]
    assert top_ids(logits, n).tolist() == expected.tolist()


@pytest.mark.parametrize("size", [300, 9000])
def test_equal_logits_are_ordered_by_id(size: int) -> None:
    logits = np.zeros(size, dtype=np.float32)
    logits[[5, size - 1, 270]] = 1.0
    assert top_ids(logits, 5).tolist() == [5, 270, size - 1, 0, 1]


@pytest.mark.parametrize("size", _SIZES)
def test_log_probabilities_equal_float64(size: int) -> None:
    logits = np.random.default_rng(size).normal(-40, 9, size).astype(np.float32)
    exact = _reference(logits)
    distribution = Distribution.of(logits)
    for candidate in distribution.top(20, lambda token: TokenPiece(token, str(token))):
        assert candidate.logprob == pytest.approx(exact[candidate.id], abs=1e-5)
        assert candidate.text == str(candidate.id)
    assert distribution.logprob(0) == pytest.approx(exact[0], abs=1e-5)


def test_forbidden_tokens_have_probability_zero() -> None:
    logits = np.array([0.0, -math.inf, 0.0], dtype=np.float32)
    distribution = Distribution.of(logits)
    assert distribution.logprob(1) == -math.inf
    assert distribution.logprob(0) == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_is_refused(bad: float) -> None:
    logits = np.zeros(10, dtype=np.float32)
    check_finite(logits)
    logits[3] = bad
    with pytest.raises(CorruptCheckpointError):
        check_finite(logits)
