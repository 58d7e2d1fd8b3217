"""How expected each token of a text was; what is interrupted goes on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.inside.questions import AskSurprise, Surprise
from inference.inside.reading import StoppedLookError, entropy_bits, log_softmax

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.inside.source import Source


class LastSurprise:
    """The latest text, as far as it is scored."""

    def __init__(self) -> None:
        self._begin(AskSurprise(()))

    def of(self, question: AskSurprise, source: Source, cancel: CancelToken) -> Surprise:
        """Score a text, or what is left of it.

        Raises:
            StoppedLookError: ``cancel`` was set; what is scored is kept.
            InferenceError: The engine could not read it.
        """
        if cancel.cancelled:
            raise StoppedLookError
        if (question.token_ids, question.first) != (self._question.token_ids, self._question.first):
            self._begin(question)
        ids = question.token_ids
        is_part = question.until and source.goes_on
        enough = min(question.until - 1, len(ids)) if is_part else len(ids)
        if self._done < enough:
            for logits in source.logits_after_each(ids, cancel, self._done):  # (T', V)
                self._take(logits)
                if is_part and self._done >= enough and self._done < len(ids):
                    break
        return Surprise(tuple(self._logprobs), tuple(self._entropies))

    def _begin(self, question: AskSurprise) -> None:
        self._question = question
        self._done = max(0, question.first - 1)  # the scores after it are those of the first token
        self._logprobs: list[float | None] = [None] * (self._done + 1)
        self._entropies: list[float | None] = [None] * (self._done + 1)

    def _take(self, logits: np.typing.NDArray[np.float32]) -> None:
        """Score the tokens that follow these positions, (T', V)."""
        ids = self._question.token_ids
        following = ids[self._done + 1 : self._done + 1 + len(logits)]
        chances = log_softmax(logits[: len(following)])  # (T', V)
        self._logprobs += chances[np.arange(len(following)), list(following)].tolist()
        self._entropies += entropy_bits(chances).tolist()
        self._done += len(logits)
