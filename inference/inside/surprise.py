"""How expected each token of a text was; what is interrupted goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.inside.questions import Surprise
from inference.inside.reading import StoppedLookError, entropy_bits, log_softmax

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.inside.source import Source


class LastSurprise:
    """The latest text, as far as it is scored."""

    def __init__(self) -> None:
        self._begin(())

    def of(self, ids: tuple[int, ...], source: Source, cancel: CancelToken) -> Surprise:
        """Score a text, or what is left of it.

        Raises:
            StoppedLookError: ``cancel`` was set; what is scored is kept.
            InferenceError: The engine could not read it.
        """
        if cancel.cancelled:
            raise StoppedLookError
        if ids != self._ids:
            self._begin(ids)
        if self._done < len(ids):
            for logits in source.logits_after_each(ids, cancel, self._done):  # (T', V)
                self._take(logits)
        return Surprise(tuple(self._logprobs), tuple(self._entropies))

    def _begin(self, ids: tuple[int, ...]) -> None:
        self._ids = ids
        self._done = 0
        self._logprobs: list[float | None] = [None]
        self._entropies: list[float | None] = [None]

    def _take(self, logits: np.typing.NDArray[np.float32]) -> None:
        """Score the tokens that follow these positions, (T', V)."""
        following = self._ids[self._done + 1 : self._done + 1 + len(logits)]
        chances = log_softmax(logits[: len(following)])  # (T', V)
        self._logprobs += chances[np.arange(len(following)), list(following)].tolist()
        self._entropies += entropy_bits(chances).tolist()
        self._done += len(logits)
