"""Decoding lab: every way of decoding from one place and one seed, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.views.inside.view import InsideView
from desktop.widgets import formatting
from desktop.widgets.charts.beam_tree import BeamTreeFigure
from desktop.widgets.charts.chance_bars import ChanceBars, Chances, chance_rows
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown
from desktop.widgets.controls import Button, label, scrolled
from desktop.widgets.token_strip import TokenStrip
from desktop.widgets.value_row import ValueBox, ValueSpec
from inference.inside.decodings import Decoded, RunDecodings
from inference.inside.questions import AskNext, NextTokens
from inference.inside.stages import Sorted
from inference.types import TokenPiece

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import Problem
    from desktop.widgets.theme import Theme

_SHOWN: Final = 8
_LENGTH: Final = 24
_RUN: Final = 3


class LabView(InsideView):
    """Runs only when it is asked to: writing takes longer than looking."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_lab")
        self._subject: Subject | None = None
        self._asked: RunDecodings | None = None
        self._step_asked: AskNext | None = None
        self._found: tuple[Decoded, ...] = ()
        self._left: tuple[str, ...] = ()  # ways that are still to be written
        self._chosen = 0
        self._step = 0
        self._seed = _number((1, 1_000_000), 41, "lab_seed", self.tr("Seed"), theme)
        self._length = _number((4, 128), _LENGTH, "lab_length", self.tr("Tokens"), theme)
        self._run = Button(
            self.tr("Write it eight ways"), theme, kind="main", name="lab_run", icon_name="dices"
        )
        self._run.clicked.connect(self._on_run)
        self._stop = Button(self.tr("Stop"), theme, name="lab_stop", icon_name="circle-stop")
        self._stop.clicked.connect(self._on_stop)
        self._stop.hide()
        self._told = label("", theme, "small", "text3", wrap=True, name="lab_told")
        self._progress = label("", theme, "small", "text2", name="lab_progress")
        self._progress.hide()
        self._measures = label(
            self.tr(
                "Bits a token: how much the text surprised the model itself. Distinct-1 and "
                "distinct-2: the share of tokens, and of pairs of neighbours, that are new in the "
                "text (Li et al. 2016); low means little variety. Runs of {0} repeated: how often "
                "{0} tokens in a row had stood there before; many mean it goes in circles."
            ).format(_RUN),
            theme,
            "small",
            "text3",
            wrap=True,
            name="lab_measures",
        )
        self._measures.hide()
        self._rows = QGridLayout()
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._choose)
        self._strip = TokenStrip(theme, "lab_steps", open_end=False)
        self._strip.place_chosen.connect(self._on_step)
        self._bars = ChanceBars(theme, "lab_bars", self.tr("The cut at this step"))
        self._tree = BeamTreeFigure(theme, "beam_tree", self.tr("The tree of the beam search"))
        self._bars_frame = FigureFrame(
            self._bars,
            theme,
            self.tr("The cut at this step"),
            origin="measured",
            method=self.tr("cut derived"),
        )
        scroll = QScrollArea()
        scroll.setObjectName("beam_tree_scroll")
        scroll.setAccessibleName(self.tr("The tree of the beam search"))
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self._tree)
        scroll.setMinimumHeight(300)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._tree_words = label("", theme, "small", "text3", wrap=True)
        self._after = QWidget()
        after = QVBoxLayout(self._after)
        after.setContentsMargins(0, 0, 0, 0)
        after.setSpacing(10)
        after.addWidget(self._strip)
        after.addWidget(self._bars_frame)
        after.addWidget(label(self.tr("The tree of the beam search"), theme, "heading"))
        after.addWidget(self._tree_words)
        after.addWidget(scroll)
        self._after.hide()
        self._bars_frame.said.connect(self.said)
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        for words, box in ((self.tr("Seed"), self._seed), (self.tr("Tokens"), self._length)):
            head.addWidget(label(words, theme, "body", "text2"))
            head.addWidget(box)
        head.addStretch(1)
        head.addWidget(self._stop)
        head.addWidget(self._run)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(self._told)
        column.addWidget(self._progress)
        self._rows.setColumnStretch(1, 1)
        self._rows.setHorizontalSpacing(12)
        self._rows.setVerticalSpacing(8)
        column.addLayout(self._rows)
        column.addWidget(self._measures)
        column.addWidget(self._after)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "lab_scroll", self.tr("Decoding lab")))

    # --- what is shown ---------------------------------------------------------------------

    def show_subject(self, subject: Subject) -> None:
        """Take the text up to the chosen place as the prompt; another model wrote nothing yet."""
        if self._subject is not None and self._subject.model != subject.model:
            self._clear()
        self._subject = subject
        if self._stop.isHidden():
            self._end()
        else:  # it was being written when the page was left, or the engine went
            self._settle()
        if self._step_asked is not None:  # the engine went before it could answer
            self.asked.emit(self._step_asked)
        self._say(subject)

    def _say(self, subject: Subject) -> None:
        """Say from where it is written, and whether what is shown was."""
        before = formatting.tail(subject.words_before)
        words = self.tr("From “{0}” on, each way writes with the same seed.").format(before)
        if not before:
            words = self.tr("From the beginning on, each way writes with the same seed.")
        if self._asked is not None and self._asked.ids != subject.ids_before:
            words += " " + self.tr("What stands below was written from another place.")
        self._told.setText(words)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was written in one way, or a step of it."""
        if question == self._asked and isinstance(finding, Decoded):
            self._found = (*self._found, finding)
            self._add_row(finding)
            if finding.tree is not None:
                self._tree.set_tree(finding.tree)
                self._tree_words.setText(self._tree.sentence())
            self._write_next()
        elif question == self._step_asked and isinstance(finding, NextTokens):
            self._step_asked = None
            self._show_step(finding)

    def refuse(self, question: Inquiry, problem: Problem) -> None:
        """Keep what is written so far, and let it be tried again."""
        del problem
        if question == self._asked:
            self._settle()

    def _on_run(self) -> None:
        if self._subject is None:
            return
        self._clear()
        self._say(self._subject)
        self._left = tuple(self._names())
        self._run.set_reason(self.tr("It is being written."))
        self._stop.show()
        self._write_next()

    def _write_next(self) -> None:
        """Ask for the next way, or look at what has been written."""
        subject, total = self._subject, len(self._names())
        if subject is None:
            return
        if not self._left:
            self._settle()
            return
        way, self._left = self._left[0], self._left[1:]
        numbers = round(self._seed.value()), round(self._length.value())
        self._asked = RunDecodings(subject.ids_before, way, *numbers)
        self._progress.setText(
            self.tr("{0}: being written, {1} of {2}.").format(
                self._names()[way], total - len(self._left), total
            )
        )
        self._progress.show()
        self.asked.emit(self._asked)

    def _on_stop(self) -> None:
        """Keep what is written so far."""
        self._left = ()
        self.stop_asked.emit()
        self._settle()

    def _settle(self) -> None:
        """End, and let what is written be looked at step by step, all of it or not."""
        self._end()
        first = next((row for row, one in enumerate(self._found) if one.tokens), None)
        if first is not None:
            self._measures.show()
            self._after.show()
            self._choose(first)

    def _end(self) -> None:
        self._left = ()
        self._run.set_reason("")
        self._stop.hide()
        self._progress.setText("")
        self._progress.hide()

    def _names(self) -> dict[str, str]:
        return {
            "greedy": self.tr("Greedy"),
            "beam": self.tr("Beam, 4"),
            "contrastive": self.tr("Contrastive, 4"),
            "temperature": self.tr("Drawn as it is"),
            "cool": self.tr("Temperature 0.5"),
            "top_k": self.tr("Top-k 20"),
            "top_p": self.tr("Top-p 0.9"),
            "min_p": self.tr("Min-p 0.1"),
        }

    def _clear(self) -> None:
        """Take away what was written."""
        self._found, self._asked, self._step_asked = (), None, None
        self._after.hide()
        self._measures.hide()
        self._tree.set_tree(None)
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()

    def _add_row(self, one: Decoded) -> None:
        row = len(self._found) - 1
        name = Button(
            self._names()[one.name],
            self.theme,
            kind="segment",
            name=f"lab_way_{one.name}",
            small=True,
        )
        name.setCheckable(True)
        name.set_reason(one.problem)
        self._group.addButton(name, row)
        words = label(one.problem or one.text.strip(), self.theme, "body", wrap=True)
        words.setObjectName(f"lab_text_{one.name}")
        figures = label(self._figures(one), self.theme, "small", "text3")
        figures.setObjectName(f"lab_figures_{one.name}")
        top = Qt.AlignmentFlag.AlignTop
        self._rows.addWidget(name, row, 0, top)
        self._rows.addWidget(words, row, 1, top)
        self._rows.addWidget(figures, row, 2, top)

    def _figures(self, one: Decoded) -> str:
        if not one.tokens:
            return ""
        repeated = one.repeated(_RUN)
        return "\n".join(
            (
                self.tr("{0} bits a token").format(formatting.decimal(one.mean_bits, 2)),
                self.tr("distinct-1 {0}, distinct-2 {1}").format(
                    formatting.percent(one.distinct(1)), formatting.percent(one.distinct(2))
                ),
                self.tr("no run of {0} repeated").format(_RUN)
                if not repeated
                else self.tr("runs of {0} repeated: {1}").format(_RUN, repeated),
            )
        )

    # --- steps of one way ------------------------------------------------------------------

    def _choose(self, row: int) -> None:
        self._chosen = row
        button = self._group.button(row)
        if button is not None:
            button.setChecked(True)
        self._on_step(1)

    def _on_step(self, step: int) -> None:
        if not self._found or self._subject is None or self._asked is None:
            return
        one = self._found[self._chosen]
        self._step = max(1, min(step, len(one.tokens)))
        start = TokenPiece(-1, "…")
        self._strip.set_text((start, *one.tokens), self._step)
        if one.tokens:
            ids = tuple(piece.id for piece in one.tokens[: self._step - 1])
            self._step_asked = AskNext(self._asked.ids + ids, top_n=40, all_logits=True)
            self.asked.emit(self._step_asked)

    def _show_step(self, finding: NextTokens) -> None:
        one = self._found[self._chosen]
        stages = Sorted.found_in(finding).stages(one.sampling)
        drawn = one.tokens[self._step - 1]
        rows = chance_rows(stages, (drawn, *finding.top), _SHOWN, drawn.id)
        cut_at = next((index for index, row in enumerate(rows) if row.drawn <= 0), None)
        has_cut = cut_at is not None and cut_at > 0
        words = self.tr("{0} cuts here").format(self._names()[one.name]) if has_cut else ""
        self._bars.set_chances(Chances(rows, cut_at if has_cut else None, words))
        self._bars_frame.set_sentence(
            self.tr("Step {0} of {1}: “{2}” was taken.").format(
                self._step, len(one.tokens), shown(drawn)
            )
        )


def _number(bounds: tuple[int, int], value: int, name: str, words: str, theme: Theme) -> ValueBox:
    low, high = bounds
    spec = ValueSpec(name, words, low, high, low, high, 1, 0, lambda _value: "")
    box = ValueBox(spec, theme)
    box.setObjectName(name)
    box.setFixedWidth(84)
    box.setValue(value)
    return box
