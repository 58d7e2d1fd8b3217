"""What an engine says while it answers.

Grammar per request: ``Started PromptProgress* TokenEvent* (Finished | Failed)``: exactly one end,
nothing after it. A prompt that cannot be used may give ``Failed`` without ``Started``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inference.errors import wire_name
from inference.types import Candidate, FinishReason, SampleEnd, Timings, TokenKind, Usage

if TYPE_CHECKING:
    from inference.errors import InferenceError


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The prompt is known and reading begins; ``seed`` is the one really used.

    ``prompt_digest`` tells its token ids from others (``inference.prompt.digest``).
    """

    request_id: str
    context: int
    prompt_tokens: int
    reused_tokens: int
    seed: int
    prompt_digest: str = ""


class PromptProgress(msgspec.Struct, frozen=True, tag="prompt_progress"):
    """``done`` of ``total`` prompt tokens are read (reused ones count as read)."""

    request_id: str
    done: int
    total: int


class TokenEvent(msgspec.Struct, frozen=True, tag="token"):
    """One generated token.

    ``text`` may be empty while UTF-8 is incomplete; the texts of all events joined are the answer.
    ``logprob`` is the natural log of the unmodified distribution, ``top`` at most 20 alternatives,
    likeliest first, only when asked for. ``logprob`` is ``None`` when ``top_n`` is 0.
    The token that ends the answer (EOS) gives no event. Where several samples were asked for,
    their events come mixed: ``sample`` says whose a token is, ``index`` counts within it.
    """

    request_id: str
    index: int
    token_id: int
    text: str
    logprob: float | None = None
    top: tuple[Candidate, ...] = ()
    kind: TokenKind = "answer"
    sample: int = 0


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The answer is complete; a cancel is an end, not an error.

    Several samples have one end together: ``samples`` tells each one's own, and ``reason`` is
    ``cancelled`` or ``length`` where that of any of them is.
    """

    request_id: str
    reason: FinishReason
    usage: Usage
    timings: Timings
    samples: tuple[SampleEnd, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The answer cannot go on. ``error`` is the class name of an ``InferenceError``."""

    request_id: str
    error: str
    message: str
    hint: str = ""
    detail: str = ""


EngineEvent: TypeAlias = Started | PromptProgress | TokenEvent | Finished | Failed


def failed(request_id: str, error: InferenceError) -> Failed:
    """Tell an error as the end of an answer."""
    return Failed(request_id, wire_name(error), error.message, error.hint, error.detail)
