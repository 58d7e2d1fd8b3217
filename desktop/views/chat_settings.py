"""The panel beside a chat: system prompt and how words are drawn, each with its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from PySide6.QtCore import QEvent, QObject, QRegularExpression, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.values import COMPLETION_TOKENS
from desktop.views import sampling
from desktop.widgets import formatting
from desktop.widgets.controls import IconButton, label, panel, rule, scrolled
from desktop.widgets.inputs import Switch
from desktop.widgets.text_area import TextArea
from desktop.widgets.theme import layout
from desktop.widgets.value_row import ValueBox, ValueRow, ValueSpec

if TYPE_CHECKING:
    from desktop.values import ChatDetail
    from desktop.widgets.theme import Theme
    from inference.types import SamplingParams

_SETTLE_MS: Final = 600
_SEED_LIMIT: Final = 2**64 - 1


class ChatSettings(QFrame):
    """Shows and changes what a chat is answered with.

    Signals:
        system_prompt_changed: The new text.
        sampling_changed: The new ``SamplingParams``.
        close_asked: The close button.
    """

    system_prompt_changed = Signal(str)
    sampling_changed = Signal(object)
    close_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sampling: SamplingParams | None = None
        self._prompt_kept = ""
        self._is_base = False
        self.setObjectName("chat_settings")
        self.setAccessibleName(self.tr("Chat settings"))
        self.setProperty("ground", "side")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.flush)
        self._prompt = TextArea(theme, name="system_prompt", title=self.tr("System prompt"))
        self._prompt.setFixedHeight(78)  # three lines
        self._prompt_help = self._help(
            "system_prompt_help",
            self.tr(
                "Put before every message. A model knows nothing but what stands here and "
                "in the chat."
            ),
        )
        self._rows = tuple(ValueRow(spec, theme) for spec in sampling.value_specs())
        self._seed = QLineEdit()
        self._seed_help = self._help("sampling_seed_help")
        self._length = self._length_box()
        self._length_help = self._help("sampling_length_help")
        self._guess = Switch(self.tr("Guess ahead"), theme, name="sampling_speculate")
        self._guess_help = self._help("sampling_speculate_help")
        self._stops = TextArea(theme, name="sampling_stop", title=self.tr("Stop texts"))
        self._stops.setFixedHeight(58)
        self._stop_help = self._help("sampling_stop_help")
        self._build()
        self._connect()

    def set_chat(self, chat: ChatDetail) -> None:
        """Show the settings of a chat; nothing is emitted."""
        self._settle.stop()
        self._sampling = chat.sampling
        if not self._prompt.hasFocus() or self._prompt_kept != chat.system_prompt:
            self._prompt_kept = chat.system_prompt
            if self._prompt.toPlainText() != chat.system_prompt:
                with QSignalBlocker(self._prompt):
                    self._prompt.setPlainText(chat.system_prompt)
        for row, field in zip(self._rows, sampling.FIELDS, strict=True):
            row.set_value(float(getattr(chat.sampling, field)))
        self._show_rest(chat.sampling)

    def set_base_model(self, *, is_base: bool) -> None:
        """Say where a system prompt has no effect: a base model continues the text alone."""
        words = self.tr(
            "Put before every message. A model knows nothing but what stands here and in the chat."
        )
        if is_base:
            words = self.tr("A base model continues your text and does not read this.")
        self._prompt_help.setText(words)
        self._is_base = is_base
        self._length.setSpecialValueText(
            formatting.count(COMPLETION_TOKENS) if is_base else self.tr("no limit")
        )
        self._say_length()

    def _say_length(self) -> None:
        if self._sampling is not None:
            words = sampling.length_help(self._sampling.max_tokens, is_base=self._is_base)
            self._length_help.setText(words)

    def flush(self) -> None:
        """Hand on what was typed and not yet handed on."""
        self._settle.stop()
        text = self._prompt.toPlainText()
        if text != self._prompt_kept:
            self._prompt_kept = text
            self.system_prompt_changed.emit(text)
        self._keep(stop=sampling.stops_from_lines(self._stops.toPlainText()))

    def _show_rest(self, params: SamplingParams) -> None:
        with QSignalBlocker(self._seed):
            self._seed.setText("" if params.seed is None else str(params.seed))
        self._seed_help.setText(sampling.seed_help(params.seed))
        with QSignalBlocker(self._length):
            self._length.setValue(params.max_tokens or 0)
        self._say_length()
        with QSignalBlocker(self._guess):
            self._guess.setChecked(params.speculate == "prompt")
        self._guess_help.setText(sampling.guess_help(on=params.speculate == "prompt"))
        if sampling.stops_from_lines(self._stops.toPlainText()) != params.stop:
            with QSignalBlocker(self._stops):
                self._stops.setPlainText(sampling.lines_from_stops(params.stop))
        self._stop_help.setText(sampling.stop_help(params.stop))

    def _keep(self, **changes: object) -> None:
        if self._sampling is None:
            return
        changed = msgspec.structs.replace(self._sampling, **changes)
        if changed == self._sampling:
            return
        self._sampling = changed
        self._show_rest(changed)
        self.sampling_changed.emit(changed)

    def _connect(self) -> None:
        self._prompt.textChanged.connect(self._settle.start)
        self._stops.textChanged.connect(self._settle.start)
        self._prompt.installEventFilter(self)
        self._stops.installEventFilter(self)
        for row, field in zip(self._rows, sampling.FIELDS, strict=True):
            whole = field == "top_k"
            row.value_changed.connect(
                lambda value, f=field, w=whole: self._keep(
                    **{f: int(value) if w else round(value, 2)}
                )
            )
        self._seed.editingFinished.connect(self._on_seed_edited)
        self._guess.toggled.connect(self._on_guess_toggled)
        self._length.valueChanged.connect(
            lambda value: self._keep(max_tokens=int(value) if value else None)
        )

    def _on_guess_toggled(self, on: bool) -> None:
        self._keep(speculate="prompt" if on else "off")

    def _on_seed_edited(self) -> None:
        text = self._seed.text().strip()
        self._keep(seed=min(int(text), _SEED_LIMIT) if text else None)

    def _on_random_seed(self) -> None:
        self._keep(seed=None)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Watch what this widget cares about elsewhere."""
        if event.type() == QEvent.Type.FocusOut and self._settle.isActive():
            self.flush()
        return False

    def _help(self, name: str, words: str = "") -> QLabel:
        return label(words, self._theme, "small", "text3", wrap=True, name=name)

    def _length_box(self) -> ValueBox:
        spec = ValueSpec(
            "sampling_length", self.tr("Length"), 0, 1 << 30, 0, 1, 1, 0, lambda _value: ""
        )
        box = ValueBox(spec, self._theme)
        box.setSpecialValueText(self.tr("no limit"))
        box.setFixedWidth(96)
        return box

    def _build(self) -> None:
        theme = self._theme
        head = panel("side", "side_panel_head", "bottom")
        head.setFixedHeight(layout("header"))
        head_row = QHBoxLayout(head)
        head_row.setContentsMargins(16, 0, 8, 0)
        head_row.addWidget(label(self.tr("Chat settings"), theme, "heading"))
        head_row.addStretch(1)
        close = IconButton(
            "x", self.tr("Close the panel"), theme, name="panel_close", keys="Ctrl+J"
        )
        close.clicked.connect(self.close_asked)
        head_row.addWidget(close)

        body = QWidget()
        body.setProperty("part", "scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(0)
        column.addWidget(label(self.tr("System prompt"), theme, "body_medium"))
        column.addSpacing(6)
        column.addWidget(self._prompt)
        column.addSpacing(6)
        column.addWidget(self._prompt_help)
        self._add_rule(column)
        for row in self._rows:
            column.addWidget(row)
            column.addSpacing(14)
        column.addSpacing(-14)
        self._add_rule(column)
        self._add_field(column, self.tr("Seed"), self._seed_box(), self._seed_help)
        self._add_field(column, self.tr("Length"), self._length, self._length_help)
        self._add_field(column, self.tr("Guess ahead"), self._guess, self._guess_help)
        column.addWidget(label(self.tr("Stop texts"), theme, "body_medium"))
        column.addSpacing(6)
        column.addWidget(self._stops)
        column.addSpacing(6)
        column.addWidget(self._stop_help)
        column.addStretch(1)

        scroll = scrolled(body, "side_panel_scroll", self.tr("Chat settings"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(head)
        outer.addWidget(scroll, 1)
        self.setFocusProxy(self._prompt)

    def _seed_box(self) -> QWidget:
        self._seed.setObjectName("sampling_seed")
        self._seed.setAccessibleName(self.tr("Seed"))
        self._seed.setPlaceholderText(self.tr("random"))
        self._seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._seed.setFont(self._theme.font("body", tabular=True))
        digits = QRegularExpression("[0-9]{0,20}")
        self._seed.setValidator(QRegularExpressionValidator(digits, self._seed))
        self._seed.setFixedWidth(124)
        dice = IconButton(
            "dices",
            self.tr("Draw a new seed each time"),
            self._theme,
            name="sampling_seed_random",
            size=28,
        )
        dice.clicked.connect(self._on_random_seed)
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(dice)
        row.addWidget(self._seed)
        return box

    def _add_field(self, column: QVBoxLayout, title: str, field: QWidget, words: QLabel) -> None:
        row = QHBoxLayout()
        row.addWidget(label(title, self._theme, "body_medium"))
        row.addStretch(1)
        row.addWidget(field)
        column.addLayout(row)
        column.addSpacing(6)
        column.addWidget(words)
        column.addSpacing(14)

    @staticmethod
    def _add_rule(column: QVBoxLayout) -> None:
        column.addSpacing(14)
        column.addWidget(rule())
        column.addSpacing(14)
