"""Lays vectors out in two dimensions, and measures what is lost by that.

PCA is computed here; t-SNE (van der Maaten & Hinton 2008) by scikit-learn, which is imported when a
map of that kind is asked for. The same words give the same map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.errors import UnsupportedRequestError
from inference.inside.reading import StoppedLookError

if TYPE_CHECKING:
    import numpy.typing as npt

    from inference.cancel import CancelToken
    from inference.inside.questions import MapMethod
    from inference.inside.source import Numbers

_NEAR: Final = 10
_PERPLEXITY: Final = 30.0
_SEED: Final = 0
_EXPLORING: Final = 250  # steps that scikit-learn gives to the first, exaggerated part
_SLICES: Final = 2
_SLICE: Final = 500
_FEWEST: Final = {"pca": 3, "tsne": 5}


@dataclass(frozen=True, slots=True)
class Layout:
    """Spots, (N, 2); the rest as in ``WordMap``."""

    spots: Numbers
    spread: tuple[float, ...]
    n_near: int
    kept: float
    by_chance: float
    trust: float


def lay_out(vectors: Numbers, method: MapMethod, cancel: CancelToken) -> Layout:
    """Lay out vectors of length 1, (N, C).

    Raises:
        UnsupportedRequestError: There are too few.
        StoppedLookError: ``cancel`` was set.
    """
    count = len(vectors)
    if count < _FEWEST[method]:
        raise UnsupportedRequestError(
            f"A map of this kind needs at least {_FEWEST[method]} words; these are {count}.",
            "Add some words.",
        )
    spread: tuple[float, ...] = ()
    if method == "pca":
        spots, spread = pca(vectors)
    else:
        spots = tsne(vectors, cancel)
    n_near = min(_NEAR, max(1, (count - 1) // 2))
    kept, trust = preserved(vectors, spots, n_near)
    return Layout(spots, spread, n_near, kept, n_near / (count - 1), trust)


def pca(vectors: Numbers) -> tuple[Numbers, tuple[float, float]]:
    """Return the two widest directions, (N, 2), and the share of the variance each explains."""
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    left, sizes = left[:, :2], np.square(sizes.astype(np.float64))
    shares = sizes[:2] / max(float(sizes.sum()), 1e-12)
    spots = np.zeros((len(vectors), 2), np.float32)
    spots[:, : left.shape[1]] = left * np.sqrt(sizes[:2])
    return spots, (float(shares[0]), float(shares[1]) if len(shares) > 1 else 0.0)


def tsne(vectors: Numbers, cancel: CancelToken) -> Numbers:
    """Return t-SNE's map, (N, 2), made in slices between which it can be stopped."""
    if cancel.cancelled:
        raise StoppedLookError
    from sklearn import manifold  # noqa: PLC0415  takes a second
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  comes with it

    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)

    def run(start: str | Numbers, exaggeration: float, steps: int) -> Numbers:
        if cancel.cancelled:
            raise StoppedLookError
        made: Numbers = manifold.TSNE(
            2,
            perplexity=perplexity,
            early_exaggeration=exaggeration,
            max_iter=steps,
            init=start,
            random_state=_SEED,
        ).fit_transform(vectors)
        return made

    # Its threads spin while they wait: beside a busy program two are 20 times slower than one.
    with threadpool_limits(1):
        spots = run("pca", 12.0, _EXPLORING)
        for _ in range(_SLICES):
            spots = run(spots, 1.0, _SLICE)
    return spots


def preserved(vectors: Numbers, spots: Numbers, n_near: int) -> tuple[float, float]:
    """Return the share of true nearest neighbours kept, and the trustworthiness.

    The latter is Venna & Kaski 2001, eq. 1: each word that is falsely among the nearest on the map
    costs by how far it truly is behind them.
    """
    count = len(vectors)
    true_order = _orders(-(vectors @ vectors.T).astype(np.float64))  # (N, N - 1)
    gaps = np.square(spots[:, None].astype(np.float64) - spots[None]).sum(axis=-1)  # (N, N)
    near_on_map = _orders(gaps)[:, :n_near]
    ranks = np.empty((count, count), np.intp)
    np.put_along_axis(ranks, true_order, np.arange(1, count)[None, :], axis=1)
    found = np.take_along_axis(ranks, near_on_map, axis=1)  # (N, k): true rank of each
    kept = float((found <= n_near).mean())
    excess = np.maximum(found - n_near, 0).sum()
    trust = 1.0 - excess * 2.0 / (count * n_near * (2.0 * count - 3.0 * n_near - 1.0))
    return kept, float(trust)


def _orders(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return for each row the places of the others, nearest first, (N, N - 1)."""
    np.fill_diagonal(distances, np.inf)
    orders: npt.NDArray[np.intp] = np.argsort(distances, axis=1, kind="stable")[:, :-1]
    return orders
