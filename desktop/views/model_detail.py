"""One installed model: what it is, what it needs, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from desktop.itemmodels.models import IN_MEMORY
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
    from desktop.values import EngineState, InstalledModel
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo


class ModelDetail(QFrame):
    """Shows one model and asks for what a person wants done with it.

    Signals:
        load_asked, remove_asked, chat_asked: Model id.
        unload_asked, cancel_asked, back_asked: No argument.
    """

    load_asked = Signal(str)
    remove_asked = Signal(str)
    chat_asked = Signal(str)
    unload_asked = Signal()
    cancel_asked = Signal()
    back_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model: InstalledModel | None = None
        self._state: EngineState | None = None
        self.setObjectName("model_detail")
        self.setAccessibleName(self.tr("The chosen model"))
        self.setProperty("ground", "page")
        self._back = IconButton("arrow-left", self.tr("Back to the list"), theme, name="model_back")
        self._back.clicked.connect(self.back_asked)
        self._name = label("", theme, "title", wrap=True, name="model_name")
        self._kind = Badge("", theme)
        self._kind.setObjectName("model_kind")
        self._subtitle = label("", theme, "body", "text2", wrap=True, name="model_subtitle")
        self._problem = Notice(theme, name="model_problem", severity="bad")
        self._note = Notice(theme, name="model_note", severity="info")
        self._facts: dict[str, QLabel] = {}
        self._memory = label("", theme, "body", wrap=True, name="model_memory")
        self._origin = Badge("", theme)
        self._origin.setObjectName("model_memory_origin")
        self._path = label("", theme, "code_small", "text2", wrap=True, name="model_path")
        self._bar = QProgressBar()
        self._bar.setObjectName("model_progress")
        self._bar.setAccessibleName(self.tr("Loading"))
        self._bar.setTextVisible(False)
        self._make_buttons(theme)
        self._build(theme)

    def show_model(self, model: InstalledModel, state: EngineState) -> None:
        """Show a model and what the engine does with it."""
        self._model = model
        self._state = state
        info = model.info
        self._name.setText(info.name)
        self._kind.set_text(kind_words(info), kind_tone(info))
        self._subtitle.setText(self._subtitle_words(info))
        self._say_problem(info, state)
        self._say_note(info)
        for name, words in self._fact_words(info).items():
            self._facts[name].setText(words)
        self._say_memory(model)
        self._path.setText(info.path.replace("/", "/\u200b"))  # may wrap at folders
        self._show_buttons(model)

    def set_narrow(self, *, narrow: bool) -> None:
        """Offer the way back to the list."""
        self._back.setVisible(narrow)

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
        trouble = state.problem
        is_this = state.model is not None and state.model.id == info.id
        if not text and trouble is not None and is_this:
            title = trouble.title
            text = " ".join(part for part in (trouble.message, trouble.hint) if part)
        self._problem.say(title, text)
        self._problem.setVisible(bool(text))

    def _say_note(self, info: ModelInfo) -> None:
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
        elif not info.has_chat_template and not info.problem:
            title = title or self.tr("This model has no chat template.")
            text = self.tr("It continues your text instead of answering.")
        self._note.say(title, text)
        self._note.setVisible(bool(title))

    def _fact_words(self, info: ModelInfo) -> dict[str, str]:
        unknown = self.tr("not stated")
        context = self.tr("{0} tokens").format(formatting.count(info.n_ctx_train))
        vocabulary = self.tr("{0} tokens").format(formatting.count(info.n_vocab))
        template = self.tr("brought along") if info.has_chat_template else self.tr("none")
        sources = {
            "starter": self.tr("came with the app"),
            "models folder": self.tr("models folder"),
            "added": self.tr("added by you"),
        }
        return {
            "architecture": info.architecture or unknown,
            "context": context if info.n_ctx_train else unknown,
            "vocabulary": vocabulary if info.n_vocab else unknown,
            "format": info.quantization or unknown,
            "size": formatting.size(info.size_bytes) if info.size_bytes else unknown,
            "template": template,
            "license": info.license or unknown,
            "source": sources.get(info.origin, info.origin or unknown),
        }

    def _say_memory(self, model: InstalledModel) -> None:
        if model.memory_bytes:
            words = self.tr("{0} in memory now").format(formatting.size(model.memory_bytes))
            self._origin.set_text(self.tr("measured"))
        elif model.estimate_bytes:
            words = self.tr("about {0}").format(formatting.size(model.estimate_bytes))
            self._origin.set_text(self.tr("derived from the files"))
        else:
            words = self.tr("not known before it is loaded")
            self._origin.set_text("")
        self._memory.setText(words)
        self._origin.setVisible(bool(model.memory_bytes or model.estimate_bytes))

    def _show_buttons(self, model: InstalledModel) -> None:
        info = model.info
        state = self._state
        held = model.status in IN_MEMORY
        loading = model.status == "loading"
        self._load.setVisible(not held)
        self._unload.setVisible(held and not loading)
        self._cancel.setVisible(loading)
        self._bar.setVisible(loading)
        if state is not None:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(state.progress * 1000))
        self._load.set_reason(info.problem)
        self._chat.set_reason(info.problem)
        keeps = self.tr("A starter model belongs to the app and stays.") if info.bundled else ""
        self._remove.set_reason(keeps)

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
        column.addLayout(head)
        column.addWidget(self._subtitle)
        column.addSpacing(16)
        for notice in (self._problem, self._note):
            column.addWidget(notice)
            column.addSpacing(12)
        memory = QHBoxLayout()
        memory.setSpacing(10)
        memory.addWidget(label(self.tr("Memory"), theme, "body_medium"))
        memory.addWidget(self._memory, 1)
        memory.addWidget(self._origin)
        column.addLayout(memory)
        column.addSpacing(14)
        column.addWidget(rule())
        column.addSpacing(14)
        column.addLayout(self._fact_grid(theme))
        column.addSpacing(14)
        column.addWidget(rule())
        column.addSpacing(14)
        column.addWidget(label(self.tr("Where it is"), theme, "small", "text3"))
        column.addWidget(self._path)
        column.addStretch(1)
        scroll = scrolled(body, "model_scroll", self.tr("Facts"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addWidget(self._foot())

    def _fact_grid(self, theme: Theme) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(2)
        titles = {
            "architecture": self.tr("Architecture"),
            "context": self.tr("Longest context"),
            "vocabulary": self.tr("Vocabulary"),
            "format": self.tr("Form of the weights"),
            "size": self.tr("Size on disk"),
            "template": self.tr("Chat template"),
            "license": self.tr("Licence"),
            "source": self.tr("Where it came from"),
        }
        for number, (name, title) in enumerate(titles.items()):
            row, column = divmod(number, 4)
            value = label("", theme, "body_medium", wrap=True, name=f"fact_{name}")
            value.setAccessibleDescription(title)
            self._facts[name] = value
            grid.addWidget(label(title, theme, "small", "text3"), row * 3, column)
            grid.addWidget(value, row * 3 + 1, column)
            grid.setRowMinimumHeight(row * 3 + 2, 12)
            grid.setColumnStretch(column, 1)
        return grid

    def _foot(self) -> QFrame:
        foot = panel("side", "model_foot", "top")
        foot.setFixedHeight(57)
        row = QHBoxLayout(foot)
        row.setContentsMargins(24, 0, 24, 0)
        row.setSpacing(10)
        for button in (self._chat, self._load, self._unload, self._cancel):
            row.addWidget(button)
        row.addWidget(self._bar, 1)
        row.addStretch(1)
        row.addWidget(self._remove)
        return foot
