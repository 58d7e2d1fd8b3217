"""The same question answered at once and after thinking, where a model's template has a switch."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from desktop.inside import ChatRun, RunChat
from inference.errors import InferenceError
from inference.events import Failed, Finished, TokenEvent
from inference.types import GenerationRequest, Message, SamplingParams

if TYPE_CHECKING:
    from desktop.controllers.engine_worker import EngineClientLike
    from desktop.inside import FindSwitch
    from inference.cancel import CancelToken

SWITCH: Final = "enable_thinking"
"""The variable that Qwen3, SmolLM3, Granite, GLM and others ask for in their templates."""
_START: Final = "<think>"
_END: Final = "</think>"


def has_switch(client: EngineClientLike, asked: FindSwitch) -> bool:
    """Say whether the prompt is another one with thinking on: the template itself tells."""
    if not client.loaded.has_chat_template:
        return False
    messages = (Message("user", asked.text),)
    on, off = (client.render(messages, {SWITCH: value}).tokens for value in (True, False))
    return on != off


def run_chat(client: EngineClientLike, asked: RunChat, cancel: CancelToken) -> ChatRun:
    """Answer a question, always with the likeliest token; what it thinks stands apart.

    Raises:
        InferenceError: It was given up.
    """
    request = GenerationRequest(
        f"walk-{asked.thinking}",
        messages=(Message("user", asked.text),),
        sampling=SamplingParams(temperature=0.0, max_tokens=asked.length),
        template_variables={SWITCH: asked.thinking},
    )
    pieces: list[str] = []
    started, problem, is_cut = perf_counter(), "", False
    for event in client.generate(request, cancel):
        if isinstance(event, TokenEvent):
            pieces.append(event.text)
        elif isinstance(event, Failed):
            problem = f"{event.message} {event.hint}".strip()
        elif isinstance(event, Finished):
            is_cut = event.reason == "length"  # of its own length, or of the context
    if cancel.cancelled:
        raise InferenceError("This was given up.")
    begun = _thinks_at_once(client, request)
    thought, answer = split_thought("".join(pieces), begun=begun)
    return ChatRun(
        thought,
        answer,
        len(pieces),
        perf_counter() - started,
        is_cut,
        problem,
    )


def split_thought(text: str, *, begun: bool) -> tuple[str, str]:
    """Return what stands within the marks of thinking, and what follows.

    Args:
        text: What was written.
        begun: Whether the prompt has opened the thought.
    """
    before, mark, after = text.partition(_END)
    if mark:
        return before.replace(_START, "").strip(), after.strip()
    if begun or text.lstrip().startswith(_START):
        return text.replace(_START, "").strip(), ""  # it was not done thinking
    return "", text.strip()


def _thinks_at_once(client: EngineClientLike, request: GenerationRequest) -> bool:
    prompt = client.render(request.messages or (), request.template_variables).text
    return prompt.rstrip().endswith(_START)
