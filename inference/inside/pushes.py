"""Which words each part of the network makes likelier: its addition, put through the output head.

The stream after the last block is a sum: the embedding, and what attention and feed-forward part
of each block add to it. The last norm divides the stream by one number, its scale at this place.
With that number held as it is, norm and output head are linear, and the score (logit) of every
token is the sum of what each part alone brings to it: direct logit attribution (Elhage et al. 2021,
"A Mathematical Framework for Transformer Circuits", section "Logits and residual stream"; the head
itself on the inner stream: nostalgebraist 2020, "interpreting GPT: the logit lens").

What counts as a part's addition is what reaches the stream: after a norm behind the part (OLMo 2,
Gemma), after the residual multiplier (Granite), with the biases of its products (GPT-2). Where both
parts read the same stream (GPT-NeoX), each adds its own. The logit divisor (Granite) divides each
part's figure. A soft cap of the logits (Gemma) comes after the sum and keeps its order: figures are
those before it. The bias of a layer norm or of the output head, and what rounding did to the
stream, belong to no part: they are the last figure, ``rest``.

A rise that all tokens share changes no chance. So figures are held against the mean over the whole
vocabulary; the raw rise is told too.

Shapes: L blocks, C numbers of the stream, V tokens.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from inference.types import TokenPiece

PartKind: TypeAlias = Literal["embedding", "attention", "forward", "rest"]


class AskPushes(msgspec.Struct, frozen=True, tag="pushes"):
    """The tokens that parts promote and suppress most; answered by ``Pushes``.

    ``layers``: Blocks to look at, from 0; empty = all, the embedding and the rest too.
    ``position`` -1 is the last token: its stream decides what follows.
    """

    token_ids: tuple[int, ...]
    layers: tuple[int, ...] = ()
    top_n: int = 10
    position: int = -1


class AskVotes(msgspec.Struct, frozen=True, tag="votes"):
    """How much each part brings to the score of one token, and of a rival; answered by ``Votes``.

    ``position`` as in ``AskPushes``; without a ``rival`` the mean over the vocabulary stands there.
    """

    token_ids: tuple[int, ...]
    token: int
    rival: int | None = None
    position: int = -1


class Push(TokenPiece, frozen=True, kw_only=True):
    """A token, and what one part alone adds to its score (logit)."""

    rise: float


class PartPushes(msgspec.Struct, frozen=True):
    """What one part does to the scores of all tokens.

    Attributes:
        kind: Which part.
        layer: Of the block, from 0; -1 for what belongs to none.
        length: Euclidean norm of what it adds to the stream.
        mean: Of its rises, over the whole vocabulary.
        promoted: The largest rises, largest first.
        suppressed: The smallest, smallest first.
    """

    kind: PartKind
    layer: int
    length: float
    mean: float
    promoted: tuple[Push, ...]
    suppressed: tuple[Push, ...]


class Pushes(msgspec.Struct, frozen=True, tag="push_lists"):
    """Parts in the order they add to the stream."""

    parts: tuple[PartPushes, ...]
    origin: Literal["measured", "derived"] = "derived"


class Vote(msgspec.Struct, frozen=True):
    """What one part adds to the score of the token, of the rival, and of tokens in the mean."""

    kind: PartKind
    layer: int
    rise: float
    rival: float | None
    mean: float

    @property
    def lead(self) -> float:
        """How much it moves the token ahead of the rival, or of the mean without one."""
        return self.rise - (self.mean if self.rival is None else self.rival)


class Votes(msgspec.Struct, frozen=True, tag="vote_list"):
    """All parts, in the order they add to the stream; their sums are the model's own scores.

    ``cap``: The model presses its logits softly between this and its negative afterwards; 0 = it
    does not.
    """

    token: TokenPiece
    rival: TokenPiece | None
    votes: tuple[Vote, ...]
    cap: float = 0.0
    origin: Literal["measured", "derived"] = "derived"

    @property
    def score(self) -> float:
        """The token's logit, before the cap."""
        return sum(vote.rise for vote in self.votes)

    @property
    def lead(self) -> float:
        """How far the token is ahead of the rival, or of the mean, before the cap."""
        return sum(vote.lead for vote in self.votes)
