"""From the shown branch of a chat to a generation request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.store.token_ids import unpack
from inference.types import GenerationRequest, Message, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.inside import TextSource
    from desktop.store.records import ChatRecord, MessageRecord


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


def text_source(
    branch: Sequence[MessageRecord], message_id: str, chat: ChatRecord, word: str, occurrence: int
) -> TextSource | None:
    """Return a message and what the model had read before it; ``None`` where it is not shown.

    Args:
        branch: The messages shown.
        message_id: An answer, or a question: then its prompt ends with it.
        chat: The chat they are in.
        word: The word to begin at; empty = the first of an answer, or what follows a question.
        occurrence: Which of equal words, from 0.
    """
    from desktop.inside import TextSource, Written  # noqa: PLC0415  the window starts without it

    at = next((n for n, record in enumerate(branch) if record.id == message_id), None)
    if at is None:
        return None
    record = branch[at]
    if record.role != "assistant":
        shown = branch[: at + 1]
        if _was_continued(branch, at):
            request = completion_request(message_id, shown, "", chat.sampling, chat_id=chat.id)
        else:
            request = chat_request(
                message_id, shown, chat.system_prompt, chat.sampling, chat_id=chat.id
            )
        return TextSource(chat.title, request, "", word, occurrence, question=record.text)
    asked = record.settings
    sampling = SamplingParams() if asked is None else asked.sampling
    question = ""
    if record.is_completion:
        request = completion_request(message_id, branch[:at], "", sampling, chat_id=chat.id)
        if word and at and branch[at - 1].role == "user":
            question = branch[at - 1].text  # shown as one text with what was written after it
    else:
        system = "" if asked is None else asked.system_prompt
        request = chat_request(message_id, branch[:at], system, sampling, chat_id=chat.id)
    if not word:
        words = record.text.split()
        word, occurrence = (words[0] if words else ""), 0
    start, ids = unpack(record.tokens)
    digest = "" if record.stats is None else record.stats.prompt_digest
    written = Written(record.model_id, record.model_name, ids, start, digest)
    return TextSource(
        chat.title, request, record.text, word, occurrence, message_id, written, question
    )


def _was_continued(branch: Sequence[MessageRecord], at: int) -> bool:
    """Whether a model continued a message as text: the next answer tells, else the last one."""
    answers = [record for record in (*branch[at + 1 :], *reversed(branch[:at])) if record.model_id]
    return bool(answers) and answers[0].is_completion


def _joined(before: str, after: str) -> str:
    """What a person adds behind the model's text starts a new line unless they spaced it."""
    apart = not before or before[-1].isspace() or after[:1].isspace()
    return before + after if apart else f"{before}\n{after}"
