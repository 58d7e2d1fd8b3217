"""One installed model: what it is, what it needs, how it is used, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.values import IN_MEMORY
from desktop.views.model_asking import ModelAsking
from desktop.views.model_facts import ModelFactGrid
from desktop.views.model_files import ModelFiles
from desktop.views.model_loading import ModelLoading
from desktop.views.model_making import ModelMaking
from desktop.views.model_memory import ModelMemory
from desktop.views.model_template import ModelTemplate
from desktop.widgets import formatting
from desktop.widgets.controls import (
    Badge,
    Button,
    IconButton,
    label,
    panel,
    rule,
    scrolled,
)
from desktop.widgets.model_delegate import engine_words, kind_tone, kind_words
from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.controllers.model_care import Check, ModelFacts
    from desktop.store.settings import Settings
    from desktop.values import EngineState, InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo


class ModelDetail(QFrame):
    """Shows one model and asks for what a person wants done with it.

    Args:
        theme: Fonts and icons.
        settings: The general settings at the start.

    Signals:
        load_asked, remove_asked, chat_asked, look_asked: Model id.
        unload_asked, cancel_asked, back_asked: No argument.
        smaller_asked: Load it as its problem proposes.
        note_asked: Model id, and fields of its ``ModelNote`` with new values.
        completed: All its sections are there.

    Its frame and then one section at a time are made in turns of the event loop, so that opening
    it never holds the window up; ``complete`` makes what is left at once.
    """

    memory: ModelMemory
    facts: ModelFactGrid
    template: ModelTemplate
    loading: ModelLoading
    asking: ModelAsking
    files: ModelFiles
    making: ModelMaking

    load_asked = Signal(str)
    remove_asked = Signal(str)
    chat_asked = Signal(str)
    look_asked = Signal(str)
    unload_asked = Signal()
    cancel_asked = Signal()
    back_asked = Signal()
    smaller_asked = Signal()
    note_asked = Signal(str, object)
    completed = Signal()

    def __init__(self, theme: Theme, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._settings = settings
        self._model: InstalledModel | None = None
        self._state: EngineState | None = None
        self._check: Check | None = None
        self._looked: tuple[object, ...] = ()
        self.setObjectName("model_detail")
        self.setAccessibleName(self.tr("The chosen model"))
        self.setProperty("ground", "page")
        self._narrow = False
        self._shows: list[Callable[[InstalledModel, EngineState], None]] = []
        self._left: list[Callable[[], None]] = [
            self._make_frame,
            self._make_memory,
            self._make_facts,
            self._make_template,
            self._make_loading,
            self._put_loading,
            self._make_asking,
            self._make_files,
        ]
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._make_one)
        self._turns.start(0)

    def complete(self) -> None:
        """Make what is not there yet now."""
        while self._left:
            self._make_one()

    def _make_one(self) -> None:
        before = len(self._shows)
        self._left.pop(0)()
        if self._model is not None and self._state is not None:
            for show in self._shows[before:]:
                show(self._model, self._state)
        if not self._left:
            self._turns.stop()
            self._order_the_keys()
            self.completed.emit()
            self._look_again()

    def _make_frame(self) -> None:
        theme = self._theme
        self._back = IconButton("arrow-left", self.tr("Back to the list"), theme, name="model_back")
        self._back.clicked.connect(self.back_asked)
        self._name = label("", theme, "title", wrap=True, name="model_name")
        self._star = IconButton(
            "star", self.tr("Favourite"), theme, name="model_favourite", checkable=True
        )
        self._star.clicked.connect(lambda on: self._note(favourite=on))
        self._kind = Badge("", theme)
        self._kind.setObjectName("model_kind")
        self._subtitle = label("", theme, "body", "text2", wrap=True, name="model_subtitle")
        self._problem = Notice(
            theme,
            name="model_problem",
            severity="bad",
            actions=(("smaller", ""), ("again", self.tr("Try the same again"))),
        )
        self._problem.acted.connect(self._on_problem_action)
        self._hint = Notice(theme, name="model_note", severity="info")
        self._bar = QProgressBar()
        self._bar.setObjectName("model_progress")
        self._bar.setAccessibleName(self.tr("Loading"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._share = label("", theme, "small", "text3", name="model_share")
        self._make_buttons(theme)
        self._build(theme)
        self._shows.append(self._show_frame)

    def show_model(self, model: InstalledModel, state: EngineState) -> None:
        """Show a model and what the engine does with it."""
        is_other = self._model is None or self._model.info != model.info
        if is_other:
            self.flush()
        self._model, self._state = model, state
        for show in self._shows:
            show(model, state)
        if is_other and self._shows:
            self._area.verticalScrollBar().setValue(0)
        self._look_again()

    def _show_frame(self, model: InstalledModel, state: EngineState) -> None:
        info = model.info
        self._name.setText(info.name)
        self._kind.set_text(kind_words(info), kind_tone(info))
        self._star.setChecked(model.note is not None and model.note.favourite)
        self._subtitle.setText(self._subtitle_words(info))
        self._say_problem(info, state)
        self._say_hint(info)
        self._show_buttons(model)

    def _look_again(self) -> None:
        """Have the files read where the model, or what it would need, is another one now."""
        model = self._model
        if model is None or self._left:
            return
        needs: tuple[object, ...] = ()
        if model.note is not None:
            defaults = model.note.defaults
            needs = (defaults.n_ctx, defaults.kv_cache_type, defaults.dtype)
        looked = (model.info, needs, self._settings.engine)
        if looked != self._looked:
            self._looked = looked
            self.look_asked.emit(model.info.id)

    def set_settings(self, settings: Settings) -> None:
        """Compare with these general settings from now on."""
        self._settings = settings
        if self._model is not None and self._state is not None:
            self.show_model(self._model, self._state)

    def show_facts(self, facts: ModelFacts) -> None:
        """Show what was read from the files, if it is about this model."""
        if self._left or self._model is None:
            return  # they are asked for once everything is there
        if facts.info.id == self._model.info.id:
            for part in (self.memory, self.facts, self.template, self.files):
                part.show_facts(facts)

    def show_check(self, check: Check) -> None:
        """Show where hashing stands."""
        self._check = check
        if not self._left:
            self.files.show_check(check)

    def set_narrow(self, *, narrow: bool) -> None:
        """Offer the way back to the list."""
        self._narrow = narrow
        if self._shows:
            self._back.setVisible(narrow)

    def flush(self) -> None:
        """Keep what was typed and not yet kept."""
        if not self._left:
            for part in (self.template, self.asking, self.files):
                part.flush()

    def _make_memory(self) -> None:
        self.memory = ModelMemory(self._theme)
        self._column.insertWidget(self._column.count() - 1, self.memory)
        self._shows.append(self.memory.show_model)

    def _make_facts(self) -> None:
        facts = self.facts = ModelFactGrid(self._theme)
        facts.kind_chosen.connect(lambda kind: self._note(kind=kind))
        self._put(facts)
        self._shows.append(lambda model, _state: facts.show_model(model))

    def _make_template(self) -> None:
        template = self.template = ModelTemplate(self._theme)
        template.template_chosen.connect(lambda choice: self._set("template", choice))
        self._put(template)
        self._shows.append(lambda model, _state: template.show_model(model))

    def _make_loading(self) -> None:
        loading = self.loading = ModelLoading(self._theme)
        loading.changed.connect(self._set)
        loading.load_asked.connect(lambda: self._ask(self.load_asked))

    def _put_loading(self) -> None:
        loading = self.loading
        self._put(loading)
        self._shows.append(lambda model, _state: loading.show_model(model, self._settings))

    def _make_asking(self) -> None:
        asking = self.asking = ModelAsking(self._theme)
        asking.changed.connect(self._set)
        self._put(asking)
        self._shows.append(lambda model, _state: asking.show_model(model, self._settings))

    def _make_files(self) -> None:
        files = self.files = ModelFiles(self._theme)
        files.note_changed.connect(lambda text: self._note(text=text))
        self._put(files)
        self._shows.append(lambda model, _state: files.show_model(model, self._check))
        making = self.making = ModelMaking(self._theme)
        making.said.connect(lambda: QTimer.singleShot(0, self, self._scroll_to_the_end))
        self._column.insertWidget(self._column.count() - 1, making)
        self._shows.append(lambda model, _state: making.show_model(model))

    def _put(self, section: QWidget) -> None:
        """Put a section under the others, and a line between; the stretch stays last."""
        column = self._column
        column.insertSpacing(column.count() - 1, 18)
        column.insertWidget(column.count() - 1, rule())
        column.insertSpacing(column.count() - 1, 16)
        column.insertWidget(column.count() - 1, section)

    def _order_the_keys(self) -> None:
        """Have the foot's buttons come after the sections, which were made later."""
        takers = [
            part
            for part in self.making.findChildren(QWidget)
            if part.focusPolicy() != Qt.FocusPolicy.NoFocus
        ]
        before = takers[-1]
        for button in (self._chat, self._load, self._unload, self._cancel, self._remove):
            QWidget.setTabOrder(before, button)
            before = button

    def _scroll_to_the_end(self) -> None:
        bar = self._area.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _note(self, **changes: object) -> None:
        if self._model is not None:
            self.note_asked.emit(self._model.info.id, changes)

    def _set(self, field: str, value: object) -> None:
        note = self._model.note if self._model is not None else None
        if note is not None:
            self._note(defaults=msgspec.structs.replace(note.defaults, **{field: value}))

    def _make_buttons(self, theme: Theme) -> None:
        self._chat = Button(
            self.tr("Chat with it"),
            theme,
            kind="main",
            name="model_chat",
            icon_name="message-square",
        )
        self._load = Button(self.tr("Load"), theme, name="model_load", icon_name="power")
        self._unload = Button(self.tr("Unload"), theme, name="model_unload")
        self._cancel = Button(self.tr("Cancel loading"), theme, name="model_cancel", icon_name="x")
        self._remove = Button(
            self.tr("Remove"), theme, kind="danger", name="model_remove", icon_name="trash-2"
        )
        for button, signal in (
            (self._chat, self.chat_asked),
            (self._load, self.load_asked),
            (self._remove, self.remove_asked),
        ):
            button.clicked.connect(lambda _checked=False, s=signal: self._ask(s))
        self._unload.clicked.connect(self.unload_asked)
        self._cancel.clicked.connect(self.cancel_asked)

    def _ask(self, signal: object) -> None:
        if self._model is not None:
            signal.emit(self._model.info.id)  # type: ignore[attr-defined]  # a bound signal

    def _on_problem_action(self, action: str) -> None:
        if action == "smaller":
            self.smaller_asked.emit()
        else:
            self._ask(self.load_asked)

    def _subtitle_words(self, info: ModelInfo) -> str:
        parts = []
        if info.parameters:
            parts.append(self.tr("{0} parameters").format(formatting.parameters(info.parameters)))
        if info.n_layers:
            parts.append(self.tr("{0} layers").format(formatting.count(info.n_layers)))
        parts.append(info.quantization)
        parts.append(engine_words(info))
        parts.append(info.license)
        return ", ".join(part for part in parts if part)

    def _say_problem(self, info: ModelInfo, state: EngineState) -> None:
        title, text = self.tr("This model cannot be loaded."), info.problem
        trouble = state.problem if state.model is not None and state.model.id == info.id else None
        if not text and trouble is not None:
            title = trouble.title
            text = " ".join(part for part in (trouble.message, trouble.hint) if part)
        is_trouble = trouble is not None and not info.problem
        smaller = trouble.smaller_words if is_trouble and trouble is not None else ""
        self._problem.say(title, text)
        self._problem.name_action("smaller", smaller)
        self._problem.show_action("smaller", shown=bool(smaller))
        can_retry = is_trouble and trouble is not None and trouble.can_retry
        self._problem.show_action("again", shown=can_retry)
        self._problem.setVisible(bool(text))

    def _say_hint(self, info: ModelInfo) -> None:
        title = text = ""
        if info.bundled:
            title = self.tr("A starter model: tiny, for trying out, not for facts.")
            text = self.tr(
                "It came with the app and answers offline, so that everything can be seen at work."
            )
        if info.kind == "base":
            base = self.tr(
                "A base model continues your text. It was never taught to answer, so a question "
                "may be continued with more questions. Instruct models answer."
            )
            title = title or self.tr("This is a base model.")
            text = f"{text} {base}".strip()
        self._hint.say(title, text)
        self._hint.setVisible(bool(title))

    def _why_it_stays(self, info: ModelInfo) -> str:
        if info.bundled:
            return self.tr("A starter model belongs to the app and stays.")
        if info.is_foreign:
            return self.tr("It belongs to {0} and is only read here. Remove it there.").format(
                info.origin
            )
        if info.absent and info.origin == "models folder":
            return self.tr("Its drive is not connected.")
        return ""

    def _show_buttons(self, model: InstalledModel) -> None:
        info = model.info
        state = self._state
        held = model.status in IN_MEMORY
        loading = model.status == "loading"
        self._load.setVisible(not held)
        self._unload.setVisible(held and not loading)
        self._cancel.setVisible(loading)
        self._bar.setVisible(loading)
        self._share.setVisible(loading)
        if state is not None:
            self._bar.setValue(round(state.progress * 1000))
            share = formatting.percent(round(state.progress, 2))
            compiles = state.step == "compiling"
            words = self.tr("Preparing it to write faster, {0}") if compiles else "{0}"
            self._share.setText(words.format(share))
        self._load.set_reason(info.problem)
        self._chat.set_reason(info.problem)
        self._remove.set_reason(self._why_it_stays(info))

    def _build(self, theme: Theme) -> None:
        body = QWidget()
        body.setProperty("part", "scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 20, 24, 24)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._back, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._name, 1)
        head.addWidget(self._kind, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._star, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(self._subtitle)
        column.addSpacing(16)
        for notice in (self._problem, self._hint):
            column.addWidget(notice)
            column.addSpacing(12)
        column.addSpacing(6)
        self._column = column
        column.addStretch(1)
        self._area = scrolled(body, "model_scroll", self.tr("Facts"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._area, 1)
        outer.addWidget(self._foot())
        self._back.setVisible(self._narrow)
        for part in (self._unload, self._cancel, self._bar, self._share):
            part.hide()  # else the window would have to be as wide as all of them for a moment

    def _foot(self) -> QFrame:
        foot = panel("side", "model_foot", "top")
        foot.setFixedHeight(57)
        row = QHBoxLayout(foot)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(10)
        for button in (self._chat, self._load, self._unload, self._cancel):
            row.addWidget(button)
        row.addWidget(self._bar, 1)
        row.addWidget(self._share)
        row.addStretch(1)
        row.addWidget(self._remove)
        return foot
