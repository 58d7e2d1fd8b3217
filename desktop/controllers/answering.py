"""``Answering``: the one answer under way, from waiting for the model to its last save.

States of the answer: waiting (for the model), reading, streaming, then complete, stopped or
failed. It knows one message and the engine, not which chat is shown.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.controllers.live_answer import LiveAnswer
from desktop.controllers.partial_saver import SAVE_EVERY_MS, PartialNotSaved, PartialSaver
from desktop.controllers.problems import answer_problem, store_problem
from desktop.controllers.requests import chat_request, completion_request
from inference.errors import StoreError
from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent

if TYPE_CHECKING:
    from desktop.bridge.event_bridge import EventBridge
    from desktop.controllers.engine import EngineController
    from desktop.store.chats import Chats
    from desktop.store.records import MessageRecord
    from desktop.values import EngineState, MessageState, Problem
    from inference.events import EngineEvent
    from inference.types import GenerationRequest

_STATS_EVERY_S = 0.25


class Answering(QObject):
    """Runs at most one answer at a time.

    Args:
        engine: Loads and generates.
        chats: Where the answer is kept.
        bridge: Also brings word of saves that did not work.
        parent: Qt parent.
    """

    changed = Signal(object)
    """The ``MessageRecord`` as it is now: state, figures, problem, whole text."""
    text_received = Signal(str, str)
    stats_changed = Signal(object)
    started = Signal()
    ended = Signal(object)
    """The ``MessageRecord`` at its end, after ``changed``."""
    problem_raised = Signal(object)

    def __init__(
        self,
        engine: EngineController,
        chats: Chats,
        bridge: EventBridge,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._chats = chats
        self._live: LiveAnswer | None = None
        self._branch: tuple[MessageRecord, ...] = ()
        self._kept_for_later: dict[str, MessageRecord] = {}
        self._told_of_store = False
        self._stats_at = 0.0
        self._saver = PartialSaver(chats, bridge.post)
        self._save_timer = QTimer(self)
        self._save_timer.setInterval(SAVE_EVERY_MS)
        self._save_timer.timeout.connect(self._on_save_due)
        engine.state_changed.connect(self._on_engine_state)
        engine.answer_event_received.connect(self._on_answer_event)
        bridge.batch_received.connect(self._on_batch)

    @property
    def live(self) -> LiveAnswer | None:
        """The answer under way."""
        return self._live

    def unsaved(self, message_id: str) -> MessageRecord | None:
        """An ended answer that the store could not take yet."""
        return self._kept_for_later.get(message_id)

    def start(
        self, record: MessageRecord, branch: tuple[MessageRecord, ...], *model_ids: str
    ) -> None:
        """Answer; text that ``record`` already has is continued.

        Args:
            record: The stored answer, state waiting, with the settings it is asked with.
            branch: The messages before it.
            model_ids: Loaded, the first that is installed, where no model is chosen.
        """
        self._live = LiveAnswer(record)
        self._branch = branch
        self._told_of_store = False
        self.started.emit()
        if self._engine.state().status == "ready":
            self._begin()
        else:
            self._engine.ensure(*model_ids)

    def stop(self) -> None:
        """End the answer; what is written is kept."""
        live = self._live
        if live is None or live.stopping:
            return
        live.stopping = True
        if live.request_id:
            self._engine.stop_answer()
        else:
            self._end("stopped")

    def shutdown(self) -> None:
        """End the answer now and keep it; nothing more is emitted for it."""
        live, self._live = self._live, None
        self._save_timer.stop()
        self._saver.close()
        if live is not None:
            live.end("stopped")
            self._save(live.as_record())
        self._save_kept()

    # --- the engine says -------------------------------------------------------------------

    def _on_engine_state(self, state: EngineState) -> None:
        live = self._live
        if live is None or live.request_id:
            return
        if state.status == "ready":
            self._begin()
        elif state.problem is not None and state.status in {"none", "stopped"}:
            self._end("failed", state.problem)
        elif state.status == "none":
            self._end("stopped")  # loading was given up

    def _begin(self) -> None:
        live, state = self._live, self._engine.state()
        if live is None or state.model is None or state.loaded is None:
            return
        live.begin(uuid.uuid4().hex, state.model, state.loaded, self._engine.options)
        request, continue_from = self._request(live)
        if not self._engine.answer(request, continue_from):
            self._end("stopped")  # the app is closing
            return
        self._save_timer.start()
        self._emit_changed()

    def _request(self, live: LiveAnswer) -> tuple[GenerationRequest, str]:
        record = live.record
        assert record.settings is not None  # noqa: S101  every answer is asked with some
        sampling, system = record.settings.sampling, record.settings.system_prompt
        if record.is_completion:
            request = completion_request(
                live.request_id, self._branch, record.text, sampling, chat_id=record.chat_id
            )
            return request, ""
        request = chat_request(
            live.request_id, self._branch, system, sampling, chat_id=record.chat_id
        )
        return request, record.text

    def _on_answer_event(self, event: EngineEvent) -> None:
        live = self._live
        if live is None or event.request_id != live.request_id:
            return
        match event:
            case Started():
                live.on_started(event)
                self._emit_changed()
            case PromptProgress():
                live.on_progress(event)
                self._emit_changed()
            case TokenEvent():
                self._on_tokens(live, event)
            case Finished():
                live.on_finished(event)
                self._end(live.state)
            case Failed() if self._engine.answer_cancelled and event.error == "Inference":
                self._end("stopped")  # it was ended before it had begun
            case Failed():
                engine = self._engine
                problem = answer_problem(event, engine.state().loaded, engine.smaller)
                self._end("failed", problem)

    def _on_tokens(self, live: LiveAnswer, event: TokenEvent) -> None:
        first = live.state != "streaming"
        live.on_tokens(event)
        if first:
            self._emit_changed()
        else:
            self.text_received.emit(live.record.id, event.text)
        now = time.monotonic()
        if first or now - self._stats_at >= _STATS_EVERY_S:
            self._stats_at = now
            self.stats_changed.emit(live.stats)

    # --- keeping ---------------------------------------------------------------------------

    def _on_save_due(self) -> None:
        live = self._live
        if live is not None and live.unsaved:
            live.unsaved = False
            self._saver.put(live.record.id, live.text(), live.tokens())

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        for event in batch:
            if isinstance(event, PartialNotSaved):
                if self._live is not None and self._live.record.id == event.message_id:
                    self._live.unsaved = True
                self._tell_of_store(event.error)

    def _end(self, state: MessageState, problem: Problem | None = None) -> None:
        live = self._live
        if live is None:
            return
        self._save_timer.stop()
        live.end(state, problem)
        record = live.as_record()
        self._live = None
        self._save_kept()
        self._save(record)
        self.changed.emit(record)
        self.stats_changed.emit(live.stats)
        self.ended.emit(record)

    def _save(self, record: MessageRecord) -> None:
        try:
            self._chats.save_answer(record)
        except StoreError as error:
            self._kept_for_later[record.id] = record
            self._tell_of_store(error)
        else:
            self._kept_for_later.pop(record.id, None)

    def _save_kept(self) -> None:
        for record in tuple(self._kept_for_later.values()):
            self._save(record)

    def _tell_of_store(self, error: StoreError) -> None:
        """Once per answer: the banner need not come back every second."""
        if not self._told_of_store:
            self._told_of_store = True
            self.problem_raised.emit(store_problem(error))

    def _emit_changed(self) -> None:
        if self._live is not None:
            self.changed.emit(self._live.as_record())
