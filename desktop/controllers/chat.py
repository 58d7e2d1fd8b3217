"""``ChatController``: the open chat, its branch of messages, and the commands on both.

It decides what a command means for the tree of messages; ``answering`` runs the answer.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.bridge.task_runner import Task
from desktop.controllers.answering import Answering
from desktop.controllers.chat_list import ChatFinder, DeletedChats
from desktop.controllers.choosing import starting_with
from desktop.controllers.message_views import message_view
from desktop.controllers.open_chat import OpenChat
from desktop.controllers.problems import INTERRUPTED, refused, store_problem
from desktop.controllers.requests import text_source
from desktop.store.chats import Chats
from desktop.values import ChatDetail, ChatSummary, MessageView, Problem
from inference.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.engine import EngineController
    from desktop.inside import TextSource
    from desktop.store.database import Database
    from desktop.store.records import MessageRecord
    from desktop.store.settings import Settings
    from inference.types import SamplingParams

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _told(
    method: Callable[Concatenate[ChatController, _P], _T],
) -> Callable[Concatenate[ChatController, _P], _T | None]:
    """Turn a ``StoreError`` of a command into ``problem_raised``; the command returns ``None``."""

    @functools.wraps(method)
    def command(self: ChatController, /, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return method(self, *args, **kwargs)
        except StoreError as error:
            self.problem_raised.emit(store_problem(error))
            return None

    return command


class ChatController(QObject):
    """One chat is open at a time; one answer is under way at most, maybe in another chat.

    Args:
        database: Where chats are kept.
        engine: Loads models and generates.
        bridge: Events from threads.
        tasks: For searching, and for removing what was deleted in the last run.
        settings: The settings as they are now.
        parent: Qt parent.
    """

    chats_changed = Signal()
    chat_opened = Signal(object)
    message_added = Signal(object)
    message_changed = Signal(object)
    text_received = Signal(str, str)
    branch_changed = Signal(object)
    answering_changed = Signal(bool)
    stats_changed = Signal(object)
    settings_changed = Signal(object)
    chat_deleted = Signal(str, str)
    chats_purged = Signal(object)
    """Ids of chats that are gone for good."""
    problem_raised = Signal(object)
    find_results_changed = Signal(object)

    def __init__(
        self,
        database: Database,
        engine: EngineController,
        bridge: EventBridge,
        tasks: TaskRunner,
        settings: Callable[[], Settings],
        *,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._chats = Chats(database)
        self._engine = engine
        self._bridge = bridge
        self._tasks = tasks
        self._settings = settings
        self._closed = False
        self._deleted = DeletedChats(self._chats)
        self._finder = ChatFinder(database, tasks, self)
        self._finder.found.connect(self.find_results_changed)
        self._finder.problem_raised.connect(self.problem_raised)
        self._answering = Answering(engine, self._chats, bridge, self)
        self._answering.changed.connect(self._on_answer_changed)
        self._answering.text_received.connect(self.text_received)
        self._answering.stats_changed.connect(self.stats_changed)
        self._answering.started.connect(self._on_answer_started)
        self._answering.ended.connect(self._on_answer_ended)
        self._answering.problem_raised.connect(self.problem_raised)
        self._open = OpenChat(self._chats, settings())
        engine.state_changed.connect(self._on_model_maybe_changed)
        engine.models_changed.connect(self._on_model_maybe_changed)
        self._tidy()

    # --- what views ask --------------------------------------------------------------------

    def chats(self) -> tuple[ChatSummary, ...]:
        """Every chat: pinned first, then the latest."""
        answered = self._answered_chat()
        rows = self._listed() or ()
        return tuple(replace(row, answering=row.id == answered) for row in rows)

    def current(self) -> ChatDetail:
        """The open chat."""
        chat = self._open.record
        return ChatDetail(
            chat.id,
            chat.title,
            tuple(self._view(record) for record in self._branch() or ()),
            chat.model_id,
            chat.system_prompt,
            chat.sampling,
        )

    @property
    def answering(self) -> bool:
        """Whether an answer is under way, in whichever chat."""
        return self._answering.live is not None

    # --- opening ---------------------------------------------------------------------------

    def new_chat(self) -> None:
        """Open an empty chat; it enters the list with its first message."""
        self._open.draft(self._starting())
        self.chat_opened.emit(self.current())

    @_told
    def open_chat(self, chat_id: str) -> None:
        """Open a chat of the list."""
        chat = self._chats.get(chat_id)
        if chat is None:
            self._refuse("This chat is no longer there.", "It has been deleted.")
            self.chats_changed.emit()
            return
        self._open.open(chat)
        self.chat_opened.emit(self.current())

    # --- writing ---------------------------------------------------------------------------

    def send(self, text: str) -> bool:
        """Say something and have it answered.

        Returns:
            Whether it was taken; if not, the text should stay where it was typed.
        """
        return bool(text.strip()) and self._free() and self._send(text) is True

    @_told
    def _send(self, text: str) -> bool:
        was_kept = self._open.kept
        question, answer = self._open.ask(text, self._engine.state().model)
        if not was_kept:
            self.settings_changed.emit(self.current())
        self.message_added.emit(message_view(question))
        self.message_added.emit(message_view(answer))
        self._start(answer)
        return True

    def stop(self) -> None:
        """End the answer under way; what is written is kept."""
        self._answering.stop()

    @_told
    def retry(self, message_id: str) -> None:
        """Answer again after a failure; text that was already written stays as a version."""
        record = self._chats.message(message_id)
        if record.role != "assistant" or not self._free():
            return
        if record.text:
            self._answer_below(record.parent_id)
            return
        self._ask_again(record)

    @_told
    def regenerate(self, message_id: str) -> None:
        """Have the same question answered once more, as another version."""
        record = self._chats.message(message_id)
        if self._free():
            self._answer_below(record.parent_id if record.role == "assistant" else record.id)

    @_told
    def edit(self, message_id: str, text: str) -> None:
        """Write another version of a message; one's own is answered anew."""
        if not text.strip() or not self._free():
            return
        old = self._chats.message(message_id)
        edited = self._open.rewrite(old, text)
        if old.role == "user":
            self._answer_below(edited.id)
        else:
            self.branch_changed.emit(self.current())

    @_told
    def continue_answer(self, message_id: str) -> None:
        """Go on writing where an answer stopped."""
        record = self._chats.message(message_id)
        if record.role == "assistant" and self._free():
            self._ask_again(record)

    @_told
    def continue_as(self, message_id: str, text: str) -> None:
        """Write another version of an answer: it begins with ``text``, and the model goes on."""
        old = self._chats.message(message_id)
        if old.role != "assistant" or not self._free():
            return
        if old.chat_id != self._open.record.id:
            self.open_chat(old.chat_id)
        if old.chat_id == self._open.record.id:
            begun = replace(self._open.rewrite(old, text), is_completion=old.is_completion)
            self.branch_changed.emit(self.current())
            self._ask_again(begun)

    def text_source(self, message_id: str, word: str, occurrence: int) -> TextSource | None:
        """Return a message as a text to look at; see ``requests.text_source``."""
        return text_source(self._branch() or (), message_id, self._open.record, word, occurrence)

    @_told
    def show_version(self, message_id: str, offset: int) -> None:
        """Show the version ``offset`` places before or after, and what follows it."""
        leaf = self._chats.show_version(message_id, offset)
        if leaf is not None:
            self._open.show(leaf)
            self.branch_changed.emit(self.current())

    # --- the chat itself -------------------------------------------------------------------

    @_told
    def rename_chat(self, chat_id: str, title: str) -> None:
        """Give a chat another title; an empty one changes nothing."""
        title = " ".join(title.split())
        if not title:
            return
        self._chats.rename(chat_id, title)
        if chat_id == self._open.record.id:
            self._open.set_title(title)
            self.settings_changed.emit(self.current())
        self.chats_changed.emit()

    @_told
    def pin_chat(self, chat_id: str, pinned: bool) -> None:
        """Keep a chat at the top of the list, or no longer."""
        self._chats.pin(chat_id, pinned=pinned)
        self.chats_changed.emit()

    @_told
    def delete_chat(self, chat_id: str) -> None:
        """Take a chat off the list; ``undo_delete`` brings it back."""
        chat = self._chats.get(chat_id)
        if chat is None:
            return
        if chat_id == self._answered_chat():
            self._answering.stop()
        self._deleted.delete(chat_id)
        if chat_id == self._open.record.id:
            self.new_chat()
        self.chats_changed.emit()
        self.chat_deleted.emit(chat_id, chat.title)

    @_told
    def undo_delete(self) -> None:
        """Bring back the chat that was deleted last, and open it."""
        chat_id = self._deleted.undo()
        if chat_id is not None:
            self.chats_changed.emit()
            self.open_chat(chat_id)

    def find(self, text: str) -> None:
        """Look for chats by title and text; the answer is ``find_results_changed``."""
        self._finder.find(text)

    @_told
    def set_system_prompt(self, text: str) -> None:
        """Change what this chat's next answers are told first."""
        if text != self._open.record.system_prompt:
            self._open.set_system_prompt(text)
            self.settings_changed.emit(self.current())

    @_told
    def set_sampling(self, sampling: SamplingParams) -> None:
        """Change how this chat's next answers are drawn."""
        if sampling != self._open.record.sampling:
            self._open.set_sampling(sampling)
            self.settings_changed.emit(self.current())

    def shutdown(self) -> None:
        """Refuse commands and keep the answer under way; call before the engine's shutdown."""
        if not self._closed:
            self._closed = True
            self._bridge.flush()
            self._answering.shutdown()

    def _starting(self) -> Settings:
        """What a new chat begins with, as was set for the model in use."""
        model = self._engine.state().model
        note = None if model is None else self._engine.shelf.note(model)
        return starting_with(self._settings(), note)

    def _on_model_maybe_changed(self, _change: object) -> None:
        if self._open.follow(self._starting()):
            self.settings_changed.emit(self.current())

    # --- inside ----------------------------------------------------------------------------

    def _tidy(self) -> None:
        """At the start: answers cut off by a crash, chats deleted in the last run."""
        try:
            self._chats.recover_interrupted(INTERRUPTED)
        except StoreError as error:
            problem = store_problem(error)
            # Nobody listens yet.
            QTimer.singleShot(0, self, lambda: self.problem_raised.emit(problem))
        until = time.time()  # what is deleted from now on can be brought back
        purge = Task(lambda _cancel, _progress: self._chats.purge_deleted(until))
        purge.on_success(self._tell_purged).on_failure(self._explain)
        QTimer.singleShot(0, self, lambda: self._tasks.run(purge))

    def _tell_purged(self, chat_ids: tuple[str, ...]) -> None:
        if chat_ids:
            self.chats_purged.emit(chat_ids)

    def _explain(self, error: Exception) -> None:
        if not isinstance(error, StoreError):
            raise error
        self.problem_raised.emit(store_problem(error))

    @_told
    def _listed(self) -> tuple[ChatSummary, ...]:
        return self._chats.list()

    @_told
    def _branch(self) -> tuple[MessageRecord, ...]:
        return self._open.branch()

    def _answer_below(self, parent_id: str | None) -> None:
        answer = self._open.add_answer(parent_id, self._engine.state().model)
        self.branch_changed.emit(self.current())
        self._start(answer)

    def _start(self, answer: MessageRecord) -> None:
        before = tuple(record for record in self._chats.branch(answer.id) if record.id != answer.id)
        self._answering.start(answer, before, self._open.record.model_id)

    def _ask_again(self, record: MessageRecord) -> None:
        again = self._open.ask_again(record)
        self.message_changed.emit(message_view(again))
        self._start(again)

    def _on_answer_started(self) -> None:
        self.answering_changed.emit(True)
        self.chats_changed.emit()

    def _on_answer_changed(self, record: MessageRecord) -> None:
        self.message_changed.emit(self._view(record))

    def _on_answer_ended(self, record: MessageRecord) -> None:
        self.answering_changed.emit(False)
        self._remember_model(record)
        self.chats_changed.emit()

    @_told
    def _remember_model(self, record: MessageRecord) -> None:
        if record.model_id:
            self._chats.set_model(record.chat_id, record.model_id)
            if record.chat_id == self._open.record.id:
                self._open.set_model(record.model_id)

    def _view(self, record: MessageRecord) -> MessageView:
        live = self._answering.live
        if live is not None and live.record.id == record.id:
            now = live.as_record()
            kept = replace(now, version=record.version, versions=record.versions)
            return message_view(kept, live.reading)
        return message_view(self._answering.unsaved(record.id) or record)

    def _answered_chat(self) -> str:
        live = self._answering.live
        return "" if live is None else live.record.chat_id

    def _free(self) -> bool:
        if self._closed:
            return False
        if self.answering:
            self._refuse(
                "An answer is still being written.",
                "Only one answer is written at a time.",
                "Wait for its end, or stop it.",
            )
            return False
        return True

    def _refuse(self, title: str, message: str, hint: str = "") -> None:
        problem: Problem = replace(refused(title, message, hint), is_passing=True)
        self.problem_raised.emit(problem)
