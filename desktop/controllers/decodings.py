"""The ways of decoding from one place, each run in the worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from desktop.inside import Decoded
from inference.errors import InferenceError, from_wire
from inference.events import Failed, TokenEvent
from inference.inside.questions import AskPieces, Pieces
from inference.types import GenerationRequest, SamplingParams

if TYPE_CHECKING:
    from desktop.controllers.engine_worker import EngineClientLike
    from desktop.inside import RunDecodings
    from inference.cancel import CancelToken
    from inference.types import BeamTree

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


def run_decoding(client: EngineClientLike, asked: RunDecodings, cancel: CancelToken) -> Decoded:
    """Continue the tokens in one way; where the engine refuses it, ``problem`` says why.

    Raises:
        InferenceError: It was given up, or the engine is gone with what it wrote.
    """
    name, settings = asked.way, dict(WAYS)[asked.way]
    sampling = msgspec.structs.replace(settings, seed=asked.seed, max_tokens=asked.length)
    request = GenerationRequest(f"lab-{name}", token_ids=asked.ids, sampling=sampling, top_n=1)
    ids: list[int] = []
    logprobs: list[float] = []
    problem = ""
    for event in client.generate(request, cancel):
        if isinstance(event, TokenEvent):
            ids.append(event.token_id)
            logprobs.append(event.logprob or 0.0)
        elif isinstance(event, Failed):
            if event.error == "EngineCrashed":
                raise from_wire(event.error, event.message, event.hint, event.detail)
            problem = f"{event.message} {event.hint}".strip()
    if cancel.cancelled:
        raise InferenceError("This was given up.")
    tree = _tree(client, request, problem)
    # The text of an event is what is complete by then: nothing, of a token that is half a letter.
    found = cast("Pieces", client.inspect(AskPieces(tuple(ids)), cancel)) if ids else Pieces(())
    return Decoded(name, sampling, found.tokens, tuple(logprobs), tree, problem)


def _tree(client: EngineClientLike, request: GenerationRequest, problem: str) -> BeamTree | None:
    if request.sampling.strategy != "beam" or problem:
        return None
    return client.beam_tree(request.request_id)
