"""The inside of a GGUF model: tensors handed out during a pass, and weights read from the file.

Names of tensors are those of llama.cpp's graphs: ``kq_soft_max-N`` is the attention of block N;
those of the stream are in ``streams.py``.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from inference.errors import OutOfMemoryError, UnsupportedRequestError
from inference.gguf.head import TABLE, GgufHead, table_rows
from inference.gguf.multiplied import Multiplied
from inference.gguf.scoring import Scoring
from inference.gguf.session import BATCH_TOKENS, SCORED_TOKENS
from inference.gguf.streams import Streams
from inference.gguf.taps import Taps
from inference.gguf.tensor_file import TensorFile
from inference.inside.attention import LastLook
from inference.inside.reading import StoppedLookError
from inference.inside.surprise import LastSurprise
from inference.library.architectures import NEIGHBOURS
from inference.library.as_loaded import check_as_loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from inference.cancel import CancelToken
    from inference.gguf.model import GgufModel
    from inference.gguf.session import Session
    from inference.gguf.vocabulary import Vocabulary
    from inference.inside.products import Products
    from inference.inside.questions import Change
    from inference.inside.source import Numbers, TakeRows


class GgufSource:
    """Fulfils ``inference.inside.source.Source``.

    Args:
        model: Open as long as this is used.
        session: Its context, for what comes next.
        vocabulary: Its tokens.
        make_ready: Called with a text before the session forgets another one for it.
    """

    def __init__(
        self,
        model: GgufModel,
        session: Session,
        vocabulary: Vocabulary,
        make_ready: Callable[[Sequence[int]], None] = lambda _ids: None,
    ) -> None:
        self._model = model
        self._session = session
        self._vocabulary = vocabulary
        self.n_ctx = session.n_ctx
        self.n_vocab = session.n_vocab
        self.n_layers = model.n_layers
        self.n_heads = int(self._own("attention.head_count"))
        self.last_look = LastLook()
        self.last_parts = LastLook()
        self.last_surprise = LastSurprise()
        self._make_ready = make_ready
        self._scoring: Scoring | None = None
        self._seen: Streams | None = None
        self.goes_on = True
        self.text_of = vocabulary.display
        self.piece = vocabulary.shown
        self.check_ids = vocabulary.check_ids
        self.ends = vocabulary.eog_ids

    def next_logits(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the scores of what may follow, (V,); a text in the cache is not read again."""
        found = self._session.logits_behind(ids, cancel)
        if cancel.cancelled:
            raise StoppedLookError
        if found is not None:
            return found
        self._make_ready(ids)
        kept = self._session.reuse(ids)
        for start in range(kept, len(ids), BATCH_TOKENS):
            if not self._session.read(ids[start : start + BATCH_TOKENS], cancel):
                raise StoppedLookError
        return self._session.logits().copy()

    def logits_after_each(
        self, ids: Sequence[int], cancel: CancelToken, first: int = 0
    ) -> Iterator[Numbers]:
        """Yield the scores after each position from ``first`` on, (T', V).

        What a stop left half read is kept until another text is scored, or ``release``. Its scores
        are not: it serves only what comes after it.
        """
        scoring = self._scoring
        if scoring is None or scoring.ids != tuple(ids) or scoring.length > first:
            self.release()
            try:
                scoring = self._scoring = Scoring(self._session, ids)
                self.goes_on = True
            except OutOfMemoryError:
                self.goes_on = False  # the session forgets what it reads as soon as a chat goes on
                yield from self._scored_in_session(ids, cancel, first)
                return
        while (start := scoring.length) < len(ids):
            logits = None if cancel.cancelled else scoring.read(cancel)
            if logits is None:
                raise StoppedLookError
            if scoring.length > first:
                yield logits[max(0, first - start) :]
        self.release()

    def _scored_in_session(
        self, ids: Sequence[int], cancel: CancelToken, first: int
    ) -> Iterator[Numbers]:
        """Do the same where memory holds no second context: what was read before is forgotten."""
        self._make_ready(())
        self._session.forget()
        for start in range(0, len(ids), SCORED_TOKENS):
            part = ids[start : start + SCORED_TOKENS]
            if cancel.cancelled or not self._session.read_all_logits(part, cancel):
                raise StoppedLookError
            logits = np.stack([self._session.logits(index) for index in range(len(part))])
            if start + len(part) > first:
                yield logits[max(0, first - start) :]

    def release(self) -> None:
        """Free what was kept to go on with."""
        if self._scoring is not None:
            self._scoring.close()
            self._scoring = None

    def attention(
        self, ids: Sequence[int], layers: Sequence[int], take: TakeRows, cancel: CancelToken
    ) -> None:
        """Run one pass and hand over the weights of these layers."""
        names = {f"kq_soft_max-{layer}": layer for layer in layers}
        last = f"kq_soft_max-{max(layers)}"
        seen: set[str] = set()

        def on_weights(start: int, count: int, name: str, numbers: Numbers) -> bool:
            seen.add(name)
            take(names[name], start, numbers[0, :, :, : start + count])  # of (1, H, t, cells)
            return name != last  # what follows needs nothing of the blocks behind it

        with self._taps(len(ids)) as taps:
            taps.run(ids, names.__contains__, on_weights, cancel)
        self._check_shown(names, seen, "its attention")

    def products(
        self, ids: Sequence[int], layer: int, head: int, place: int, cancel: CancelToken
    ) -> Products:
        """Run one pass; return what the looks of the token at ``place`` are made of."""
        seen = Multiplied(
            layer,
            head,
            place,
            cap=self._own("attn_logit_softcapping"),
            neighbours=self._neighbours(),
        )
        with self._taps(len(ids)) as taps:
            taps.run(ids, seen.names.__contains__, seen.take, cancel, read=seen.read)
        self._check_shown(seen.names, seen.shown, "its queries and keys")
        return seen.result()

    def _neighbours(self) -> int:
        """Return how many numbers of each head stand as neighbours in the file."""
        if self._model.architecture not in NEIGHBOURS:
            return 0
        whole = self._own("attention.key_length") or self._own("embedding_length") / self.n_heads
        return round(self._own("rope.dimension_count") or whole)

    def hidden(self, ids: Sequence[int], positions: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the stream before the first and after each block, (L + 1, P, C)."""
        return self._streams(ids, positions, cancel)[0]

    def updates(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return the lengths of what attention and MLP add, and of the stream, (L, 3, T)."""
        stream, middle = self._streams(ids, range(len(ids)), cancel, middle=True)
        before, after = stream[:-1], stream[1:]  # (L, T, C) each
        lengths = [np.linalg.norm(part, axis=-1) for part in (middle - before, after - middle)]
        return np.stack([*lengths, np.linalg.norm(after, axis=-1)], axis=1).astype(np.float32)

    def parts(self, ids: Sequence[int], cancel: CancelToken) -> Numbers:
        """Return what makes up the stream of the last id, and that stream, (2 L + 2, C)."""
        stream, middle = self._streams(ids, (len(ids) - 1,), cancel, middle=True)
        before, middle, after = stream[:-1, 0], middle[:, 0], stream[1:, 0]  # (L, C) each
        added = np.stack([middle - before, after - middle], axis=1)  # (L, 2, C)
        return np.concatenate([before[:1], added.reshape(-1, before.shape[1]), after[-1:]])

    def changed_logits(
        self, ids: Sequence[int], changes: Sequence[Change], cancel: CancelToken
    ) -> Numbers:
        """Refuse changes: llama.cpp computes its graph as it is."""
        if not changes:
            return self.next_logits(ids, cancel)
        raise UnsupportedRequestError(
            "Parts of a GGUF model cannot be switched off: llama.cpp runs it as a whole.",
            "Load the model in its native form (safetensors) to try changes.",
        )

    def unembed(self, stream: Numbers, cancel: CancelToken) -> Numbers:
        """Apply the last norm and the output head: (N, C) becomes (N, V)."""
        return self.head.logits(stream, cancel)

    def vectors(self, ids: Sequence[int]) -> Numbers:
        """Return rows of the input embedding table, (N, C)."""
        return np.concatenate([self._file.rows(TABLE, token, token + 1) for token in ids])

    def all_vectors(self) -> Iterator[Numbers]:
        """Yield the whole table from row 0 on, (n, C) at a time."""
        return table_rows(self._file, TABLE, self.n_vocab)

    @property
    def head(self) -> GgufHead:
        """The way from the stream to the scores."""
        check_as_loaded(self._model.path, self._model.stamp)
        return self._head

    @cached_property
    def _head(self) -> GgufHead:
        return GgufHead(self._file, self._own, self._model.architecture, self.n_vocab)

    @property
    def _file(self) -> TensorFile:
        """Weights that llama.cpp does not hand out, from the file that it loaded."""
        check_as_loaded(self._model.path, self._model.stamp)
        return self._opened_file

    @cached_property
    def _opened_file(self) -> TensorFile:
        return TensorFile(self._model.path)

    def _streams(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        cancel: CancelToken,
        *,
        middle: bool = False,
    ) -> tuple[Numbers, Numbers]:
        """Return the stream at some positions, (L + 1, P, C), and between the parts, (L, P, C).

        What the latest pass saw at the end of its text is not read again: who looks at the layers
        asks for it in several ways.
        """
        seen = self._seen
        if seen is None or not seen.holds(ids, positions, middle=middle):
            seen = Streams(self.n_layers, ids, positions, middle=middle)
            with self._taps(len(ids)) as taps:
                taps.run(ids, seen.wants, seen.take, cancel, scored=set(positions))
        self._check_shown(seen.missing(middle=middle), (), "its layers")
        found = seen.stacked(positions, middle=middle)
        seen.forget_all_but_the_end()
        self._seen = seen
        return found

    def _check_shown(self, wanted: Collection[str], seen: Collection[str], what: str) -> None:
        if missing := sorted(set(wanted) - set(seen)):
            raise UnsupportedRequestError(
                f"llama.cpp does not show {what} for the architecture "
                f"'{self._model.architecture}'.",
                "Look inside another model, or this one in the native format.",
                f"not seen: {', '.join(missing[:8])}",
            )

    def _own(self, key: str) -> float:
        """Return a number of the architecture; 0 where the file has none."""
        text = self._model.metadata.get(f"{self._model.architecture}.{key}", "0")
        try:
            return float(text)
        except ValueError:  # one number per layer
            return 0.0

    @contextmanager
    def _taps(self, n_tokens: int) -> Iterator[Taps]:
        taps = Taps(self._session, n_tokens)
        try:
            yield taps
        finally:
            taps.close()
