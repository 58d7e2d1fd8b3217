"""Queries, keys and shares of one token in one head, taken while llama.cpp multiplies them.

``kq-N`` is the product of the keys and queries of block N, ``kq_soft_max-N`` what the softmax makes
of it. What is read out is held against that: a score that llama.cpp makes in another way is
refused, not drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from inference.errors import UnsupportedRequestError
from inference.gguf.ggml import (
    scattered_numbers,
    tensor_numbers,
    tensor_parameter,
    tensor_sources,
)
from inference.inside.products import Products

if TYPE_CHECKING:
    from inference.inside.source import Numbers

_CLOSE: Final = 0.02  # shares; a graphics card may multiply with fewer digits


class Multiplied:
    """Collects them from chunks of a text; only the chunk with the token itself counts.

    Args:
        layer, head: Where; from 0.
        place: Of the token that looks.
        cap: Of the scores; 0 = none.
        neighbours: How many numbers of a head the file holds as neighbours, from the first on; the
            result has them in the order of Hugging Face's folders.
    """

    def __init__(
        self, layer: int, head: int, place: int, *, cap: float = 0.0, neighbours: int = 0
    ) -> None:
        self._head, self._place, self._cap = head, place, cap
        self._neighbours = neighbours
        self._factors, self._softmax = f"kq-{layer}", f"kq_soft_max-{layer}"
        self.names = {self._factors, self._softmax}
        self.shown: set[str] = set()
        self._tensor = 0
        self._query: Numbers = np.zeros(0, np.float32)
        self._keys: Numbers = np.zeros((0, 0), np.float32)
        self._shares: Numbers = np.zeros(0, np.float32)
        self._scale = 1.0

    def read(self, tensor: int) -> Numbers:
        """Remember the tensor: whether it is the right one is known in ``take``."""
        self._tensor = tensor
        return np.zeros(0, np.float32)

    def take(self, start: int, count: int, name: str, _numbers: Numbers) -> bool:
        """Keep what is wanted; ``False`` when nothing more is."""
        if not start <= self._place < start + count:
            return True
        self.shown.add(name)
        row = self._place - start
        if name == self._factors:
            keys, queries = map(scattered_numbers, tensor_sources(self._tensor, 2))
            # (1, G, cells, D) and (1, H, t, D); H / G heads have one key in common
            shared = self._head * keys.shape[1] // queries.shape[1]
            self._query = queries[0, self._head, row]
            self._keys = keys[0, shared, : self._place + 1]
            return True
        shares = tensor_numbers(self._tensor)  # (1, H, t, cells)
        self._shares = shares[0, self._head, row, : self._place + 1]
        self._scale = tensor_parameter(self._tensor)
        return False

    def result(self) -> Products:
        """Return what was seen.

        Raises:
            UnsupportedRequestError: The model adds something to its scores.
        """
        found = Products(
            query=self._in_order(self._query).tobytes(),
            keys=self._in_order(self._keys).tobytes(),
            shares=self._shares.tobytes(),
            scale=self._scale,
            cap=self._cap,
        )
        off = float(np.abs(found.shares_of_scores() - found.taken()).max())
        if not off < _CLOSE:
            raise UnsupportedRequestError(
                "This model adds something to the products of queries and keys that is not "
                "shown here.",
                "Its attention itself is shown.",
                f"{self._softmax}: shares differ by {off:.3g}",
            )
        return found

    def _in_order(self, numbers: Numbers) -> Numbers:
        """Return the numbers of a head, (..., D), with first the halves that were neighbours."""
        turning = min(self._neighbours, numbers.shape[-1]) // 2 * 2
        order = np.arange(numbers.shape[-1])
        order[:turning] = order[:turning].reshape(-1, 2).T.reshape(-1)
        return numbers[..., order]
