"""A model's chat template: from a conversation to the text the model reads.

Does not tokenize and does not know which strings are special tokens; see ``segments``.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateError, TemplateSyntaxError

from inference.errors import BadChatTemplateError
from inference.prompt.sandbox import LimitError, RefusedError, TemplateEnvironment
from inference.types import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jinja2 import Template

_PROBE = "glasshouse-system-probe"
_HINT_BROKEN = (
    "Use this model as a completion without a template, or get a newer version of its files."
)


class ChatTemplate:
    """One chat template, compiled at the first rendering.

    Templates see what transformers gives them: ``messages``, ``add_generation_prompt``,
    ``bos_token``, ``eos_token``, ``tools`` and ``documents`` (none), ``raise_exception``,
    ``strftime_now``, ``tojson``, loop controls and ``{% generation %}``.

    Some models know no system role: their template refuses it (Gemma 2) or drops it silently
    (Phi-3). For those the system text becomes the beginning of the first user message, separated by
    a line break, as llama.cpp does it.

    Args:
        source: The template as the model's files bring it.
        bos_token: Text of the beginning-of-sequence token; empty when there is none.
        eos_token: Text of the end-of-sequence token; empty when there is none.
        now: Where a template's date comes from.
    """

    def __init__(
        self,
        source: str,
        bos_token: str,
        eos_token: str,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.source = source
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._environment = TemplateEnvironment(now)
        self._lock = threading.Lock()  # the environment counts the steps of one rendering
        self._compiled: Template | None = None
        self._takes_system: bool | None = None

    @property
    def takes_system(self) -> bool:
        """Whether the template itself shows a system message; found out by trying."""
        if self._takes_system is None:
            self._takes_system = self._probe()
        return self._takes_system

    def render(
        self,
        messages: Sequence[Message],
        variables: Mapping[str, bool | int | str] | None = None,
        *,
        add_generation_prompt: bool = True,
    ) -> str:
        """Return the prompt for a conversation.

        Args:
            messages: The turns, oldest first.
            variables: Extra variables, e.g. ``enable_thinking``; they cannot replace the messages.
            add_generation_prompt: Whether the prompt ends where the assistant begins to write.

        Raises:
            BadChatTemplateError: The template is broken, takes too long, or refuses these turns.
        """
        if any(message.role == "system" for message in messages) and not self.takes_system:
            messages = fold_system(messages)
        return self._render_messages(messages, variables or {}, add_generation_prompt)

    def render_values(self, values: Mapping[str, object]) -> str:
        """Render with exactly these variables; raises like ``render``."""
        with self._lock:
            try:
                if self._compiled is None:
                    self._compiled = self._environment.compile_checked(self.source)
                return self._environment.render_checked(self._compiled, values)
            except TemplateError as exc:
                raise _translate(exc) from exc
            except Exception as exc:  # a foreign program: whatever it raises is its own fault
                raise _broken(f"{type(exc).__name__}: {exc}") from exc

    def _render_messages(
        self,
        messages: Sequence[Message],
        variables: Mapping[str, bool | int | str],
        add_generation_prompt: bool,
    ) -> str:
        return self.render_values(
            {
                "tools": None,
                "documents": None,
                **self._tokens,
                **variables,
                "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
                "add_generation_prompt": add_generation_prompt,
            }
        )

    def _probe(self) -> bool:
        user = Message("user", "Hi")
        try:
            return _PROBE in self._render_messages([Message("system", _PROBE), user], {}, True)
        except BadChatTemplateError:
            pass
        try:
            self._render_messages([user], {}, True)
        except BadChatTemplateError:
            return True  # the system message is not what it stumbles over
        return False


def fold_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Put each system text at the beginning of the next user message.

    A system text that no user message follows becomes a user message itself.
    """
    folded: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            folded.append(Message("user", "\n".join([*waiting, message.content])))
            waiting.clear()
        else:
            folded.append(message)
    if waiting:
        folded.append(Message("user", "\n".join(waiting)))
    return tuple(folded)


def _translate(error: TemplateError) -> BadChatTemplateError:
    text = error.message or type(error).__name__
    if isinstance(error, RefusedError):
        return BadChatTemplateError(
            f"The model's chat template does not take this conversation: {text}",
            "Most templates want user and assistant to take turns. Edit the messages, or start a "
            "new chat.",
            text,
        )
    if isinstance(error, LimitError):
        return BadChatTemplateError(
            "The model's chat template was stopped, because it asks for too much time or memory.",
            _HINT_BROKEN,
            text,
        )
    line = f"line {error.lineno}: " if isinstance(error, TemplateSyntaxError) else ""
    return _broken(f"{type(error).__name__}: {line}{text}")


def _broken(detail: str) -> BadChatTemplateError:
    return BadChatTemplateError(
        "The model's chat template has an error in it, so no prompt can be made from this chat.",
        _HINT_BROKEN,
        detail,
    )
