"""The last norm and the output head of a GGUF model, whole and taken apart.

Their weights are read from the file: llama.cpp applies them, but only to the newest stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from inference.inside.reading import StoppedLookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from inference.cancel import CancelToken
    from inference.gguf.tensor_file import TensorFile
    from inference.inside.source import Numbers

TABLE: Final = "token_embd.weight"
_HEAD: Final = "output.weight"
_BIAS: Final = "output.bias"
_ROWS_AT_ONCE: Final = 4096


class GgufHead:
    """Fulfils ``inference.inside.source.OutputHead``.

    Args:
        file: The weights.
        own: Returns a number of the architecture by its key; 0 where the file has none.
        architecture: Its name.
        n_vocab: Rows of the output head that count.
    """

    def __init__(
        self, file: TensorFile, own: Callable[[str], float], architecture: str, n_vocab: int
    ) -> None:
        self._file, self._own, self._n_vocab = file, own, n_vocab
        self._name = _HEAD if _HEAD in file else TABLE
        self._mean: Numbers | None = None
        self.cap = own("final_logit_softcapping")
        # Granite divides by it; Command-R, which multiplies, is the other user of this key.
        scale = own("logit_scale") or 1.0
        self._scale = scale if architecture == "command-r" else 1 / scale

    def logits(self, stream: Numbers, cancel: CancelToken) -> Numbers:
        """Apply norm and head to whole streams: (N, C) becomes (N, V).

        Raises:
            StoppedLookError: It was given up on the way.
        """
        normed, bias = self._normed(stream, stream)  # (N, C), (C,)
        logits = self.scores((normed + bias) * self._scale, cancel)  # (N, V)
        added = self.bias()
        if added is not None:
            logits += added
        if self.cap:
            logits = self.cap * np.tanh(logits / self.cap)
        return logits

    def entering(self, parts: Numbers, stream: Numbers) -> tuple[Numbers, Numbers]:
        """Return what the head is given of each part, (N, C), and of the norm's bias, (C,)."""
        normed, bias = self._normed(parts, stream[None])
        return self._float(normed * self._scale), self._float(bias * self._scale)

    def scores(self, rows: Numbers, cancel: CancelToken) -> Numbers:
        """Return the head's products with what ``entering`` gave, (N, V)."""
        rows = self._float(rows)
        logits = np.empty((len(rows), self._count), np.float32)  # (N, V)
        done = 0
        for part in table_rows(self._file, self._name, self._n_vocab):  # (n, C)
            if cancel.cancelled:
                raise StoppedLookError
            logits[:, done : done + len(part)] = rows @ part.T
            done += len(part)
        return logits

    def rows(self, tokens: Sequence[int]) -> Numbers:
        """Return what the products of some tokens are made with, (n, C)."""
        return np.concatenate([self._file.rows(self._name, one, one + 1) for one in tokens])

    def mean(self) -> Numbers:
        """Return the mean of the rows of all tokens, (C,)."""
        if self._mean is None:
            parts = table_rows(self._file, self._name, self._n_vocab)
            total = sum(part.sum(axis=0, dtype=np.float64) for part in parts)
            self._mean = np.asarray(total / self._count, np.float32)
        return self._mean

    def bias(self) -> Numbers | None:
        """Return what is added to every logit, (V,), if anything."""
        if _BIAS not in self._file:
            return None
        return self._float(self._file.vector(_BIAS)[: self._count] * self._scale)

    @property
    def _count(self) -> int:
        return min(self._file.row_count(self._name), self._n_vocab)

    def _normed(self, parts: Numbers, stream: Numbers) -> tuple[Numbers, Numbers]:
        """Norm parts, (N, C), by the scale of a stream, (1 or N, C), RMS or layer norm.

        The mean is taken from each part; the norm's bias comes beside it, (C,).
        """
        bias: Numbers = np.zeros(parts.shape[-1], np.float32)
        if "output_norm.weight" not in self._file:
            return parts, bias
        eps = self._own("attention.layer_norm_rms_epsilon")
        if not eps:
            eps = self._own("attention.layer_norm_epsilon")
            parts = parts - parts.mean(axis=-1, keepdims=True)
            stream = stream - stream.mean(axis=-1, keepdims=True)
        scale = np.sqrt(np.square(stream).mean(axis=-1, keepdims=True) + eps)
        if "output_norm.bias" in self._file:
            bias = self._file.vector("output_norm.bias")
        return parts / scale * self._file.vector("output_norm.weight"), bias

    @staticmethod
    def _float(numbers: Numbers) -> Numbers:
        return numbers.astype(np.float32, copy=False)


def table_rows(file: TensorFile, name: str, n_vocab: int) -> Iterator[Numbers]:
    """Yield the rows of a table that count, some at a time, (n, C)."""
    count = min(file.row_count(name), n_vocab)
    for start in range(0, count, _ROWS_AT_ONCE):
        yield file.rows(name, start, min(start + _ROWS_AT_ONCE, count))
