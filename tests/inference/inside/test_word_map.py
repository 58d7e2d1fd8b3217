"""Maps of words: the same each time, and honest about what they lose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.inside.reading import StoppedLookError, unit
from inference.inside.word_map import lay_out, pca, preserved


def _vectors(count: int, width: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32))


def _groups() -> np.ndarray:
    """Three groups of 12 in 40 dimensions."""
    middles = np.repeat(_vectors(3, 40), 12, axis=0)
    return unit(middles + 0.04 * _vectors(36, 40, 1) * 6)


def test_pca_explains_what_scikit_learn_says_it_does() -> None:
    vectors = _vectors(50, 24) * np.linspace(3, 0.1, 24, dtype=np.float32)
    spots, spread = pca(vectors)
    theirs = PCA(2).fit(vectors)
    np.testing.assert_allclose(spread, theirs.explained_variance_ratio_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(spots), np.abs(theirs.transform(vectors)), atol=1e-4)


@given(count=st.integers(5, 60), width=st.integers(2, 30), seed=st.integers(0, 99))
@settings(deadline=None)
def test_trust_is_what_scikit_learn_computes_and_a_faithful_map_keeps_all(
    count: int, width: int, seed: int
) -> None:
    vectors, spots = _vectors(count, width, seed), _vectors(count, 2, seed + 1)
    n_near = min(10, (count - 1) // 2)
    kept, trust = preserved(vectors, spots, n_near)
    expected = trustworthiness(vectors, spots, n_neighbors=n_near, metric="cosine")
    # vectors of almost the same distance may change places in float32: one step of the measure
    step = 2 / (count * n_near * (2 * count - 3 * n_near - 1))
    assert trust == pytest.approx(expected, abs=2 * step)
    assert 0 <= kept <= 1
    flat = _vectors(count, 2, seed)
    assert preserved(flat, flat, n_near) == pytest.approx((1, 1), abs=0.03)  # of equal distances


def test_t_sne_gives_the_same_map_twice_and_keeps_groups_together() -> None:
    vectors = _groups()
    first = lay_out(vectors, "tsne", CancelToken())
    again = lay_out(vectors, "tsne", CancelToken())
    np.testing.assert_array_equal(first.spots, again.spots)
    assert first.spread == ()
    assert first.n_near == 10
    assert first.by_chance == pytest.approx(10 / 35)
    assert first.kept > 0.85
    assert first.trust > 0.95
    middles = first.spots.reshape(3, 12, 2).mean(axis=1)
    own = np.linalg.norm(first.spots.reshape(3, 12, 2) - middles[:, None], axis=-1).max()
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert apart > own


def test_a_map_of_noise_says_that_it_cannot_be_trusted() -> None:
    made = lay_out(_vectors(200, 300), "pca", CancelToken())
    assert sum(made.spread) < 0.05
    assert made.kept < 0.2
    assert made.trust < 0.65


def test_a_stop_ends_t_sne_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn import manifold

    cancel, runs = CancelToken(), []

    class Stopping(manifold.TSNE):  # type: ignore[misc]  # its base has no types
        def fit_transform(self, *values: np.ndarray) -> np.ndarray:
            runs.append(1)
            cancel.cancel()
            made: np.ndarray = super().fit_transform(*values)
            return made

    monkeypatch.setattr(manifold, "TSNE", Stopping)
    with pytest.raises(StoppedLookError):
        lay_out(_groups(), "tsne", cancel)
    assert len(runs) == 1


@pytest.mark.parametrize(("method", "count"), [("pca", 2), ("tsne", 4), ("pca", 0)])
def test_too_few_words_are_refused(method: str, count: int) -> None:
    with pytest.raises(UnsupportedRequestError, match=f"these are {count}"):
        lay_out(_vectors(count, 8), method, CancelToken())  # type: ignore[arg-type]


def test_the_fewest_words_make_a_map() -> None:
    for method, count in (("pca", 3), ("tsne", 5)):
        made = lay_out(_vectors(count, 8), method, CancelToken())  # type: ignore[arg-type]
        assert made.spots.shape == (count, 2)
        assert np.isfinite(made.spots).all()
