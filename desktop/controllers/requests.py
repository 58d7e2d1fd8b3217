"""From the shown branch of a chat to a generation request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.types import GenerationRequest, Message, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.store.records import MessageRecord


def chat_request(
    request_id: str,
    branch: Sequence[MessageRecord],
    system_prompt: str,
    sampling: SamplingParams,
    *,
    chat_id: str,
) -> GenerationRequest:
    """Ask for an answer to a conversation; answers without any text are left out.

    Args:
        request_id: Fresh for each try.
        branch: The messages up to the one to be answered.
        system_prompt: What the model is told first; may be empty.
        sampling: How tokens are drawn.
        chat_id: Whose work is kept, and gone on from.
    """
    messages = [Message(record.role, record.text) for record in branch if record.text]
    if system_prompt:
        messages.insert(0, Message("system", system_prompt))
    return GenerationRequest(
        request_id, messages=tuple(messages), sampling=sampling, cache_key=chat_id
    )


def completion_request(
    request_id: str,
    branch: Sequence[MessageRecord],
    text_so_far: str,
    sampling: SamplingParams,
    *,
    chat_id: str,
) -> GenerationRequest:
    """Ask a base model to continue everything that has been written on the branch.

    Args:
        request_id: Fresh for each try.
        branch: The messages before the one being written.
        text_so_far: What of that one is already written.
        sampling: How tokens are drawn.
        chat_id: Whose work is kept, and gone on from.
    """
    text = ""
    for record in branch:
        text = _joined(text, record.text) if record.role == "user" else text + record.text
    return GenerationRequest(
        request_id, text=text + text_so_far, sampling=sampling, cache_key=chat_id
    )


def _joined(before: str, after: str) -> str:
    """What a person adds behind the model's text starts a new line unless they spaced it."""
    apart = not before or before[-1].isspace() or after[:1].isspace()
    return before + after if apart else f"{before}\n{after}"
