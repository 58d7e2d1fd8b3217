"""The last chapter of the walk-through: one question answered at once, and after thinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.inside import ChatRun, RunChat
from desktop.widgets import formatting
from desktop.widgets.charts.origin import OriginLabel
from desktop.widgets.controls import Button, label

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
        self._field = QLineEdit(
            self.tr("A farmer has 17 sheep. All but 9 run away. How many are left?")
        )
        self._field.setObjectName("walk_question")
        self._field.setAccessibleName(self.tr("The question"))
        self._field.returnPressed.connect(self._on_ask)
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
        runs = QHBoxLayout()
        runs.setSpacing(24)
        for thinking, title in ((False, self.tr("Quick")), (True, self.tr("Thinking"))):
            runs.addLayout(self._make_run(theme, title, thinking=thinking), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(ask)
        column.addWidget(OriginLabel(theme, "measured"), 0, Qt.AlignmentFlag.AlignRight)
        column.addLayout(runs)
        column.addStretch(1)

    def _make_run(self, theme: Theme, title: str, *, thinking: bool) -> QVBoxLayout:
        name = "thinking" if thinking else "quick"
        self._figures[thinking] = label(
            "", theme, "small", "text3", wrap=True, name=f"walk_{name}_figures"
        )
        self._thoughts[thinking] = label(
            "", theme, "small", "text2", wrap=True, name=f"walk_{name}_thought"
        )
        self._answers[thinking] = label("", theme, "body", wrap=True, name=f"walk_{name}_answer")
        column = QVBoxLayout()
        column.addWidget(label(title, theme, "body_strong"))
        for words in (self._figures, self._thoughts, self._answers):
            column.addWidget(words[thinking])
        column.addStretch(1)
        return column

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
        words = self.tr("{0} tokens in {1} s").format(
            formatting.count(run.tokens), formatting.decimal(run.seconds, 1)
        )
        if run.is_cut:
            words = self.tr("{0}, then cut off").format(words)
        self._figures[at].setText(words)
        thought = self.tr("Thought: {0}").format(run.thought) if run.thought else ""
        self._thoughts[at].setText(thought)
        self._answers[at].setText(run.answer or self.tr("No answer yet: it was still thinking."))
        self._next()

    def end(self, problem: str = "") -> None:
        """Let it be asked again."""
        self._waiting, self._now = (), None
        self._button.set_reason("")
        if problem:
            self._figures[False].setText(problem)

    def _on_ask(self) -> None:
        text = self.question()
        if not text or self._now is not None:
            return
        for words in (self._figures, self._thoughts, self._answers):
            for one in words.values():
                one.setText("")
        self._waiting = tuple(RunChat(text, thinking, _LENGTHS[thinking]) for thinking in _LENGTHS)
        self._button.set_reason(self.tr("It is being answered."))
        self._next()

    def _next(self) -> None:
        if not self._waiting:
            self.end()
            return
        self._now, self._waiting = self._waiting[0], self._waiting[1:]
        self._figures[self._now.thinking].setText(self.tr("is being written …"))
        self.asked.emit(self._now)
