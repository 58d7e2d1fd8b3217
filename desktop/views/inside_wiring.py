"""Makes the Inside page and connects it; imported when the page is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal

from desktop.controllers.inside import InsideController, rests
from desktop.controllers.pairs import OtherHalf, other_half
from desktop.views.inside.anatomy import AnatomyView
from desktop.views.inside.attention import AttentionView
from desktop.views.inside.change import ChangeView
from desktop.views.inside.embeddings import EmbeddingsView
from desktop.views.inside.entry import Entry
from desktop.views.inside.evaluation_wiring import EvaluationWiring
from desktop.views.inside.lab import LabView
from desktop.views.inside.layers import LayersView
from desktop.views.inside.next_word import NextWordView
from desktop.views.inside.page import InsidePage
from desktop.views.inside.tokens import TokensView
from desktop.views.inside.walk import WalkView
from desktop.views.inside.walk_steps import PROMPT
from inference.library.forms import native_form

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.bridge.event_bridge import EventBridge
    from desktop.bridge.task_runner import TaskRunner
    from desktop.controllers.chat import ChatController
    from desktop.controllers.engine import EngineController
    from desktop.inside import TextSource
    from desktop.values import ChatDetail, EngineState
    from desktop.views.inside.evaluation import EvaluationView
    from desktop.widgets.theme import Theme
    from desktop.widgets.transcript.transcript import Transcript
    from inference.types import ModelInfo


class InsideWiring(QObject):
    """Lives as long as the page; knows both sides and decides nothing.

    Args:
        theme: The look at the start.
        engines: The model in memory.
        bridge: Where the worker posts.
        chats: For going on from another word.
        tasks: Where models are measured side by side.
        data: The folder of the app's data.
        parent: Qt parent.

    Signals:
        said: A sentence for the person.
        chat_wanted: The open chat goes on; show it.
        found_asked: A ``Fetchable``; show its page.
    """

    said = Signal(str)
    chat_wanted = Signal()
    found_asked = Signal(object)

    def __init__(
        self,
        theme: Theme,
        engines: EngineController,
        bridge: EventBridge,
        chats: ChatController,
        *,
        tasks: TaskRunner,
        data: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engines = engines
        self._chats = chats
        self._bridge = bridge
        self._tasks = tasks
        self._data = data
        self._looked_at: tuple[str, TextSource] | None = None  # of that chat
        self._taken_away: tuple[str, TextSource] | None = None
        self.controller = InsideController(engines, bridge, self)
        self.page = InsidePage(theme, self._entries(), self._is_installed)
        controller, page = self.controller, self.page
        controller.subject_changed.connect(page.show_subject)
        controller.chosen_changed.connect(page.show_place)
        controller.found.connect(page.take)
        controller.refused.connect(page.refuse)
        controller.busy_changed.connect(page.asking.set_busy)
        page.asked.connect(controller.ask)
        page.place_chosen.connect(controller.choose)
        page.text_given.connect(controller.open_text)
        page.view_opened.connect(self._on_view_opened)
        page.stop_asked.connect(controller.forget_waiting)
        page.said.connect(self.said)
        page.load_asked.connect(engines.load)
        page.continue_asked.connect(self._on_continue)
        chats.chat_deleted.connect(self._on_chat_deleted)
        chats.chat_opened.connect(self._on_chat_opened)
        page.installEventFilter(self)
        controller.set_watched(watched=page.isVisible())
        self.set_engine(engines.state())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell whether the page is seen."""
        if watched is self.page and event.type() in {QEvent.Type.Show, QEvent.Type.Hide}:
            self.controller.set_watched(watched=event.type() == QEvent.Type.Show)
        return super().eventFilter(watched, event)

    def open(self, source: TextSource) -> None:
        """Look at a place of a chat, with the keyboard there."""
        if self.page.is_alone:
            self.page.open_view("next_word")
        self._looked_at = self._chats.current().id, source
        self.controller.open(source)
        self.page.focus_text()

    def set_engine(self, state: EngineState) -> None:
        """Say what keeps the page from showing anything."""
        words = stopped = ""
        if state.status == "stopped" and state.model is not None:
            words = self.tr("The engine of {0} stopped. Your text is kept.").format(
                state.model.name
            )
            if state.problem is not None and "choose_model" in state.problem.offers:
                words = f"{state.problem.title}\n{state.problem.message} {state.problem.hint}"
            elif state.problem is not None:
                words += f"\n{state.problem.message}"
            stopped = state.model.id
        elif rests(state) and state.model is not None:
            words = self.tr("{0} rests; it is loaded as soon as you look at a text.").format(
                state.model.name
            )
        elif state.status in {"none", "stopped"}:
            words = self.tr("No model is in memory. Choose one with Ctrl+M.")
        elif state.status == "loading":
            words = self.tr("The model is being loaded.")
        elif state.status in {"answering", "stopping"}:
            words = self.tr("The model is writing; the text is read as soon as it has ended.")
        self.page.say_no_model(words, stopped)
        self.page.asking.set_writing(writing=state.status in {"answering", "stopping"})

    def _is_installed(self, model_id: str) -> bool:
        return any(row.info.id == model_id for row in self._engines.models().rows)

    def _entries(self) -> tuple[Entry, ...]:
        text, model = self.tr("This text"), self.tr("This model")
        next_word = self.tr("Next word")
        walk = self.tr("Walk-through")
        return (
            Entry("walk", self.tr("Start here"), walk, "route", self._make_walk, begins=True),
            Entry("next_word", text, next_word, "chart-bar-decreasing", NextWordView),
            Entry("attention", text, self.tr("Attention"), "grid-3x3", AttentionView),
            Entry("layers", text, self.tr("Layers"), "layers", LayersView),
            Entry("tokens", text, self.tr("Tokens"), "binary", self._make_tokens),
            Entry("embeddings", model, self.tr("Embeddings"), "network", EmbeddingsView),
            Entry("anatomy", model, self.tr("Anatomy"), "workflow", AnatomyView),
            Entry("lab", self.tr("Try"), self.tr("Decoding lab"), "flask-conical", LabView),
            Entry(
                "change",
                self.tr("Try"),
                self.tr("Change and see"),
                "toggle-left",
                self._make_change,
            ),
            Entry(
                "evaluation",
                self.tr("Compare"),
                self.tr("Evaluation"),
                "scale",
                self._make_evaluation,
                alone=True,
            ),
        )

    def _on_view_opened(self, view_id: str) -> None:
        """Give up what the view before asked; the walk-through begins where there is no text."""
        self.controller.forget_waiting()
        if view_id == "walk" and not self.controller.has_text:
            self.controller.open_text(PROMPT)

    def _make_tokens(self, theme: Theme) -> TokensView:
        def readable() -> tuple[ModelInfo, ...]:
            rows = self._engines.models().rows
            return tuple(row.info for row in rows if not row.info.problem and not row.info.absent)

        return TokensView(theme, readable)

    def _make_walk(self, theme: Theme) -> WalkView:
        def half_of(model: ModelInfo) -> OtherHalf:
            return other_half(model, (row.info for row in self._engines.models().rows))

        view = WalkView(theme, half_of)
        view.view_asked.connect(self._open_place)
        view.text_asked.connect(self.controller.open_text)
        view.source_asked.connect(self.controller.open)
        view.model_asked.connect(self._engines.load)
        view.found_asked.connect(self.found_asked)
        return view

    def _make_evaluation(self, theme: Theme) -> EvaluationView:
        made = EvaluationWiring(
            theme,
            engines=self._engines,
            bridge=self._bridge,
            chats=self._chats,
            tasks=self._tasks,
            data=self._data,
            parent=self,
        )
        return made.view

    def _open_place(self, view_id: str, layer: int) -> None:
        view = self.page.open_view(view_id)
        if isinstance(view, AttentionView):
            view.show_layer(layer)
        view.focus_first()

    def _make_change(self, theme: Theme) -> ChangeView:
        view = ChangeView(theme, self._native_form)
        view.model_asked.connect(self._engines.load)
        return view

    def _native_form(self, model: ModelInfo) -> ModelInfo | None:
        return native_form(model, (row.info for row in self._engines.models().rows))

    def _on_chat_deleted(self, chat_id: str, _title: str) -> None:
        """Look no longer at what was deleted."""
        looked_at = self._looked_at
        if looked_at is None or looked_at[0] != chat_id:
            return
        if self.controller.is_at(looked_at[1]):
            self._taken_away = looked_at
            self.controller.close()

    def _on_chat_opened(self, chat: ChatDetail) -> None:
        """Look again at what was brought back, unless something else is looked at by now."""
        taken = self._taken_away
        if taken is not None and taken[0] == chat.id:
            self._taken_away = None
            if not self.controller.has_text:
                self.controller.open(taken[1])

    def _on_continue(self, piece: str) -> None:
        subject = self.controller.subject()
        if subject is None or not subject.source.message_id:
            return
        before = subject.tokens[subject.answer_start : subject.chosen]
        begun = b"".join(one.data for one in before if not one.special)
        self.chat_wanted.emit()
        # A letter of which only some bytes stand before the place is left to the model.
        text = begun.decode("utf-8", "ignore") + piece
        self._chats.continue_as(subject.source.message_id, text)


def chosen_word(transcript: Transcript) -> tuple[str, str, int] | None:
    """Return message, word and how many equal ones stand before it.

    The word under the keyboard, that was chosen or clicked; else one that is chosen elsewhere; else
    the latest answer, without a word. ``None`` where there is no answer.
    """
    chosen = latest = None
    for message_id in transcript.message_ids():
        widget, view = transcript.widget_of(message_id), transcript.view_of(message_id)
        if view is None or not view.text:
            continue
        if view.role == "assistant":
            latest = (message_id, "", 0)
        if widget is None:
            continue
        word, nth = widget.body.word_here()
        if word and widget.body.hasFocus():
            return (message_id, word, nth)
        if word and chosen is None and widget.body.has_selection():
            chosen = (message_id, word, nth)
    return chosen or latest
