"""Puts together attention weights that arrive a few rows at a time.

Shapes: L layers, H heads, t rows that arrive, S positions they see, T tokens of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.inside.questions import Heads, Window
    from inference.inside.source import Numbers


class Reduced:
    """The weights of one layer: of one head, of all, or their mean or maximum.

    Attributes:
        weights: (T, T), or (H, T, T) for all heads; 0 where a position cannot look.
    """

    def __init__(self, heads: Heads, n_heads: int, n_tokens: int) -> None:
        shape = (n_tokens, n_tokens) if heads != "all" else (n_heads, n_tokens, n_tokens)
        self._heads = heads
        self.weights: Numbers = np.zeros(shape, np.float32)

    def take(self, _layer: int, start: int, rows: Numbers) -> None:
        """Take rows (H, t, S)."""
        end, seen = start + rows.shape[1], rows.shape[2]
        if self._heads == "all":
            self.weights[:, start:end, :seen] = rows
        elif self._heads == "mean":
            self.weights[start:end, :seen] = rows.mean(axis=0)
        elif self._heads == "max":
            self.weights[start:end, :seen] = rows.max(axis=0)
        else:
            self.weights[start:end, :seen] = rows[self._heads]


class LastLook:
    """The latest whole matrix, so that a part of it can be asked for without another pass."""

    def __init__(self) -> None:
        self._key: object = None
        self._weights: Numbers = np.zeros((0, 0), np.float32)

    def get(self, key: object, make: Callable[[], Numbers]) -> Numbers:
        """Return the matrix of a key, made if it is another one, (T, T)."""
        if key != self._key:
            self._key = None
            self._weights = make()
            self._key = key
        return self._weights


def part(weights: Numbers, window: Window | None, size: int) -> Numbers:
    """Cut a window out of (T, T) and keep the maximum of what does not fit into ``size`` cells."""
    if window is not None:
        top, left, rows, columns = window
        weights = weights[top : top + rows, left : left + columns]
    for axis in (0, 1):
        count = weights.shape[axis]
        if 0 < size < count:
            cells = np.arange(count) * size // count
            weights = np.maximum.reduceat(weights, _firsts(cells), axis=axis)
    return weights


def habits(weights: Numbers) -> Numbers:
    """Return the mean shares for itself, the token before and the first one, of (T, T)."""
    later = weights[2:]
    if not len(later):
        return np.full(3, np.nan, np.float32)
    places = np.arange(2, len(weights))
    shares = (weights[places, places], weights[places, places - 1], later[:, 0])
    return np.array([share.mean() for share in shares], np.float32)


class Overview:
    """All heads in small: the maximum over the positions that a cell stands for.

    Attributes:
        cells: (L, H, S, S).
    """

    def __init__(self, n_layers: int, n_heads: int, n_tokens: int, size: int) -> None:
        size = min(size, n_tokens)
        self._cell_of = np.arange(n_tokens) * size // n_tokens  # (T,)
        self.cells: Numbers = np.zeros((n_layers, n_heads, size, size), np.float32)

    def take(self, layer: int, start: int, rows: Numbers) -> None:
        """Take rows (H, t, S)."""
        across = self._cell_of[: rows.shape[2]]  # (S,)
        down = self._cell_of[start : start + rows.shape[1]]  # (t,)
        narrow = np.maximum.reduceat(rows, _firsts(across), axis=2)  # (H, t, cells)
        small = np.maximum.reduceat(narrow, _firsts(down), axis=1)  # (H, cells, cells)
        there = self.cells[layer, :, down[0] : down[-1] + 1, : small.shape[2]]
        np.maximum(there, small, out=there)  # a cell's rows may come in two parts


class Rollout:
    """Attention roll-out: each layer's mean attention and the residual stream, multiplied up."""

    def __init__(self, n_layers: int, n_tokens: int) -> None:
        self._means: Numbers = np.zeros((n_layers, n_tokens, n_tokens), np.float32)

    def take(self, layer: int, start: int, rows: Numbers) -> None:
        """Take rows (H, t, S)."""
        end, seen = start + rows.shape[1], rows.shape[2]
        self._means[layer, start:end, :seen] = rows.mean(axis=0)

    def result(self) -> Numbers:
        """Return the product over the layers (Abnar & Zuidema 2020, eq. 1), (T, T)."""
        stay = np.eye(self._means.shape[1], dtype=np.float32)
        flow = stay
        for mean in self._means:
            mixed = 0.5 * mean + 0.5 * stay
            flow = mixed / mixed.sum(axis=1, keepdims=True) @ flow
        return flow


def _firsts(cells: np.typing.NDArray[np.intp]) -> np.typing.NDArray[np.intp]:
    """Return where each run of equal numbers begins."""
    changes: np.typing.NDArray[np.intp] = np.flatnonzero(np.diff(cells, prepend=-1))
    return changes
