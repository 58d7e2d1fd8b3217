"""Several samples through a network: one row of a batch for each, over a prompt read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.native.session import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.native.sampling import Sampler
    from inference.native.session import Session
    from inference.samples import Drawn


class NetworkRows:
    """Fulfils ``inference.samples.SampleRows``.

    Args:
        session: It has read the prompt; it stays as it is.
        samplers: One for each sample.
        limit: Longest sample in tokens.
        tell: Makes a token, drawn by logits (V,), what is told of it.
        cancel: Ends a pass in its middle.
    """

    def __init__(
        self,
        session: Session,
        samplers: Sequence[Sampler],
        limit: int,
        tell: Callable[[int, Tensor], Drawn],
        cancel: CancelToken,
    ) -> None:
        self._samplers = samplers
        self._branches = session.branch(len(samplers), limit)
        self._logits = session.next_logits()[None].expand(len(samplers), -1)  # (R, V)
        self._tell = tell
        self._cancel = cancel
        self._length = 0

    def draw(self, place: int, sample: int) -> Drawn:
        """Draw a sample's next token; see ``SampleRows``.

        Raises:
            CorruptCheckpointError: The scores are not numbers.
        """
        logits = self._logits[place]  # (V,)
        return self._tell(self._samplers[sample].pick(logits), logits)

    def advance(self, places: Sequence[int], tokens: Sequence[int]) -> bool:
        """Read one more token in each of these rows; see ``SampleRows``."""
        branches = self._branches
        branches.keep(places, self._length)
        try:
            stream = branches.read(tokens, self._cancel)  # (R', 1, C)
        except StoppedError:
            return False
        self._length += 1
        self._logits = branches.score(stream)  # (R', V)
        return True
