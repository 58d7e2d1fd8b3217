"""How the looks of one token in one head come about: query, keys, scores and shares.

Shapes: D numbers of a head, S tokens up to the one that looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class AskProducts(msgspec.Struct, frozen=True, tag="products"):
    """What the looks of one token are made of; answered by ``Products``.

    ``place`` -1 is the last token; layers and heads count from 0.
    """

    token_ids: tuple[int, ...]
    layer: int
    head: int
    place: int = -1


class Products(msgspec.Struct, frozen=True, tag="product_rows"):
    """Query times key, number by number (Vaswani et al. 2017, eq. 1).

    Attributes:
        query: Of the token that looks, float32, (D,).
        keys: Of all tokens up to it, float32, (S, D).
        shares: How much it takes of each, as the model computed it, float32, (S,); 0 = not seen.
        scale: Every product is multiplied by it, ``1 / sqrt(D)`` in most models.
        cap: Scores are pressed softly between this and its negative; 0 = they are not.
        origin: Of query, keys and shares; what the methods return is derived from them.
    """

    query: bytes
    keys: bytes
    shares: bytes
    scale: float
    cap: float = 0.0
    origin: Literal["measured", "derived"] = "measured"

    def looking(self) -> npt.NDArray[np.float32]:
        """View the query, (D,)."""
        return _view(self.query)

    def looked_at(self) -> npt.NDArray[np.float32]:
        """View the keys, (S, D)."""
        return _view(self.keys).reshape(-1, len(self.query) // 4)

    def taken(self) -> npt.NDArray[np.float32]:
        """View the shares, (S,)."""
        return _view(self.shares)

    def parts(self) -> npt.NDArray[np.float32]:
        """Return what each number adds to each score, (S, D)."""
        products: npt.NDArray[np.float32] = self.looked_at() * self.looking() * _one(self.scale)
        return products

    def scores(self) -> npt.NDArray[np.float32]:
        """Return the score of each token, (S,): the sum of its parts, capped where that is done."""
        import numpy as np  # noqa: PLC0415  the window starts without it

        sums: npt.NDArray[np.float32] = self.parts().sum(axis=1)
        return (self.cap * np.tanh(sums / self.cap)).astype(np.float32) if self.cap else sums

    def shares_of_scores(self) -> npt.NDArray[np.float32]:
        """Return the softmax of the scores of all tokens that are seen, (S,)."""
        import numpy as np  # noqa: PLC0415  as above

        seen = self.taken() > 0
        scores = np.where(seen, self.scores(), -np.inf)
        powers = np.exp(scores - scores.max())
        shares: npt.NDArray[np.float32] = (powers / powers.sum()).astype(np.float32)
        return shares


def _view(data: bytes) -> npt.NDArray[np.float32]:
    import numpy as np  # noqa: PLC0415  the window starts without it

    return np.frombuffer(data, np.float32)


def _one(number: float) -> np.float32:
    import numpy as np  # noqa: PLC0415  as above

    return np.float32(number)
