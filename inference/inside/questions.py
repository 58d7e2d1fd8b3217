"""What can be asked about the inside of a loaded model, and the values that answer.

Questions name tokens by id and places by number; tensors come back as plain bytes, a slice at a
time. Both sides travel between processes as msgpack. Knows neither torch nor llama.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from inference.inside.products import AskProducts, Products
from inference.inside.pushes import AskPushes, AskVotes, Pushes, Votes
from inference.text.stops import before_stop
from inference.types import Candidate, TokenPiece

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Heads: TypeAlias = int | Literal["mean", "max", "all"]
Window: TypeAlias = tuple[int, int, int, int]
"""First row, first column, rows and columns of a part of a matrix."""
Origin: TypeAlias = Literal["measured", "derived"]
MapMethod: TypeAlias = Literal["pca", "tsne"]

MOST_ATTENTION_TOKENS = 2048
"""Attention grows with the square of the text."""


class AskNext(msgspec.Struct, frozen=True, tag="next"):
    """What may follow ``token_ids``; answered by ``NextTokens``.

    ``all_logits`` sends the score of every token of the vocabulary too.
    """

    token_ids: tuple[int, ...]
    top_n: int = 20
    all_logits: bool = False


class AskAttention(msgspec.Struct, frozen=True, tag="attention"):
    """Where the heads of one layer look; answered by ``Array``.

    The array is (T, T) for one head, the mean or the maximum over heads, (H, T, T) for all; rows
    are the positions that look. Layers and heads count from 0.

    ``window`` cuts a part out; ``size`` bounds rows and columns, each cell then the maximum over
    what it stands for (0 = every cell). Neither goes with all heads.
    """

    token_ids: tuple[int, ...]
    layer: int
    heads: Heads = "mean"
    window: Window | None = None
    size: int = 0


class AskHabits(msgspec.Struct, frozen=True, tag="habits"):
    """Where a layer or head looks over the whole text; answered by ``Array``, (3,).

    Mean shares that a token gives to itself, to the one before it and to the very first one, over
    all tokens from the third on, where these are three; NaN where there are none.
    """

    token_ids: tuple[int, ...]
    layer: int
    heads: int | Literal["mean", "max"] = "mean"


class AskAttentionOverview(msgspec.Struct, frozen=True, tag="attention_overview"):
    """All heads of all layers at a glance; answered by ``Array``, (L, H, S, S).

    S is ``size``, or the number of tokens where that is smaller. Each cell is the maximum over the
    positions it stands for: an average would hide a single strong look.
    """

    token_ids: tuple[int, ...]
    size: int = 48


class AskRollout(msgspec.Struct, frozen=True, tag="rollout"):
    """Attention roll-out (Abnar & Zuidema 2020, section 3); answered by ``Array``, (T, T).

    Derived: with half of each layer's mean attention and half of the residual stream, how much of
    each token's start reaches each position after the last layer. ``window`` and ``size`` as in
    ``AskAttention``.
    """

    token_ids: tuple[int, ...]
    window: Window | None = None
    size: int = 0


class AskHidden(msgspec.Struct, frozen=True, tag="hidden"):
    """The residual stream at some positions; answered by ``Array``, (L + 1, P, C).

    Row 0 is the embedding, row i the stream after block i; P positions as in ``positions``.
    """

    token_ids: tuple[int, ...]
    positions: tuple[int, ...]


class AskLens(msgspec.Struct, frozen=True, tag="lens"):
    """What each layer would say next (logit lens, nostalgebraist 2020); answered by ``Lens``.

    Derived: the model's last norm and output head are applied to the stream after each block.
    ``position`` -1 is the last one.
    """

    token_ids: tuple[int, ...]
    top_n: int = 5
    position: int = -1


class AskLensAlong(msgspec.Struct, frozen=True, tag="lens_along"):
    """What each layer would say after each of some places; answered by ``Lens``.

    In each layer it has the likeliest token after each of ``positions``, in that order.
    """

    token_ids: tuple[int, ...]
    positions: tuple[int, ...]


class AskUpdates(msgspec.Struct, frozen=True, tag="updates"):
    """How much each block changes the stream; answered by ``Array``, (L, 3, T).

    Lengths (Euclidean norms) of what attention adds, of what the feed-forward part adds, and of
    the stream after the block.
    """

    token_ids: tuple[int, ...]


class AskNeighbours(msgspec.Struct, frozen=True, tag="neighbours"):
    """Tokens whose input vectors point the same way; answered by ``Neighbours``.

    The direction is the sum of the vectors of ``plus`` less those of ``minus``, each scaled to
    length 1 first; the tokens themselves are left out.
    """

    plus: tuple[int, ...]
    minus: tuple[int, ...] = ()
    top_n: int = 20


class Term(msgspec.Struct, frozen=True):
    """A word in a sum: its tokens, and +1 or -1."""

    token_ids: tuple[int, ...]
    sign: int = 1


class AskSum(msgspec.Struct, frozen=True, tag="sum"):
    """Tokens nearest to a sum of words, "king - man + woman"; answered by ``Neighbours``.

    Each word is the mean of its tokens' input vectors, scaled to length 1; the words are added or
    taken away (3CosAdd: Mikolov et al. 2013; Levy & Goldberg 2014, eq. 1). The tokens of the words
    themselves are left out, and their own scores told.
    """

    terms: tuple[Term, ...]
    top_n: int = 20


class AskMap(msgspec.Struct, frozen=True, tag="map"):
    """A map of words in two dimensions; answered by ``WordMap``.

    ``words``: The tokens of each word, which stands where the mean of their input vectors does.
    ``frequent`` adds so many pieces that begin a word, from the start of the vocabulary: one that
    was built by frequency (BPE) has the most frequent ones there.
    """

    words: tuple[tuple[int, ...], ...] = ()
    frequent: int = 0
    method: MapMethod = "pca"


class AskContext(msgspec.Struct, frozen=True, tag="context"):
    """How its context turns a token's vector, layer by layer; answered by ``Array``, (R, L + 1).

    Cosines before the first and after each block. Row 0: of the token at ``place`` with its own
    start. The last row: mean over pairs of different tokens of these texts, to hold the others
    against (Ethayarajh 2019, section 3.3), as far as they have any; NaN where none has. With
    ``other_ids``, where the token stands at ``other_place``, two rows come between: it with its
    start there, and both contexts with each other.
    """

    token_ids: tuple[int, ...]
    place: int
    other_ids: tuple[int, ...] = ()
    other_place: int = 0


class AskVectors(msgspec.Struct, frozen=True, tag="vectors"):
    """Rows of the input embedding table; answered by ``Array``, (N, C)."""

    token_ids: tuple[int, ...]


class AskSurprise(msgspec.Struct, frozen=True, tag="surprise"):
    """How expected each token of a text was; answered by ``Surprise``.

    Attributes:
        token_ids: The text.
        first: Index of the first token that is told; those before it only stand there.
        until: Index after the last token that has to be told, 0 = the end of the text. The engine
            reads no further, may tell a few more, and goes on from there when more is asked for.
    """

    token_ids: tuple[int, ...]
    first: int = 0
    until: int = 0


class HeadOff(msgspec.Struct, frozen=True, tag="head_off"):
    """One head brings nothing over."""

    layer: int
    head: int


class BlockOff(msgspec.Struct, frozen=True, tag="block_off"):
    """A block, or one of its two parts, adds nothing to the stream."""

    layer: int
    part: Literal["block", "attention", "forward"] = "block"


class EdgeOff(msgspec.Struct, frozen=True, tag="edge_off"):
    """The token at ``place`` cannot look at the one at ``target``, in any layer."""

    place: int
    target: int


Change: TypeAlias = HeadOff | BlockOff | EdgeOff


class AskChanged(msgspec.Struct, frozen=True, tag="changed"):
    """What becomes of a text when something is changed; answered by ``ChangedRun``.

    Attributes:
        token_ids: The text.
        changes: What is switched off.
        changed_ids: The text with other tokens in it; empty = the same text.
        length: Tokens that both runs write after it, fewer where one ends its text: the token that
            ends it is told too.
        stops: Texts that end a run, too, as they end an answer in a chat.
        temperatures: For each token that the changed run writes; the last one holds for those after
            it. 0 takes the likeliest, as does an empty tuple.
        temperature: The unchanged run's, for all its tokens.
        seed: Both runs draw with the same random numbers.
    """

    token_ids: tuple[int, ...]
    changes: tuple[Change, ...] = ()
    changed_ids: tuple[int, ...] = ()
    length: int = 12
    temperatures: tuple[float, ...] = ()
    temperature: float = 0.0
    seed: int = 0
    stops: tuple[str, ...] = ()


class AskPieces(msgspec.Struct, frozen=True, tag="pieces"):
    """The texts of tokens; answered by ``Pieces``."""

    token_ids: tuple[int, ...]


Question: TypeAlias = (
    AskNext
    | AskChanged
    | AskAttention
    | AskHabits
    | AskAttentionOverview
    | AskProducts
    | AskRollout
    | AskHidden
    | AskLens
    | AskLensAlong
    | AskUpdates
    | AskPushes
    | AskVotes
    | AskNeighbours
    | AskSum
    | AskMap
    | AskContext
    | AskVectors
    | AskSurprise
    | AskPieces
)


class ScoredToken(Candidate, frozen=True, kw_only=True):
    """A possible next token with its score, and the natural log of its chance."""

    logit: float


class NextTokens(msgspec.Struct, frozen=True, tag="next_tokens"):
    """The likeliest next tokens; ``entropy_bits`` is that of the whole distribution.

    ``logits``: float32 of the whole vocabulary, or empty; ``order`` then has the ids as uint32,
    likeliest first.
    """

    top: tuple[ScoredToken, ...]
    entropy_bits: float
    logits: bytes = b""
    order: bytes = b""
    origin: Origin = "measured"


class Array(msgspec.Struct, frozen=True, tag="array"):
    """Numbers in C order, float32."""

    shape: tuple[int, ...]
    data: bytes
    origin: Origin = "measured"

    def numbers(self) -> npt.NDArray[np.float32]:
        """View them, in ``shape``."""
        import numpy as np  # noqa: PLC0415  the window starts without it

        return np.frombuffer(self.data, np.float32).reshape(self.shape)


class Lens(msgspec.Struct, frozen=True, tag="lens_layers"):
    """For each block, the likeliest next tokens if the model ended after it."""

    layers: tuple[tuple[Candidate, ...], ...]
    origin: Origin = "derived"


class Neighbour(TokenPiece, frozen=True, kw_only=True):
    """A token and the cosine between its vector and the direction asked for."""

    cosine: float


class Neighbours(msgspec.Struct, frozen=True, tag="neighbour_list"):
    """Nearest first; ``left_out`` are the tokens that were asked with, in that order."""

    found: tuple[Neighbour, ...]
    left_out: tuple[Neighbour, ...] = ()
    origin: Origin = "measured"


class WordMap(msgspec.Struct, frozen=True, tag="word_map"):
    """Where words stand on a map, and how far it can be trusted.

    Attributes:
        names: Text of each word.
        spots: (N, 2).
        spread: Share of the spread that each of the two directions holds; empty for t-SNE.
        n_near: How many nearest neighbours the next two figures look at.
        kept: Share of the true nearest neighbours (by cosine) that are nearest on the map too.
        by_chance: What ``kept`` would be if words stood anywhere.
        trust: Trustworthiness of the map (Venna & Kaski 2001), 1 = no word is falsely near.
    """

    names: tuple[str, ...]
    spots: Array
    spread: tuple[float, ...]
    n_near: int
    kept: float
    by_chance: float
    trust: float
    origin: Origin = "derived"


class Surprise(msgspec.Struct, frozen=True, tag="surprises"):
    """For each token the natural log of its chance given those before it; ``None`` for the first.

    ``entropy_bits``: of the distribution that the token was drawn from, in the same places.
    """

    logprobs: tuple[float | None, ...]
    entropy_bits: tuple[float | None, ...]
    origin: Origin = "measured"


class WrittenStep(TokenPiece, frozen=True, kw_only=True):
    """A token that a run wrote, and the chances it was drawn with.

    Attributes:
        temperature: It was drawn at; 0 = the likeliest was taken, and chances are the model's own.
        entropy_bits: Of the whole distribution, after the temperature.
        top: The likeliest, ``logprob`` after the temperature and ``logit`` before it.
    """

    temperature: float
    entropy_bits: float
    top: tuple[ScoredToken, ...]


def _text_of(steps: tuple[WrittenStep, ...], stops: tuple[str, ...]) -> str:
    data = b"".join(step.data for step in steps if not step.special)
    return before_stop(data.decode("utf-8", "replace"), stops)


class ChangedRun(msgspec.Struct, frozen=True, tag="changed_run"):
    """Both runs: the model's own chances of the next token, and what each writes.

    Attributes:
        before, after: Chances of the first token.
        before_steps, after_steps: What each run wrote.
        shift_bits: Kullback-Leibler divergence from the unchanged run's chances to the changed
            one's, in bits: 0 = the change does nothing here.
        before_ended, after_ended: Whether that run ended as an answer does.
        stops: Texts that ended it; they are left out of its text.
    """

    before: NextTokens
    after: NextTokens
    before_steps: tuple[WrittenStep, ...]
    after_steps: tuple[WrittenStep, ...]
    shift_bits: float
    before_ended: bool = False
    after_ended: bool = False
    stops: tuple[str, ...] = ()
    origin: Origin = "measured"

    @property
    def before_text(self) -> str:
        """What the unchanged run writes."""
        return _text_of(self.before_steps, self.stops)

    @property
    def after_text(self) -> str:
        """What the changed run writes."""
        return _text_of(self.after_steps, self.stops)


class Pieces(msgspec.Struct, frozen=True, tag="piece_list"):
    """One piece for each id."""

    tokens: tuple[TokenPiece, ...]
    origin: Origin = "measured"


TextFinding: TypeAlias = NextTokens | Surprise | ChangedRun | Pieces
PartFinding: TypeAlias = Products | Lens | Pushes | Votes
Finding: TypeAlias = TextFinding | PartFinding | Array | Neighbours | WordMap
