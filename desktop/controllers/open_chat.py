"""``OpenChat``: the chat that is shown, as kept or as a draft that no message has made real yet."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.controllers.message_views import NEW_CHAT, title_from
from desktop.store.chats import Chats, new_id
from desktop.store.records import AnswerSettings, ChatRecord, MessageRecord
from inference.errors import StoreError

if TYPE_CHECKING:
    from desktop.store.settings import Settings
    from inference.types import ModelInfo, Role, SamplingParams


class OpenChat:
    """One chat and its place in the store; every method may raise ``StoreError``.

    Args:
        chats: Where it is kept.
        settings: What a new one starts with.

    Attributes:
        kept: Whether it is in the store; a new one is from its first message on.
    """

    def __init__(self, chats: Chats, settings: Settings) -> None:
        self._chats = chats
        self.draft(settings)

    def open(self, record: ChatRecord) -> None:
        """Show a kept chat."""
        self.record, self.kept = record, True

    def draft(self, settings: Settings) -> None:
        """Show an empty one."""
        self.record, self.kept = _draft(settings), False
        self._begun_with = (settings.sampling, settings.system_prompt)

    def follow(self, settings: Settings) -> bool:
        """Let a draft that nobody has changed begin with these settings; tell whether it differs.

        Another model was chosen, which brings its own.
        """
        now = (self.record.sampling, self.record.system_prompt)
        wanted = (settings.sampling, settings.system_prompt)
        if self.kept or now != self._begun_with or now == wanted:
            return False
        self._begun_with = wanted
        self.record = replace(self.record, sampling=wanted[0], system_prompt=wanted[1])
        return True

    def branch(self) -> tuple[MessageRecord, ...]:
        """The messages that are shown."""
        return self._chats.branch(self.record.active_leaf)

    def add(self, message: MessageRecord) -> None:
        """Hang a message under its parent and show it."""
        self._chats.add_message(message)
        self.record = replace(self.record, active_leaf=message.id)

    def ask(self, text: str, model: ModelInfo | None) -> tuple[MessageRecord, MessageRecord]:
        """Add a person's message and an answer that waits for its model: both or neither.

        The first one keeps the chat, under a title made from it.
        """
        before = self.record, self.kept
        try:
            with self._chats.transaction():
                self._keep(text)
                question = self._add_text("user", text, self.record.active_leaf)
                return question, self.add_answer(question.id, model)
        except StoreError:
            self.record, self.kept = before
            raise

    def rewrite(self, old: MessageRecord, text: str) -> MessageRecord:
        """Add another version of a message."""
        return self._add_text(old.role, text, old.parent_id, old.model_id, old.model_name)

    def add_answer(self, parent_id: str | None, model: ModelInfo | None) -> MessageRecord:
        """Add an empty answer that waits for its model."""
        answer = MessageRecord(
            new_id(),
            self.record.id,
            parent_id,
            "assistant",
            "",
            "waiting",
            time.time(),
            model_id="" if model is None else model.id,
            model_name="" if model is None else model.name,
            settings=self.asked(),
        )
        self.add(answer)
        return answer

    def ask_again(self, old: MessageRecord) -> MessageRecord:
        """Let an answer wait once more, with today's settings; its text stays."""
        again = replace(old, state="waiting", problem=None, settings=self.asked())
        self._chats.save_answer(again)
        return again

    def asked(self) -> AnswerSettings:
        """What the next answer is asked with."""
        return AnswerSettings(self.record.sampling, self.record.system_prompt)

    def show(self, leaf_id: str) -> None:
        """Show another branch, already chosen in the store."""
        self.record = replace(self.record, active_leaf=leaf_id)

    def set_title(self, title: str) -> None:
        """Take over a title that the store has already."""
        self.record = replace(self.record, title=title)

    def set_model(self, model_id: str) -> None:
        """Take over the model that answered last."""
        self.record = replace(self.record, model_id=model_id)

    def set_system_prompt(self, text: str) -> None:
        """Change what the next answers are told first."""
        if self.kept:
            self._chats.set_system_prompt(self.record.id, text)
        self.record = replace(self.record, system_prompt=text)

    def set_sampling(self, sampling: SamplingParams) -> None:
        """Change how the next answers are drawn."""
        if self.kept:
            self._chats.set_sampling(self.record.id, sampling)
        self.record = replace(self.record, sampling=sampling)

    def _keep(self, first_text: str) -> None:
        if self.kept:
            return
        now = time.time()
        chat = replace(self.record, title=title_from(first_text), created_at=now, updated_at=now)
        self._chats.add(chat)
        self.record, self.kept = chat, True

    def _add_text(
        self,
        role: Role,
        text: str,
        parent_id: str | None,
        model_id: str = "",
        model_name: str = "",
    ) -> MessageRecord:
        message = MessageRecord(
            new_id(),
            self.record.id,
            parent_id,
            role,
            text,
            created_at=time.time(),
            model_id=model_id,
            model_name=model_name,
        )
        self.add(message)
        return message


def _draft(settings: Settings) -> ChatRecord:
    now = time.time()
    return ChatRecord(
        new_id(),
        NEW_CHAT,
        now,
        now,
        model_id=settings.default_model,
        system_prompt=settings.system_prompt,
        sampling=settings.sampling,
    )
