"""A snapshot: the tokens that were read, and the keys and values they left in a network's layers.

Knows numbers only; the two engines say what they put in and how they take it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Tokens: TypeAlias = "NDArray[np.int32]"
"""Token ids, (T,)."""
Bytes: TypeAlias = "NDArray[np.uint8]"


@dataclass(frozen=True, slots=True)
class Part:
    """One array of a snapshot.

    Attributes:
        dtype: As safetensors names it: ``BF16``, ``F32``, ``U8`` ...
        shape: In numbers of that type.
        data: Its bytes, in order and without gaps, (n,).
    """

    dtype: str
    shape: tuple[int, ...]
    data: Bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read, copied out of an engine.

    Attributes:
        tokens: What was read, from the first on, (T,).
        parts: The engine's arrays by name.
        facts: The engine's numbers by name, whatever else it needs to go on.
    """

    tokens: Tokens
    parts: Mapping[str, Part]
    facts: Mapping[str, int]

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays."""
        return sum(part.data.nbytes for part in self.parts.values())


def as_tokens(ids: Sequence[int]) -> Tokens:
    """Return ids as an array, (T,)."""
    return np.asarray(ids, dtype=np.int32)


def shared_length(first: Tokens, second: Tokens) -> int:
    """Return how many tokens two texts have in common from their beginning."""
    length = min(len(first), len(second))
    differs = np.flatnonzero(first[:length] != second[:length])
    return int(differs[0]) if len(differs) else length
