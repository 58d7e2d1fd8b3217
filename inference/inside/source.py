"""What an engine has to give so that all questions can be answered: raw numbers, as numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    from inference.cancel import CancelToken
    from inference.inside.attention import LastLook
    from inference.inside.products import Products
    from inference.inside.questions import Change
    from inference.inside.surprise import LastSurprise
    from inference.types import TokenPiece

    Numbers: TypeAlias = npt.NDArray[np.float32]

TakeRows: TypeAlias = "Callable[[int, int, Numbers], None]"
"""Called with a layer, the first position that looks, and weights (H, t, S): S positions seen."""


class OutputHead(Protocol):
    """The last norm and the output head, taken apart. All methods raise ``InferenceError``."""

    @property
    def cap(self) -> float:
        """The logits are pressed softly between this and its negative; 0 = they are not."""
        ...

    def entering(self, parts: Numbers, stream: Numbers) -> tuple[Numbers, Numbers]:
        """Return what the head is given of each part of a stream, (N, C), and of the norm's bias.

        The norm divides each part, (N, C), by what it divides the whole ``stream`` by, (C,); what
        divides the logits divides here already. The bias, (C,), is zeros where there is none.
        """
        ...

    def scores(self, rows: Numbers, cancel: CancelToken) -> Numbers:
        """Return the head's products with what ``entering`` gave, without bias and cap, (N, V).

        Raises:
            StoppedLookError: It was given up on the way.
        """
        ...

    def rows(self, tokens: Sequence[int]) -> Numbers:
        """Return what the products of some tokens are made with, (n, C)."""
        ...

    def mean(self) -> Numbers:
        """Return the mean of the rows of all tokens, (C,)."""
        ...

    def bias(self) -> Numbers | None:
        """Return what is added to every logit, (V,), if anything."""
        ...


class Source(Protocol):
    """The inside of one loaded model. All methods raise ``InferenceError``.

    ``StoppedLookError`` ends each of them when ``cancel`` is set.
    """

    @property
    def last_look(self) -> LastLook:
        """The attention asked for last."""
        ...

    @property
    def last_parts(self) -> LastLook:
        """The parts of the stream asked for last."""
        ...

    @property
    def head(self) -> OutputHead:
        """The way from the stream to the scores."""
        ...

    @property
    def n_layers(self) -> int:
        """Blocks, L."""
        ...

    @property
    def n_heads(self) -> int:
        """Query heads of a block, H."""
        ...

    @property
    def n_vocab(self) -> int:
        """Rows of the output head, V."""
        ...

    @property
    def n_ctx(self) -> int:
        """Tokens that a pass can take."""
        ...

    @property
    def ends(self) -> Collection[int]:
        """Ids that end an answer."""
        ...

    def text_of(self, token_id: int) -> str:
        """Return a token's text for people."""
        ...

    def piece(self, token_id: int) -> TokenPiece:
        """Return a token for people."""
        ...

    def check_ids(self, ids: Sequence[int]) -> None:
        """Refuse ids that the vocabulary lacks."""
        ...

    @property
    def last_surprise(self) -> LastSurprise:
        """The surprise asked for last."""
        ...

    @property
    def goes_on(self) -> bool:
        """Whether scores may be asked for in parts, without reading the text again each time."""
        ...

    def next_logits(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the scores of what may follow, (V,).

        Where all but the last id begin what the engine holds, nothing of it is read again, and
        what it holds stays.
        """
        ...

    def logits_after_each(
        self, ids: Sequence[int], cancel: CancelToken, first: int = 0
    ) -> Iterator[Numbers]:
        """Yield the scores after each position from ``first`` on, some at a time, (T', V)."""
        ...

    def attention(
        self, ids: Sequence[int], layers: Sequence[int], take: TakeRows, cancel: CancelToken
    ) -> None:
        """Run one pass and hand over the weights of these layers, rows in order in each layer."""
        ...

    def products(
        self, ids: Sequence[int], layer: int, head: int, place: int, cancel: CancelToken
    ) -> Products:
        """Return what the looks of the token at ``place`` are made of."""
        ...

    def hidden(self, ids: Sequence[int], positions: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the stream before the first and after each block, (L + 1, P, C)."""
        ...

    def updates(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the lengths ``AskUpdates`` speaks of, (L, 3, T)."""
        ...

    def parts(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return what makes up the stream of the last id, and that stream, (2 L + 2, C).

        The embedding, then what attention and MLP of each block add, then the stream after the last
        block, which is their sum but for rounding. What the engine holds stays.
        """
        ...

    def changed_logits(
        self, ids: Sequence[int], changes: Sequence[Change], cancel: CancelToken
    ) -> Numbers:
        """Return the scores of what may follow while some parts are switched off, (V,)."""
        ...

    def unembed(self, stream: Numbers, cancel: CancelToken) -> Numbers:
        """Apply the last norm and the output head: (N, C) becomes (N, V).

        Raises:
            StoppedLookError: It was given up on the way.
        """
        ...

    def vectors(self, ids: Sequence[int]) -> Numbers:
        """Return rows of the input embedding table, (N, C)."""
        ...

    def all_vectors(self) -> Iterator[Numbers]:
        """Yield the whole input embedding table from row 0 on, some rows at a time, (n, C)."""
        ...
