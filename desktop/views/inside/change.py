"""Change and see: switch parts off, put another word in, steer the temperature of each step.

The unchanged run stands beside the changed one, token by token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.inside import ReadAnatomy, ReadWords
from desktop.views.inside.change_controls import ChangeControls
from desktop.views.inside.change_run import RunColumn
from desktop.views.inside.steering import STEPS
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.pieces import spoken
from desktop.widgets.controls import label, scrolled
from inference.inside.questions import AskChanged, ChangedRun
from inference.library.anatomy import Anatomy
from inference.prompt.turn_stops import with_turn_stops

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo


class ChangeView(InsideView):
    """Two runs side by side: as it is, and as it is changed.

    Args:
        theme: The look at the start.
        native_form: The installed checkpoint with the same weights, or ``None``.

    Signals:
        model_asked: Id of that checkpoint, to be loaded.
    """

    model_asked = Signal(str)

    def __init__(
        self, theme: Theme, native_form: Callable[[ModelInfo], ModelInfo | None] | None = None
    ) -> None:
        super().__init__(theme, "inside_change")
        self._native_form = native_form
        self._subject: Subject | None = None
        self._asked: AskChanged | None = None
        self._run_shown: ChangedRun | None = None
        self._words: ReadWords | None = None
        self._native_id = ""
        self._side = ChangeControls(theme)
        self._side.changed.connect(self._run)
        self._side.word_given.connect(self._on_word)
        self._side.native_button.clicked.connect(lambda: self.model_asked.emit(self._native_id))
        self._gguf_words = label("", theme, "small", "text3", wrap=True, name="change_gguf")
        self._sentence = label("", theme, "body", wrap=True, name="change_sentence")
        self._step_words = label("", theme, "small", "text3", wrap=True, name="change_step")
        self._before = RunColumn(theme, "change_before", self.tr("As it is"))
        self._after = RunColumn(theme, "change_after", self.tr("Changed"))
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        runs = QHBoxLayout()
        runs.setSpacing(20)
        for run in (self._before, self._after):
            run.said.connect(self.said)
            run.step_chosen.connect(self._show_step)
            runs.addWidget(run, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(14)
        column.addWidget(self._gguf_words)
        column.addWidget(self._sentence)
        column.addWidget(self._step_words)
        column.addLayout(runs)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "change_scroll", self.tr("Change and see")))

    def controls(self) -> QWidget | None:
        """Return what can be changed."""
        return self._side

    def show_subject(self, subject: Subject) -> None:
        """Offer this model's parts, and run the text up to the chosen place."""
        self._subject = subject
        self._side.set_subject(subject)
        self._side.steering.set_plain(subject.source.request.sampling.temperature)
        self._say_form(subject)
        self.asked.emit(ReadAnatomy(subject.model.path))  # the number of heads
        self._run()

    def _say_form(self, subject: Subject) -> None:
        """Say why llama.cpp's models keep all their parts, and offer the form that does not."""
        gguf = subject.loaded.engine == "gguf"
        native = self._native_form(subject.model) if gguf and self._native_form else None
        self._native_id = "" if native is None else native.id
        self._side.native_button.setVisible(native is not None)
        self._gguf_words.setVisible(gguf)
        why = self.tr(
            "llama.cpp runs a GGUF model as a whole, so no part of it can be switched off: that "
            "needs the native form. Another word and other temperatures work here too."
        )
        self._gguf_words.setText(why)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show both runs."""
        if question == self._words and isinstance(finding, tuple):
            self._side.set_edit(finding[0])
        elif isinstance(finding, Anatomy):
            self._side.set_heads(finding.n_heads)
        elif question == self._asked and isinstance(finding, ChangedRun):
            self._show(finding, is_written=self._asked.length > 0)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Say why there is nothing to compare."""
        if question == self._asked:
            self._sentence.setText(f"{problem.message} {problem.hint}".strip())
            self._run_shown = None
            self._step_words.setText("")
            self._show_runs(shown=False)

    def _on_word(self, word: str) -> None:
        self._words = ReadWords((word,))
        self.asked.emit(self._words)

    def _run(self) -> None:
        """Ask for the chances first: in large models writing takes longer than a person waits."""
        self._sentence.setText(self.tr("The text is read twice: as it is, and changed."))
        self._ask(0)

    def _ask(self, length: int) -> None:
        subject = self._subject
        if subject is None:
            return
        ids, steering = subject.ids_before, self._side.steering
        changed = self._side.edited(ids)
        self._asked = AskChanged(
            ids,
            self._side.changes(),
            changed,
            length,
            steering.temperatures(),
            steering.plain(),
            steering.seed,
            _stops(subject),
        )
        self.asked.emit(self._asked)

    # --- what is shown ---------------------------------------------------------------------

    def _show(self, run: ChangedRun, *, is_written: bool) -> None:
        self._sentence.setText(self._told(run))
        self._run_shown = run
        self._show_runs(shown=True)
        if not run.before_steps:
            self._before.show_chances(run.before.top)
            self._after.show_chances(run.after.top)
            if is_written:
                self._step_words.setText(self.tr("The context has no room for further tokens."))
            else:
                self._step_words.setText(self.tr("Both runs are writing."))
                self._ask(STEPS)
            return
        for column, steps, text, is_ended in (
            (self._before, run.before_steps, run.before_text, run.before_ended),
            (self._after, run.after_steps, run.after_text, run.after_ended),
        ):
            column.show_written(steps, text, is_ended=is_ended)
        self._show_step(1)

    def _show_runs(self, *, shown: bool) -> None:
        for run in (self._before, self._after):
            run.setVisible(shown)

    def _show_step(self, step: int) -> None:
        """Show both runs' chances at one step; step 1 is the first token that is written."""
        run = self._run_shown
        if run is None or not run.before_steps:
            return
        told = [column.show_step(step) for column in (self._before, self._after)]
        total = max(len(run.before_steps), len(run.after_steps))
        self._step_words.setText(
            self.tr("Step {0} of {1}. ").format(max(1, step), total) + " ".join(told)
        )

    def _told(self, run: ChangedRun) -> str:
        digits = 2 if run.shift_bits >= 0.01 else 4  # a small change is not none
        bits = formatting.decimal(run.shift_bits, digits)
        if not self._side.changes() and not self._side.has_edit:
            if self._side.steering.is_on:
                return self.tr(
                    "The model is as it is; only what is drawn from its chances is steered."
                )
            return self.tr(
                "Nothing is changed yet: change something beside this; in a narrow window the "
                "button at the top leads there."
            )
        first, other = run.before.top[0], run.after.top[0]
        if first.id == other.id:
            return self.tr(
                "“{0}” stays the likeliest. The chances moved by {1} bits (Kullback-Leibler)."
            ).format(spoken(first), bits)
        return self.tr(
            "“{0}” becomes “{1}”. The chances moved by {2} bits (Kullback-Leibler)."
        ).format(spoken(first), spoken(other), bits)


def _stops(subject: Subject) -> tuple[str, ...]:
    """Return the texts that end an answer in this chat; a text of one's own ends by itself."""
    request = with_turn_stops(subject.source.request, subject.loaded.turn_stops)
    return request.sampling.stop
