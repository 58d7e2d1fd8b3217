"""What the store hands out and takes: chats and messages as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from inference.types import LoadOptions, SamplingParams

if TYPE_CHECKING:
    from desktop.values import AnswerStats, MessageState, Problem
    from inference.types import Role

UNFINISHED: tuple[MessageState, ...] = ("waiting", "reading", "streaming")


class AnswerSettings(msgspec.Struct, frozen=True):
    """Everything an answer was made with, so that it can be made again.

    Attributes:
        sampling: As asked for, with the seed that was really used.
        system_prompt: As sent.
        options: How the model was loaded; ``None`` when the answer never reached an engine.
        device: The engine's device, for people.
        n_ctx: Context of the engine in tokens.
    """

    sampling: SamplingParams
    system_prompt: str = ""
    options: LoadOptions | None = None
    device: str = ""
    n_ctx: int = 0


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """One chat without its messages; times in seconds since the epoch."""

    id: str
    title: str
    created_at: float
    updated_at: float
    pinned: bool = False
    model_id: str = ""
    system_prompt: str = ""
    sampling: SamplingParams = field(default_factory=SamplingParams)
    active_leaf: str | None = None


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message of the tree; ``version`` of ``versions`` siblings counts from 1.

    ``tokens`` are the ids that were written, as ``store.token_ids`` packs them; empty where they
    are not known.
    """

    id: str
    chat_id: str
    parent_id: str | None
    role: Role
    text: str
    state: MessageState = "complete"
    created_at: float = 0.0
    model_id: str = ""
    model_name: str = ""
    engine: str = ""
    is_completion: bool = False
    settings: AnswerSettings | None = None
    stats: AnswerStats | None = None
    problem: Problem | None = None
    tokens: bytes = b""
    version: int = 1
    versions: int = 1
