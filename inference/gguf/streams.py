"""The stream of a GGUF model, collected block by block while a text is read.

Names of tensors are those of llama.cpp's graphs: ``ffn_inp-N`` or ``sa_out-N`` is the stream
between the two parts of block N, ``ffn_out-N`` what the second part adds (where neither of these
two is shown), ``l_out-N`` the stream after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.inside.source import Numbers

# What enters the first block: the last of these that a pass shows.
_EMBEDDED: Final = frozenset({"embd", "inp_embd", "inp_scaled", "inp_norm", "inpL"})
# The stream between the two parts of a block; where an architecture shows none of it, what is left
# of the stream after the block without the second part's addition.
_BETWEEN: Final = ("ffn_inp", "sa_out")
_ADDED: Final = "ffn_out"


class Streams:
    """The stream at some positions of a text, collected from its chunks.

    Args:
        n_layers: Blocks of the model.
        ids: The text.
        positions: Where the stream is wanted.
        middle: Whether it is wanted between the parts of a block, too.
    """

    def __init__(
        self, n_layers: int, ids: Sequence[int], positions: Sequence[int], *, middle: bool
    ) -> None:
        self._n_layers = n_layers
        self._ids = tuple(ids)
        self._positions = frozenset(positions)
        self._middle = middle or len(self._positions) == 1  # next to nothing, of a single one
        self._layers = tuple(f"l_out-{layer}" for layer in range(n_layers))
        self._parts = {
            f"{name}-{layer}" for name in (*_BETWEEN, _ADDED) for layer in range(n_layers)
        }
        self._rows: dict[str, dict[int, Numbers]] = {}
        self._names: set[str] = set()

    def holds(self, ids: Sequence[int], positions: Sequence[int], *, middle: bool) -> bool:
        """Whether these positions of this text were looked at, and between the parts."""
        same = self._ids == tuple(ids) and self._positions.issuperset(positions)
        return same and (self._middle or not middle)

    def forget_all_but_the_end(self) -> None:
        """Keep what was seen of the text's last position alone, if it was looked at."""
        self._positions &= {len(self._ids) - 1}
        self._rows = {
            name: {place: rows[place].copy() for place in self._positions}
            for name, rows in self._rows.items()
        }

    def missing(self, *, middle: bool) -> set[str]:
        """Return the tensors that no pass has shown."""
        missing = set(self._layers) - self._names
        if middle:
            missing |= {f"ffn_inp-{n}" for n in range(self._n_layers) if not self._shown_part(n)}
        return missing

    def _shown_part(self, layer: int) -> str:
        """Return the tensor that tells the two parts of a block apart; empty = none was shown."""
        names = (f"{name}-{layer}" for name in (*_BETWEEN, _ADDED))
        return next((name for name in names if name in self._names), "")

    def wants(self, name: str) -> bool:
        """Whether a tensor of that name is needed."""
        return name in _EMBEDDED or name in self._layers or (self._middle and name in self._parts)

    def take(self, start: int, count: int, name: str, numbers: Numbers) -> bool:
        """Keep what is wanted of (1, 1, t, C), or of (1, 1, wanted, C) in the last block."""
        rows = numbers[0, 0]
        self._names.add(name)
        wanted = sorted(place for place in self._positions if start <= place < start + count)
        if len(rows) == count:
            mine = {place: rows[place - start].copy() for place in wanted}
        else:  # the last block computes the positions asked for, in their order
            mine = {place: rows[index] for index, place in enumerate(wanted)}
        key = "embedded" if name in _EMBEDDED else name
        known = self._rows.setdefault(key, {})
        if name.startswith(_ADDED):  # GPT-NeoX gives the name a second time, to a sum
            mine |= known
        known.update(mine)
        return True

    def stacked(self, positions: Sequence[int], *, middle: bool) -> tuple[Numbers, Numbers]:
        """Return (L + 1, P, C) and, if asked for, (L, P, C)."""
        names = ("embedded", *self._layers)
        stream = np.stack([self._of(name, positions) for name in names])
        if not middle:
            return stream, stream[:0]
        between = [self._between(layer, stream, positions) for layer in range(self._n_layers)]
        return stream, np.stack(between)

    def _between(self, layer: int, stream: Numbers, positions: Sequence[int]) -> Numbers:
        """Return the stream between the parts of a block, (P, C)."""
        name = self._shown_part(layer)
        rows = self._of(name, positions)
        return stream[layer + 1] - rows if name.startswith(_ADDED) else rows

    def _of(self, name: str, positions: Sequence[int]) -> Numbers:
        rows = self._rows[name]
        return np.stack([rows[place] for place in positions])
