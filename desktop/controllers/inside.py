"""``InsideController``: a text, a place in it, and questions to the model in memory about both.

One question is under way at a time; an answer in a chat comes first. Knows no figures.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.controllers.engine_worker import Asked
from desktop.controllers.inquiries import answer
from desktop.controllers.problems import looking_problem
from desktop.controllers.reading import read_text
from desktop.inside import Subject, TextSource
from inference.cancel import CancelToken
from inference.inside.pushes import AskPushes, AskVotes
from inference.inside.questions import (
    Array,
    AskAttentionOverview,
    AskRollout,
    AskSurprise,
    AskUpdates,
)
from inference.tokenizing.orders import TellLanguages
from inference.types import GenerationRequest

if TYPE_CHECKING:
    from desktop.bridge.event_bridge import EventBridge
    from desktop.controllers.engine import EngineController
    from desktop.controllers.engine_worker import EngineClientLike, Operation
    from desktop.inside import Inquiry, Result
    from desktop.values import EngineState
    from inference.types import LoadedModel, ModelInfo

    Memory = tuple[ModelInfo | None, LoadedModel | None]

_SLOW: Final = (
    AskAttentionOverview,
    AskPushes,
    AskRollout,
    AskSurprise,
    AskUpdates,
    AskVotes,
    TellLanguages,
)
"""Questions that read a whole text; what is answered at a glance goes before them."""
_KEPT: Final = 64
_LARGE_BYTES: Final = 4_000_000
_TITLE_CHARS: Final = 40
_OWN_TEXT: Final = "own text"


class InsideController(QObject):
    """Keeps the subject and answers questions about it, from memory where it was asked before.

    Args:
        engines: The model in memory.
        bridge: Where the worker posts.
        parent: Qt parent.

    Signals:
        subject_changed: A ``Subject``, or ``None``: no text, or no model.
        chosen_changed: The same text, another place: the ``Subject``.
        found: The question and what was found.
        refused: The question (``None`` for the text itself) and a ``Problem``.
        busy_changed: Whether the engine is being asked.
    """

    subject_changed = Signal(object)
    chosen_changed = Signal(object)
    found = Signal(object, object)
    refused = Signal(object, object)
    busy_changed = Signal(bool)

    def __init__(
        self, engines: EngineController, bridge: EventBridge, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._source: TextSource | None = None
        self._subject: Subject | None = None
        self._jobs = itertools.count(1)
        self._job = 0
        self._asking: Inquiry | None = None
        self._refused_by: Memory | None = None
        self._left: Subject | None = None
        self._watched = True
        self._cancel = CancelToken()
        self._waiting: dict[str, Inquiry] = {}
        self._known: dict[Inquiry, Result] = {}
        bridge.batch_received.connect(self._on_batch)
        engines.state_changed.connect(self._on_state)

    # --- what views ask --------------------------------------------------------------------

    def subject(self) -> Subject | None:
        """The text looked at."""
        return self._subject

    @property
    def has_text(self) -> bool:
        """Whether there is a text to look at, read already or waiting for its model."""
        return self._source is not None

    def is_at(self, source: TextSource) -> bool:
        """Whether this text is looked at, or waits for its model."""
        return self._source is source

    @property
    def busy(self) -> bool:
        """Whether the engine is being asked."""
        return bool(self._job)

    def open(self, source: TextSource) -> None:
        """Look at another text; the model in memory reads it, and one that stopped is loaded."""
        self._source, self._refused_by, self._left = source, None, None
        self._read()
        if self._engines.state().status == "stopped":
            self._engines.ensure()

    def close(self) -> None:
        """Look at nothing; what was found is forgotten."""
        self._source, self._refused_by, self._left = None, None, None
        self._read()

    def open_text(self, text: str) -> None:
        """Look at a text of one's own, as it is, without a chat template."""
        words = " ".join(text.split())
        title = words if len(words) <= _TITLE_CHARS else words[:_TITLE_CHARS].rstrip() + "…"
        self.open(TextSource(title, GenerationRequest(_OWN_TEXT, text=text)))

    def choose(self, index: int) -> None:
        """Look at another place of the text; the first token has nothing before it."""
        subject = self._subject
        if subject is None:
            return
        index = max(1, min(index, len(subject.tokens)))
        if index != subject.chosen:
            self._subject = replace(subject, chosen=index)
            self.chosen_changed.emit(self._subject)

    def ask(self, question: Inquiry) -> None:
        """Ask; a newer question of the same kind takes the place of one that still waits.

        One that is answered at a glance does not wait for one that reads the whole text.
        """
        known = self._known.get(question)
        if known is not None:
            self.found.emit(question, known)
            return
        if question == self._asking and not self._cancel.cancelled:
            return
        kind = type(question).__name__
        self._waiting.pop(kind, None)
        self._waiting[kind] = question
        asking = self._asking
        if asking is not None and type(asking) is type(question):
            self._cancel.cancel()
        elif isinstance(asking, _SLOW) and not isinstance(question, _SLOW):
            self._put_back(asking)
        self._next()

    def _put_back(self, asking: Inquiry) -> None:
        """Give up what is under way; it is asked again later, and may go on where it stopped."""
        self._waiting.setdefault(type(asking).__name__, asking)
        self._cancel.cancel()

    def set_watched(self, *, watched: bool) -> None:
        """Ask only while somebody looks: a chat has better use for the model.

        What is under way and does not take long is answered all the same.
        """
        self._watched = watched
        if watched:  # whoever shows the page may be about to open another text
            QTimer.singleShot(0, self, self._next)
        elif isinstance(self._asking, _SLOW):
            self._put_back(self._asking)

    def forget_waiting(self) -> None:
        """Give up what nobody looks at any longer."""
        self._waiting.clear()
        if self._asking is not None:
            self._cancel.cancel()

    # --- the engine ------------------------------------------------------------------------

    def _read(self) -> None:
        """Let the model in memory cut the text into tokens; one that rests is loaded for it."""
        state, source = self._engines.state(), self._source
        self._drop_subject()
        if self._job:  # whatever is under way belongs to a text of the past; then it goes on
            self._cancel.cancel()
            return
        if source is not None and rests(state):
            self._engines.ensure()
            return
        if source is None or state.model is None or state.loaded is None:
            return
        model, loaded = state.model, state.loaded

        def read(client: EngineClientLike, cancel: CancelToken) -> Subject:
            return read_text(client, source, model, loaded, cancel)

        self._begin(read)

    def _next(self) -> None:
        subject = self._subject
        if subject is None or self._job or not (self._watched and self._waiting):
            return
        kind = min(self._waiting, key=lambda kind: isinstance(self._waiting[kind], _SLOW))
        question = self._waiting.pop(kind)
        model, stamp = subject.model, self._engines.state().stamp

        def look(client: EngineClientLike, cancel: CancelToken) -> Result:
            return answer(client, question, model, stamp, cancel)

        if self._begin(look):
            self._asking = question
        else:
            self._waiting[type(question).__name__] = question
            if rests(self._engines.state()):
                self._engines.ensure()

    def _begin(self, operation: Operation) -> bool:
        job, cancel = next(self._jobs), CancelToken()
        if not self._engines.ask(job, operation, cancel):
            return False
        self._job, self._cancel = job, cancel
        self.busy_changed.emit(True)
        return True

    def _on_batch(self, batch: tuple[object, ...]) -> None:
        for event in batch:
            if isinstance(event, Asked) and event.job == self._job:
                self._on_answer(event)

    def _on_answer(self, event: Asked) -> None:
        question, self._asking, self._job = self._asking, None, 0
        given_up = self._cancel.cancelled
        if isinstance(event.result, Subject):
            self._on_read(event.result)
        elif event.error is not None:
            if not given_up:
                if question is None:
                    self._refused_by = self._in_memory()
                self.refused.emit(question, looking_problem(event.error))
        elif question is not None and self._subject is not None:
            finding = cast("Result", event.result)
            self._keep(question, finding)
            self.found.emit(question, finding)
        if not self._job:  # whoever was told may have asked
            self._go_on()
        if not self._job:
            self.busy_changed.emit(False)

    def _on_read(self, subject: Subject) -> None:
        """Show the text, unless another is wanted by now, or another model is there."""
        if subject.source is not self._source or _memory_of(subject) != self._in_memory():
            return
        left = self._left
        if left is not None and left.ids == subject.ids:  # the model was loaded again
            subject = replace(subject, chosen=left.chosen)
        self._subject, self._left = subject, None
        self.subject_changed.emit(subject)

    def _go_on(self) -> None:
        """Read the text where that is due, or ask what waits."""
        memory, subject = self._in_memory(), self._subject
        is_read = subject is not None and _memory_of(subject) == memory
        if self._engines.state().status != "ready" or self._source is None or is_read:
            self._next()
        elif self._refused_by != memory:
            self._read()

    def _in_memory(self) -> Memory:
        state = self._engines.state()
        return state.model, state.loaded

    def _keep(self, question: Inquiry, finding: Result) -> None:
        if isinstance(finding, Array) and len(finding.data) > _LARGE_BYTES:
            return
        while len(self._known) >= _KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[question] = finding

    def _drop_subject(self) -> None:
        self._waiting.clear()
        self._known.clear()
        if self._subject is not None and self._subject.source is self._source:
            self._left = self._subject
        self._subject = None
        self.subject_changed.emit(None)

    def _on_state(self, state: EngineState) -> None:
        subject = self._subject
        if state.status == "answering" and self._job:
            # A chat comes first: what is under way is given up and asked again afterwards.
            if self._asking is not None:
                self._put_back(self._asking)
            self._cancel.cancel()
        elif state.status != "ready":
            if self._job and state.status not in {"answering", "stopping"}:
                self._cancel.cancel()  # another model must not wait for what nobody looks at
            gone = state.status == "stopped"  # nothing can be asked until it is loaded again
            if subject is not None and (gone or state.model != subject.model):
                self._drop_subject()
        elif not self._job:
            self._go_on()


def rests(state: EngineState) -> bool:
    """Whether a model was chosen and left the memory, or never came: what asks loads it."""
    return state.status == "none" and state.model is not None and state.problem is None


def _memory_of(subject: Subject) -> Memory:
    return subject.model, subject.loaded
