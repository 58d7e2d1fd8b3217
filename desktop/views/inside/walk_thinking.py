"""The last chapter of the walk-through: one question answered at once, and after thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.inside import ChatRun, RunChat
from desktop.widgets import formatting
from desktop.widgets.charts.origin import OriginLabel
from desktop.widgets.controls import Button, label, tell
from desktop.widgets.focus_ring import focus_by_keyboard

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_LENGTHS: Final = {False: 128, True: 512}


class WalkThinking(QWidget):
    """Asks for the quick answer first, then for the one with thoughts.

    Signals:
        asked: A ``RunChat``.
    """

    asked = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("walk_thinking")
        self._waiting: tuple[RunChat, ...] = ()
        self._now: RunChat | None = None
        self._model_id = ""
        self._field = QLineEdit(
            self.tr("A farmer has 17 sheep. All but 9 run away. How many are left?")
        )
        self._field.setObjectName("walk_question")
        self._field.setAccessibleName(self.tr("The question"))
        self._field.returnPressed.connect(self._on_ask)
        self._field.textChanged.connect(self._say_why_not)
        self._button = Button(
            self.tr("Ask it twice"), theme, name="walk_ask_twice", icon_name="brain"
        )
        self._button.clicked.connect(self._on_ask)
        self._figures: dict[bool, QLabel] = {}
        self._thoughts: dict[bool, QLabel] = {}
        self._answers: dict[bool, QLabel] = {}
        ask = QHBoxLayout()
        ask.addWidget(self._field, 1)
        ask.addWidget(self._button)
        self._runs = QWidget()
        runs = QHBoxLayout(self._runs)
        runs.setContentsMargins(0, 0, 0, 0)
        runs.setSpacing(24)
        for thinking, title in ((False, self.tr("Quick")), (True, self.tr("Thinking"))):
            runs.addWidget(self._make_run(theme, title, thinking=thinking), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(ask)
        column.addWidget(self._runs)
        column.addStretch(1)
        self._runs.hide()  # until there is something to say

    def _make_run(self, theme: Theme, title: str, *, thinking: bool) -> QWidget:
        name = "thinking" if thinking else "quick"
        self._figures[thinking] = label(
            "", theme, "small", "text3", wrap=True, name=f"walk_{name}_figures"
        )
        self._thoughts[thinking] = label(
            "", theme, "small", "text2", wrap=True, name=f"walk_{name}_thought"
        )
        self._answers[thinking] = label("", theme, "body", wrap=True, name=f"walk_{name}_answer")
        head = QHBoxLayout()
        head.addWidget(label(title, theme, "heading"))
        head.addStretch(1)
        head.addWidget(OriginLabel(theme, "measured"))
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        for words in (self._figures, self._thoughts, self._answers):
            column.addWidget(words[thinking])
            words[thinking].hide()
        column.addStretch(1)
        return side

    def show_model(self, model_id: str) -> None:
        """Let it be asked; what another model wrote is no longer shown."""
        self.end()
        if model_id != self._model_id:
            self._model_id = model_id
            self._runs.hide()

    def question(self) -> str:
        """Return what is asked."""
        return self._field.text().strip()

    def show_run(self, question: RunChat, run: ChatRun) -> None:
        """Show one of the two, and ask for the other."""
        if question != self._now:
            return
        at = question.thinking
        if run.problem:
            self.end(run.problem)
            return
        one, many = self.tr("{0} token in {1} s"), self.tr("{0} tokens in {1} s")
        words = (one if run.tokens == 1 else many).format(
            formatting.count(run.tokens), formatting.decimal(run.seconds, 1)
        )
        if run.is_cut:
            words = self.tr("{0}, then cut off").format(words)
        tell(self._figures[at], words)
        tell(
            self._thoughts[at],
            self.tr("Thought: {0}").format(run.thought) if run.thought else "",
        )
        none = self.tr("No answer yet: it was still thinking.") if run.is_cut else ""
        tell(self._answers[at], run.answer or none or self.tr("It wrote no answer."))
        self._next()

    def end(self, problem: str = "") -> None:
        """Let it be asked again."""
        now, self._now, self._waiting = self._now, None, ()
        self._say_why_not()
        if now is not None or problem:  # given up in the middle, or it cannot be done at all
            tell(self._figures[now.thinking if now is not None else False], problem)
            self._runs.setVisible(any(one.text() for one in self._figures.values()))

    def _say_why_not(self) -> None:
        """Tell by the button why nothing can be asked now, if so."""
        if self._now is not None:
            self._button.set_reason(self.tr("It is being answered."))
        else:
            self._button.set_reason("" if self.question() else self.tr("Write a question first."))

    def _on_ask(self) -> None:
        text = self.question()
        if not text or self._now is not None:
            return
        for words in (self._figures, self._thoughts, self._answers):
            for one in words.values():
                tell(one, "")
        self._runs.show()
        if self._button.hasFocus():  # it is switched off meanwhile
            focus_by_keyboard(self._field, Qt.FocusReason.OtherFocusReason)
        self._waiting = tuple(RunChat(text, thinking, _LENGTHS[thinking]) for thinking in _LENGTHS)
        self._next()

    def _next(self) -> None:
        self._now = None
        if not self._waiting:
            self.end()
            return
        self._now, self._waiting = self._waiting[0], self._waiting[1:]
        self._say_why_not()
        tell(self._figures[self._now.thinking], self.tr("is being written …"))
        self.asked.emit(self._now)
