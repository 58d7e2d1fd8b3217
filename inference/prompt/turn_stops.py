"""Stop texts that a chat template asks for; see ``inference.library.turn_ends``. No Jinja here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from inference.types import GenerationRequest


def with_turn_stops(request: GenerationRequest, texts: tuple[str, ...]) -> GenerationRequest:
    """Return the request with these stop texts, too, if it asks about a conversation."""
    sampling = request.sampling
    new = tuple(text for text in texts if text not in sampling.stop)
    if request.messages is None or not new:
        return request
    return replace(request, sampling=replace(sampling, stop=(*sampling.stop, *new)))
