"""The ways of decoding, each continuing the same tokens with the same seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import msgspec

from inference.errors import InferenceError, from_wire
from inference.events import Failed, Finished, TokenEvent
from inference.inside.questions import AskPieces, Pieces
from inference.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.engine import Engine
    from inference.types import BeamTree, FinishReason, TokenPiece

_PLAIN: Final = SamplingParams(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
WAYS: Final[tuple[tuple[str, SamplingParams], ...]] = (
    ("greedy", msgspec.structs.replace(_PLAIN, temperature=0.0)),
    ("beam", msgspec.structs.replace(_PLAIN, strategy="beam", beams=4)),
    ("contrastive", msgspec.structs.replace(_PLAIN, strategy="contrastive", top_k=4)),
    ("temperature", _PLAIN),
    ("cool", msgspec.structs.replace(_PLAIN, temperature=0.5)),
    ("top_k", msgspec.structs.replace(_PLAIN, top_k=20)),
    ("top_p", msgspec.structs.replace(_PLAIN, top_p=0.9)),
    ("min_p", msgspec.structs.replace(_PLAIN, min_p=0.1)),
)
"""Names and settings; all but the first three draw, with the same seed."""


@dataclass(frozen=True, slots=True)
class RunDecodings:
    """Continue ``ids`` in one way of decoding; answered by a ``Decoded``.

    ``way``: Its name, as in ``WAYS``.
    """

    ids: tuple[int, ...]
    way: str
    seed: int
    length: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """One way of decoding and what it wrote.

    Attributes:
        name: Of the way, as in ``WAYS``.
        sampling: Its settings.
        tokens: What was written.
        logprobs: Natural logs of the model's own chances of it.
        reason: Why it ended; ``None`` where the engine refused.
        tree: All that beam search looked at.
        failure: How the engine refused; ``None`` where it did not.
    """

    name: str
    sampling: SamplingParams
    tokens: tuple[TokenPiece, ...]
    logprobs: tuple[float, ...]
    reason: FinishReason | None = None
    tree: BeamTree | None = None
    failure: Failed | None = None

    @property
    def problem(self) -> str:
        """Why the engine refused; empty where it did not."""
        failure = self.failure
        return "" if failure is None else f"{failure.message} {failure.hint}".strip()

    @property
    def text(self) -> str:
        """The text as written."""
        said = b"".join(piece.data for piece in self.tokens if not piece.special)
        return said.decode("utf-8", "replace")

    @property
    def mean_bits(self) -> float:
        """Surprise of the model at its own text, in bits a token."""
        return -sum(self.logprobs) / max(1, len(self.logprobs)) / math.log(2)

    def distinct(self, n: int) -> float:
        """Share of runs of ``n`` tokens that occur for the first time (Li et al. 2016)."""
        runs = self._runs(n)
        return len(set(runs)) / len(runs) if runs else 1.0

    def repeated(self, n: int) -> int:
        """Runs of ``n`` tokens that have stood before in the same text."""
        runs = self._runs(n)
        return len(runs) - len(set(runs))

    def _runs(self, n: int) -> list[tuple[int, ...]]:
        ids = [piece.id for piece in self.tokens]
        return [tuple(ids[at : at + n]) for at in range(len(ids) - n + 1)]


def run_decoding(engine: Engine, asked: RunDecodings, cancel: CancelToken) -> Decoded:
    """Continue the tokens in one way; where the engine refuses it, ``problem`` says why.

    Raises:
        InferenceError: It was given up, or the engine is gone with what it wrote.
    """
    name, settings = asked.way, dict(WAYS)[asked.way]
    sampling = msgspec.structs.replace(settings, seed=asked.seed, max_tokens=asked.length)
    request = GenerationRequest(f"lab-{name}", token_ids=asked.ids, sampling=sampling, top_n=1)
    ids: list[int] = []
    logprobs: list[float] = []
    reason: FinishReason | None = None
    failure: Failed | None = None
    for event in engine.generate(request, cancel):
        if isinstance(event, TokenEvent):
            ids.append(event.token_id)
            logprobs.append(event.logprob or 0.0)
        elif isinstance(event, Finished):
            reason = event.reason
        elif isinstance(event, Failed):
            if event.error == "EngineCrashed":
                raise from_wire(event.error, event.message, event.hint, event.detail)
            failure = event
    if cancel.cancelled:
        raise InferenceError("This was given up.")
    is_searched = sampling.strategy == "beam" and failure is None
    tree = engine.beam_tree(request.request_id) if is_searched else None
    # The text of an event is what is complete by then: nothing, of a token that is half a letter.
    found = cast("Pieces", engine.inspect(AskPieces(tuple(ids)), cancel)) if ids else Pieces(())
    return Decoded(name, sampling, found.tokens, tuple(logprobs), reason, tree, failure)
