"""Several samples through llama.cpp: sequences that share the prompt's cells, one batch a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.gguf.branches import Branches
from inference.gguf.probabilities import check_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inference.cancel import CancelToken
    from inference.gguf.probabilities import Logits
    from inference.gguf.sampler import Sampler
    from inference.gguf.session import Session
    from inference.samples import Drawn


class SequenceRows:
    """Fulfils ``inference.samples.SampleRows``; to be closed.

    Args:
        session: It has read the prompt; it stays as it is.
        samplers: One for each sample; closed with this.
        limit: Longest sample in tokens.
        tell: Makes a token, drawn by logits (V,), what is told of it.
        cancel: Ends a computation in its middle.

    Raises:
        InferenceError: One of its children: there is no memory for so many.
    """

    def __init__(
        self,
        session: Session,
        samplers: Sequence[Sampler],
        limit: int,
        tell: Callable[[int, Logits], Drawn],
        cancel: CancelToken,
    ) -> None:
        self._samplers = samplers
        self._tell = tell
        self._logits: Sequence[Logits] | Logits = [session.logits().copy()] * len(samplers)
        self._branches = Branches(session, len(samplers), limit, cancel, "samples")
        self._branches.keep([0] * len(samplers))

    def draw(self, place: int, sample: int) -> Drawn:
        """Draw a sample's next token; see ``SampleRows``.

        Raises:
            CorruptCheckpointError: The scores are not numbers.
        """
        logits = self._logits[place]  # (V,)
        check_finite(logits)
        return self._tell(self._samplers[sample].pick(logits), logits)

    def advance(self, places: Sequence[int], tokens: Sequence[int]) -> bool:
        """Compute one more token in each of these rows; see ``SampleRows``."""
        if len(places) < len(self._logits):
            self._branches.keep(places)
        logits = self._branches.read(tokens)  # (R', V)
        if logits is None:
            return False
        self._logits = logits
        return True

    def close(self) -> None:
        """Free the context."""
        self._branches.close()
