"""The middle of the chat page: the messages of one chat and the composer below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.values import EngineState
from desktop.widgets import formatting
from desktop.widgets.composer import Composer
from desktop.widgets.hint_bar import HintBar
from desktop.widgets.notice import Notice
from desktop.widgets.system_line import SystemLine
from desktop.widgets.theme import Theme, apply_theme
from desktop.widgets.transcript.welcome import Heading, Suggestions

if TYPE_CHECKING:
    from desktop.values import AnswerStats, ChatDetail, MessageView, Problem
    from desktop.widgets.shrinking_area import ShrinkingArea
    from desktop.widgets.theme_manager import ThemeManager
    from desktop.widgets.transcript.transcript import Transcript

_GUTTER: Final = 24
_BELOW: Final = 14
_WELCOME_WIDTH: Final = 760
_ROOM_FOR_ALL: Final = 470
_LIVE: Final = frozenset({"waiting", "reading", "streaming"})


class ChatColumn(QWidget):
    """Transcript and composer; it decides nothing.

    Args:
        theme: A theme, or the manager to follow.
        parent: Qt parent.

    Signals: requests; each names the message it is about.
    """

    send_requested = Signal(str)
    stop_requested = Signal()
    retry_requested = Signal(str)
    offer_taken = Signal(str, str)
    engine_offer_taken = Signal(str)
    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    continue_requested = Signal(str)
    version_requested = Signal(str, int)
    inside_requested = Signal(str, str, int)
    save_refused = Signal(str)

    def __init__(self, theme: Theme | ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chat_column")
        if isinstance(theme, Theme):
            self._theme = theme
        else:
            self._theme = theme.theme
            theme.theme_changed.connect(self.follow_theme)
        self._chat_id = ""
        self._drafts: dict[str, str] = {}
        self._editing = ""  # message that is being edited in the composer
        self._kept_draft = ""
        self._is_answering = False
        self._is_queued = False  # what stands in the composer is sent after the answer
        self._ended_well = True
        self._noted: Problem | None = None
        self._engine = EngineState()
        self._build()
        self._connect()
        self._show_state()

    def _build(self) -> None:
        theme = self._theme
        self._transcript: Transcript | None = None
        self._paper = QWidget()  # holds the transcript once there is something to show
        self._paper.setObjectName("chat_paper")
        paper = QVBoxLayout(self._paper)
        paper.setContentsMargins(0, 0, 0, 0)
        self.composer = Composer(theme)
        self._heading = Heading(theme)
        self._suggestions = Suggestions(theme)
        self._base_note = Notice(theme, name="base_note", severity="info", closable=True)
        self._base_note.hide()
        self._edit_bar = HintBar(
            self.tr("You are changing an earlier message. Sending it makes a new version."),
            self.tr("Keep it as it was"),
            theme,
            name="edit",
        )
        self._queue_bar = HintBar(
            self.tr("Your message waits its turn: it is sent when the answer has ended."),
            self.tr("Do not send it yet"),
            theme,
            name="queue",
        )
        self._rest_line = SystemLine(theme, name="rest_line")
        self._engine_note = Notice(
            theme,
            name="engine_note",
            actions=(
                ("load_smaller", self.tr("Load it smaller")),
                ("choose_model", self.tr("Choose a model")),
                ("load_again", self.tr("Load it again")),
            ),
            closable=True,
        )
        self._engine_note.hide()
        self._middle = QWidget()
        self._middle.setObjectName("composer_column")
        column = QVBoxLayout(self._middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        bars = (self._rest_line, self._engine_note, self._edit_bar, self._queue_bar)
        for widget in (self._heading, *bars, self.composer, self._suggestions):
            column.addWidget(widget)
        self._column = column
        column.insertSpacing(1, 4)
        self._offers: QWidget | None = None
        self._first_run: ShrinkingArea | None = None
        self._top_note = QWidget()
        note = QHBoxLayout(self._top_note)
        note.setContentsMargins(_GUTTER, 12, _GUTTER, 0)
        note.addWidget(self._base_note)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, _BELOW)
        outer.setSpacing(0)
        outer.addWidget(self._top_note)
        outer.addWidget(self._paper, 1)
        outer.addStretch(0)
        outer.addWidget(self._middle)
        outer.addStretch(0)
        self._outer = outer

    def _connect(self) -> None:
        self.composer.send_requested.connect(self._on_send)
        self.composer.queue_requested.connect(self._on_queue)
        self.composer.stop_requested.connect(self.stop_requested)
        self._engine_note.acted.connect(self.engine_offer_taken)
        self._edit_bar.cancelled.connect(self._end_edit)
        self._queue_bar.cancelled.connect(self._end_queue)
        self._suggestions.chosen.connect(self._on_suggestion)
        self._base_note.dismissed.connect(self._top_note.hide)

    @property
    def transcript(self) -> Transcript:
        """The messages; made when they are first asked for, which is not before the first paint."""
        if self._transcript is None:
            self._transcript = self._make_transcript()
        return self._transcript

    def _make_transcript(self) -> Transcript:
        # A tenth of the time to the first paint, which shows no message.
        from desktop.widgets.transcript.transcript import Transcript  # noqa: PLC0415

        transcript = Transcript(self._theme)
        transcript.retry_requested.connect(self.retry_requested)
        transcript.offer_taken.connect(self.offer_taken)
        transcript.again_requested.connect(self.regenerate_requested)
        transcript.continue_requested.connect(self.continue_requested)
        transcript.version_requested.connect(self.version_requested)
        transcript.inside_requested.connect(self.inside_requested)
        transcript.edit_requested.connect(self._on_edit)
        transcript.save_refused.connect(self.save_refused)
        transcript.set_loading(self._engine.status == "loading")
        paper = self._paper.layout()
        if paper is not None:
            paper.addWidget(transcript)
        transcript.follow_in_focus_chain(self._before_composer())
        return transcript

    def _before_composer(self) -> QWidget:
        """What the keyboard comes from on its way down to the composer and what is above it."""
        before: QWidget = self.composer
        for _ in range(2000):  # the chain is a ring through the whole window
            before = before.previousInFocusChain() or self.composer
            takes_keys = before.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes_keys and not self._middle.isAncestorOf(before):
                break
        return before

    def prepare(self) -> None:
        """Make what the first message needs; call it when the window has been painted."""
        self.transcript.ensurePolished()

    def _shown(self) -> tuple[str, ...]:
        return () if self._transcript is None else self._transcript.message_ids()

    # -- what the controllers say -----------------------------------------------------------

    def open_chat(self, chat: ChatDetail) -> None:
        """Show a chat, or another branch of the one on show."""
        if chat.id == self._chat_id:
            self.transcript.show_branch(chat.messages)
        else:
            self._end_edit()
            self._end_queue()
            self._drafts[self._chat_id] = self.composer.text()
            self._chat_id = chat.id
            self.composer.set_text(self._drafts.pop(chat.id, ""))
            if chat.messages or self._shown():
                self.transcript.show_messages(chat.messages)
            answered = [view.stats for view in chat.messages if view.stats is not None]
            self._show_context(answered[-1] if answered else None)
        self._show_state()

    def change_branch(self, chat: ChatDetail) -> None:
        """Show another branch of the chat on show."""
        self.open_chat(chat)

    def add_message(self, view: MessageView) -> None:
        """Show a new message; what was sent leaves the composer."""
        if view.chat_id != self._chat_id:
            return
        if view.role == "user":
            self.composer.take(view.text)
        self.transcript.add_message(view)
        self._show_state()

    def change_message(self, view: MessageView) -> None:
        """Show a message in its new state."""
        if view.state not in _LIVE:
            self._ended_well = view.state == "complete"
        self.transcript.change_message(view)
        self._show_engine_note()

    def append_text(self, message_id: str, text: str) -> None:
        """Show text that has just been written."""
        self.transcript.append_text(message_id, text)

    def set_answering(self, is_answering: bool) -> None:
        """Show Stop instead of Send while an answer is under way."""
        self._is_answering = is_answering
        self.composer.set_answering(is_answering)
        self._show_words()
        if not is_answering and self._is_queued:
            self._end_queue()
            if self._ended_well:
                self._on_send(self.composer.text().strip("\n"))

    def set_engine(self, state: EngineState) -> None:
        """Name the model in the composer, the greeting and waiting answers."""
        before, self._engine = self._engine, state
        if self._transcript is not None:
            self._transcript.set_loading(state.status == "loading")
        if state.loaded != before.loaded:
            self._show_context(None)
        self._show_rest(state)
        self._show_engine_note()
        self._show_state()

    def set_stats(self, stats: AnswerStats) -> None:
        """Show how much of the context is used."""
        self._show_context(stats)

    def _show_context(self, stats: AnswerStats | None) -> None:
        loaded = self._engine.loaded
        total = loaded.n_ctx if loaded is not None else 0
        used = 0
        if stats is not None:
            used, total = stats.context_used, stats.context_total or total
        self.composer.meter.set_use(used, total)

    def set_picker(self, picker: QWidget) -> None:
        """Put the model picker into the composer."""
        self.composer.set_picker(picker)

    def set_first_run(self, offers: QWidget | None) -> None:
        """Stand something below the suggestions of an empty chat; ``None`` takes it away."""
        if offers is self._offers:
            return
        if self._first_run is not None:
            self._first_run.takeWidget()  # whoever made it may show it again
            self._first_run.deleteLater()
        self._offers, self._first_run = offers, None
        if offers is not None:
            from desktop.widgets.shrinking_area import ShrinkingArea  # noqa: PLC0415  as above

            self._first_run = ShrinkingArea(offers, "first_run_area", self.tr("More models"))
            self._column.addWidget(self._first_run)
        self._show_state()

    def focus_composer(self) -> None:
        """Give the composer the keyboard."""
        self.composer.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow_theme(self, theme: Theme) -> None:
        """Draw everything here with another theme."""
        apply_theme(self, theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self._fit()
        self.update()

    # -- states -----------------------------------------------------------------------------

    def _show_state(self) -> None:
        is_empty = not self._shown()
        self._paper.setVisible(not is_empty)
        self._heading.setVisible(is_empty)
        self._heading.show_engine(self._engine)
        self._suggestions.setVisible(is_empty and self._has_room())
        self._suggestions.show_engine(self._engine)
        if self._first_run is not None:
            self._first_run.setVisible(is_empty)
        self._outer.setStretch(2, 3 if is_empty else 0)
        self._outer.setStretch(4, 5 if is_empty else 0)
        self._show_base_note(is_empty)
        self._show_words()
        self._fit()

    def _show_rest(self, state: EngineState) -> None:
        name = state.model.name if state.model is not None else ""
        words = self.tr("{0} was unloaded after {1} without use. Your next message loads it again.")
        self._rest_line.say(words.format(name, formatting.minutes(state.rested_min)))
        self._rest_line.setVisible(state.rested_min > 0)

    def _show_engine_note(self) -> None:
        """Say above the composer why no model is there, unless an answer says it already."""
        problem = self._engine.problem
        shown = self._shown()
        last = self.transcript.view_of(shown[-1]) if shown else None
        is_said = last is not None and last.state == "failed"
        if problem is None or is_said or self._engine.status not in {"none", "stopped"}:
            self._engine_note.hide()
            self._noted = None
        elif problem is not self._noted:
            self._noted = problem
            text = " ".join(part for part in (problem.message, problem.hint) if part)
            self._engine_note.say(problem.title, text)
            self._engine_note.show_action("load_again", shown=problem.can_retry)
            smaller = problem.smaller is not None
            self._engine_note.name_action("load_smaller", problem.smaller_words)
            self._engine_note.show_action("load_smaller", shown=smaller)
            self._engine_note.lead_with("load_smaller" if smaller else "choose_model")
            self._engine_note.show()

    def _show_base_note(self, is_empty: bool) -> None:
        model = self._engine.model
        is_base = self._engine.continues
        if is_base and model is not None and self._base_note.isHidden():
            self._base_note.say(
                self.tr("A base model continues your text; it does not answer."),
                self.tr("Write the beginning of what you would like to read."),
            )
            self._base_note.show()
        self._top_note.setVisible(is_base and not is_empty)

    def _show_words(self) -> None:
        model = self._engine.model
        if model is None:
            self.composer.set_off_reason(self.tr("Choose a model first."))
        else:
            self.composer.set_off_reason("")
        if self._is_answering:
            words = self.tr("Write the next message; it waits its turn")
        elif self._engine.continues:
            words = self.tr("Text to continue")
        elif model is not None:
            words = self.tr("Message {0}").format(model.name)
        else:
            words = self.tr("Message")
        self.composer.set_placeholder(words)

    def _fit(self) -> None:
        is_empty = not self._shown()
        widest = _WELCOME_WIDTH if is_empty else self._theme.measure_px
        side = max(_GUTTER, (self.width() - widest) // 2)
        self._column.setContentsMargins(side, 6, side, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the composer to the measure."""
        super().resizeEvent(event)
        self._fit()
        self._suggestions.setVisible(not self._shown() and self._has_room())

    def _has_room(self) -> bool:
        return self._offers is None or self.height() >= _ROOM_FOR_ALL

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the paper."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.page)
        painter.end()

    # -- what the person does ---------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Esc."""
        if event.key() != Qt.Key.Key_Escape or not self.press_escape():
            event.ignore()

    def press_escape(self) -> bool:
        """End an edit, or the answer under way; ``False`` where there is neither."""
        if self._editing:
            self._end_edit()
        elif self._is_queued:
            self._end_queue()
        elif self._is_answering:
            self.stop_requested.emit()
        else:
            return False
        return True

    def _on_send(self, text: str) -> None:
        if not self._editing:
            self.send_requested.emit(text)
            return
        message_id, self._editing = self._editing, ""
        self._edit_bar.hide()
        self.composer.set_text(self._kept_draft)
        self.edit_requested.emit(message_id, text)

    def _on_queue(self) -> None:
        """Enter while an answer is under way: send this when it has ended."""
        if not self._editing:
            self._is_queued = True
            self._queue_bar.show()

    def _end_queue(self) -> None:
        self._is_queued = False
        self._queue_bar.hide()

    def _on_suggestion(self, text: str) -> None:
        self.composer.set_text(text)
        self.focus_composer()
        if not self._is_answering:
            self.send_requested.emit(text)

    def _on_edit(self, message_id: str) -> None:
        view = self.transcript.question_of(message_id)
        if view is None:
            return
        if not self._editing:
            self._kept_draft = self.composer.text()
        self._editing = view.id
        self._edit_bar.show()
        self.composer.set_text(view.text)
        self.focus_composer()

    def _end_edit(self) -> None:
        if self._editing:
            self._editing = ""
            self._edit_bar.hide()
            self.composer.set_text(self._kept_draft)
