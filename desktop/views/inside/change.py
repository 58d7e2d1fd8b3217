"""Change and see: switch parts off, put another word in, steer the temperature of each step.

The unchanged run stands beside the changed one, token by token.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.inside import ReadAnatomy, ReadWords
from desktop.views.inside.change_controls import ChangeControls
from desktop.views.inside.steering import STEPS
from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import spoken
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import label, scrolled
from desktop.widgets.token_strip import TokenStrip
from inference.inside.questions import AskChanged, ChangedRun
from inference.library.anatomy import Anatomy
from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.charts.share_bars import Share
    from desktop.widgets.theme import Theme
    from inference.inside.questions import ScoredToken, WrittenStep
    from inference.types import ModelInfo

_SHOWN: Final = 8


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
        self._before = ShareBars(theme, "change_before", self.tr("As it is"), full=1.0)
        self._after = ShareBars(theme, "change_after", self.tr("Changed"), full=1.0)
        self._before_steps = TokenStrip(theme, "change_before_steps", open_end=False)
        self._after_steps = TokenStrip(theme, "change_after_steps", open_end=False)
        self._before_text = label("", theme, "body", "text2", wrap=True, name="change_before_text")
        self._after_text = label("", theme, "body", "text2", wrap=True, name="change_after_text")
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        runs = QHBoxLayout()
        runs.setSpacing(20)
        for title, bars, strip, words in (
            (self.tr("As it is"), self._before, self._before_steps, self._before_text),
            (self.tr("Changed"), self._after, self._after_steps, self._after_text),
        ):
            frame = FigureFrame(bars, theme, title, origin="measured")
            frame.said.connect(self.said)
            strip.setAccessibleName(self.tr("{0}: what it writes").format(title))
            strip.place_chosen.connect(self._show_step)
            box = QVBoxLayout()
            box.addWidget(frame)
            box.addWidget(label(self.tr("It goes on:"), theme, "small", "text3"))
            box.addWidget(strip)
            box.addWidget(words)
            box.addStretch(1)
            runs.addLayout(box, 1)
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
            self._show(finding)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Say why there is nothing to compare."""
        if question == self._asked:
            self._sentence.setText(f"{problem.message} {problem.hint}".strip())

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
        )
        self.asked.emit(self._asked)

    # --- what is shown ---------------------------------------------------------------------

    def _show(self, run: ChangedRun) -> None:
        self._sentence.setText(self._told(run))
        self._run_shown = run
        writes = bool(run.before_steps)
        for strip, steps, words in (
            (self._before_steps, run.before_steps, self._before_text),
            (self._after_steps, run.after_steps, self._after_text),
        ):
            words.setText("".join(step.text for step in steps).strip() if writes else "…")
            strip.setVisible(writes)
        if writes:
            self._show_step(1)
        else:
            self._before.set_rows(_shares(run.before.top))
            self._after.set_rows(_shares(run.after.top))
            self._step_words.setText(self.tr("Both runs are writing."))
            self._ask(STEPS)

    def _show_step(self, step: int) -> None:
        """Show both runs' chances at one step; step 1 is the first token that is written."""
        run = self._run_shown
        if run is None or not run.before_steps:
            return
        start = TokenPiece(-1, "…")
        sentences = []
        for strip, bars, steps, name in (
            (self._before_steps, self._before, run.before_steps, self.tr("As it is")),
            (self._after_steps, self._after, run.after_steps, self.tr("Changed")),
        ):
            at = max(1, min(step, len(steps)))
            strip.set_text((start, *steps), at)
            bars.set_rows(_shares(steps[at - 1].top))
            sentences.append(self._step_told(name, steps[at - 1]))
        self._step_words.setText(
            self.tr("Step {0} of {1}. ").format(step, len(run.before_steps)) + " ".join(sentences)
        )

    def _step_told(self, name: str, step: WrittenStep) -> str:
        bits = formatting.decimal(step.entropy_bits, 1)
        if not step.temperature:
            return self.tr("{0}: “{1}” is the likeliest, {2} bits of uncertainty.").format(
                name, spoken(step), bits
            )
        return self.tr("{0}: “{1}” drawn at temperature {2}, {3} bits of uncertainty.").format(
            name, spoken(step), formatting.decimal(step.temperature, 2), bits
        )

    def _told(self, run: ChangedRun) -> str:
        digits = 2 if run.shift_bits >= 0.01 else 4  # a small change is not none
        bits = formatting.decimal(run.shift_bits, digits)
        if not self._side.changes() and not self._side.has_edit:
            if self._side.steering.is_on:
                return self.tr(
                    "The model is as it is; only what is drawn from its chances is steered."
                )
            return self.tr("Nothing is changed yet: change something at the right.")
        first, other = run.before.top[0], run.after.top[0]
        if first.id == other.id:
            return self.tr(
                "“{0}” stays the likeliest. The chances moved by {1} bits (Kullback-Leibler)."
            ).format(spoken(first), bits)
        return self.tr(
            "“{0}” becomes “{1}”. The chances moved by {2} bits (Kullback-Leibler)."
        ).format(spoken(first), spoken(other), bits)


def _shares(top: tuple[ScoredToken, ...]) -> tuple[Share, ...]:
    return tuple((one, math.exp(one.logprob)) for one in top[:_SHOWN])
