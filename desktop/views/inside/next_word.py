"""Next word: what could have stood at a place, and how settings reshape the model's chances."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.views.inside.view import InsideView
from desktop.views.sampling import value_specs
from desktop.widgets import formatting
from desktop.widgets.charts.chance_bars import ChanceBars, Chances, chance_rows
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.legend import Legend
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.controls import Button, label, panel, rule, scrolled
from desktop.widgets.value_row import ValueRow
from inference.inside.questions import AskNext, AskSurprise, NextTokens, Surprise
from inference.inside.stages import CUTS, Sorted, draw
from inference.types import SamplingParams

if TYPE_CHECKING:
    from desktop.inside import Inquiry, Result, Subject
    from desktop.widgets.theme import Theme
    from inference.inside.stages import Stages
    from inference.types import TokenPiece

_SHOWN: Final = 14
_LIVE: Final = ("temperature", "top_k", "top_p", "min_p")


class NextWordView(InsideView):
    """Bars of the chosen place, the surprise of the whole text, and settings that act at once."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_next_word")
        self._subject: Subject | None = None
        self._asked: AskNext | None = None
        self._found: NextTokens | None = None
        self._sorted: Sorted | None = None
        self._drawn_id: int | None = None
        self._first = 0  # the first token of the strip: the answer's, where there is one
        self._texts: dict[int, TokenPiece] = {}
        self._settings = SamplingParams()
        self._bars = ChanceBars(theme, "next_word_bars", self.tr("What could have stood here"))
        self._bars.place_chosen.connect(self._on_row_chosen)
        self._strip = SurpriseStrip(theme, "next_word_strip", self.tr("Surprise along the text"))
        self._strip.place_chosen.connect(self._on_strip)
        self._legend = Legend(
            theme,
            (
                ("outline", self.tr("the model's own chance")),
                ("blue", self.tr("after your settings")),
                ("accent", self.tr("the token that stands here")),
            ),
        )
        self._chance_frame = FigureFrame(
            self._bars,
            theme,
            self.tr("What could have stood here"),
            origin="measured",
            method=self.tr("bars after settings derived"),
            legend=self._legend,
        )
        self._strip_frame = FigureFrame(
            self._strip,
            theme,
            self.tr("Surprise along the text"),
            self.tr(
                "Higher means the model did not expect the token. One bit: as likely as not. The "
                "stroke is its uncertainty (entropy) before the token."
            ),
            origin="measured",
            legend=Legend(
                theme,
                (
                    ("blue", self.tr("surprise at the token")),
                    ("stroke", self.tr("uncertainty before it")),
                ),
            ),
        )
        for frame in (self._chance_frame, self._strip_frame):
            frame.said.connect(self.said)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 16, 24, 20)
        column.setSpacing(20)
        column.addWidget(self._chance_frame)
        column.addWidget(self._strip_frame)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "next_word_scroll", self.tr("Next word")))
        self._controls = _Controls(theme)
        self._controls.settings_changed.connect(self._on_settings)
        self._controls.draw_button.clicked.connect(self._on_draw)
        self._controls.reset_button.clicked.connect(self._on_reset)
        self._controls.continue_button.clicked.connect(self._on_continue)

    def controls(self) -> QWidget | None:
        """Return the live settings."""
        return self._controls

    def show_subject(self, subject: Subject) -> None:
        """Show another text: its settings are where the sliders begin."""
        if self._subject is not None and self._subject.tokens is not subject.tokens:
            self._bars.set_chances(Chances())
        self._subject = subject
        self._settings = subject.source.request.sampling
        self._controls.set_settings(self._settings)
        self._first = subject.answer_start if subject.source.answer else 0
        self._strip.set_text(subject.tokens[self._first :], ())
        self._ask(subject)
        self.asked.emit(AskSurprise(subject.ids, self._first))

    def show_place(self, subject: Subject) -> None:
        """Show another place of the same text."""
        self._subject = subject
        self._ask(subject)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Show what was found, if it is about this place."""
        if question == self._asked and isinstance(finding, NextTokens):
            self._found = finding
            self._sorted = Sorted.found_in(finding)
            self._texts = {one.id: one for one in (*finding.top, *self._standing())}
            self._show()
        subject = self._subject
        if subject is None or not isinstance(finding, Surprise):
            return
        if question == AskSurprise(subject.ids, self._first):
            first = self._first
            self._strip.set_text(
                subject.tokens[first:], finding.logprobs[first:], finding.entropy_bits[first:]
            )

    def _ask(self, subject: Subject) -> None:
        self._drawn_id = self._sorted = None  # what is shown still belongs to another place
        self._strip.set_chosen(subject.chosen - self._first)
        self._asked = AskNext(subject.ids_before, top_n=40, all_logits=True)
        self.asked.emit(self._asked)

    def _here(self) -> int | None:
        """Return the id that stands at the chosen place, or was drawn for it."""
        if self._drawn_id is not None:
            return self._drawn_id
        return next((piece.id for piece in self._standing()), None)

    def _standing(self) -> tuple[TokenPiece, ...]:
        """Return the token at the chosen place, if the text goes that far."""
        subject = self._subject
        return () if subject is None else subject.tokens[subject.chosen : subject.chosen + 1]

    def _show(self) -> None:
        if self._sorted is None or self._found is None:
            return
        stages = self._sorted.stages(self._settings)
        self._bars.set_chances(self._chances(stages))
        sentence = self.tr("{0} bits of uncertainty in the whole distribution.").format(
            formatting.decimal(self._found.entropy_bits, 1)
        )
        self._chance_frame.set_sentence(sentence)
        self._controls.show_stages(stages)
        subject = self._subject
        if subject is not None:
            here = self._here()
            whole = here in self._texts and not self._texts[here].raw  # no part of a letter
            written = subject.source.message_id and subject.chosen >= subject.answer_start
            self._controls.show_continue(possible=bool(written) and whole)

    def _chances(self, stages: Stages) -> Chances:
        here = self._here()
        rows = chance_rows(stages, self._texts.values(), _SHOWN, here)
        cut_at = next((index for index, row in enumerate(rows) if row.drawn <= 0), None)
        shown = sum(row.own for row in rows)
        return Chances(
            rows,
            cut_at if cut_at and stages.decisive is not None else None,
            self._cut_words(stages),
            len(stages.order) - len(rows),
            max(0.0, 1.0 - shown),
        )

    def _cut_words(self, stages: Stages) -> str:
        settings = self._settings
        value = {
            "top_k": formatting.count(settings.top_k),
            "top_p": formatting.decimal(settings.top_p, 2),
            "min_p": formatting.decimal(settings.min_p, 2),
            "typical_p": formatting.decimal(settings.typical_p, 2),
        }
        if stages.decisive is None:
            return ""
        name = stages.decisive.replace("_", "-")
        return self.tr("{0} {1} cuts from {2} down").format(
            name, value[stages.decisive], formatting.chance(stages.limit)
        )

    def _on_settings(self, settings: SamplingParams) -> None:
        self._settings = settings
        self._show()

    def _on_reset(self) -> None:
        if self._subject is not None:
            self._settings = self._subject.source.request.sampling
            self._controls.set_settings(self._settings)
            self._show()

    def _on_draw(self) -> None:
        if self._sorted is not None:
            stages = self._sorted.stages(self._settings)
            self._drawn_id = draw(stages, random.random())  # noqa: S311
            self._show()
            self._ask_text(stages)

    def _ask_text(self, stages: Stages) -> None:
        """Ask for more texts where an unlikely token was drawn."""
        if self._drawn_id in self._texts or self._asked is None:
            return
        place = int(np.flatnonzero(stages.order == self._drawn_id)[0])
        self._asked = AskNext(self._asked.token_ids, top_n=place + 1, all_logits=True)
        self.asked.emit(self._asked)

    def _on_strip(self, place: int) -> None:
        self.place_chosen.emit(max(1, self._first + place))

    def _on_row_chosen(self, row: int) -> None:
        self._drawn_id = self._bars.chances().rows[row].token.id
        self._show()

    def _on_continue(self) -> None:
        here = self._here()
        if here in self._texts:
            self.continue_asked.emit(self._texts[here].text)


class _Controls(QWidget):
    """Sliders that act while they move, and how many tokens each stage leaves.

    Signals:
        settings_changed: ``SamplingParams``.
    """

    settings_changed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("next_word_controls")
        self._settings = SamplingParams()
        self._rows: dict[str, ValueRow] = {}
        self._counts: dict[str, QLabel] = {}
        self.reset_button = Button(
            self.tr("Reset"), theme, kind="ghost", name="next_word_reset", small=True
        )
        head = QHBoxLayout()
        head.addWidget(label(self.tr("Settings, live"), theme, "heading"))
        head.addStretch(1)
        head.addWidget(self.reset_button)
        body = panel("side", "next_word_body")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        column.addLayout(head)
        words = self.tr("The model is not run again: its scores are kept and only reshaped.")
        column.addWidget(label(words, theme, "small", "text3", wrap=True))
        for spec in value_specs():
            name = spec.name.removeprefix("sampling_")
            if name in _LIVE:
                row = ValueRow(replace(spec, name=f"live_{name}"), theme)
                row.value_moved.connect(lambda value, name=name: self._on_moved(name, value))
                self._rows[name] = row
                column.addWidget(row)
        column.addWidget(rule())
        column.addWidget(label(self.tr("Tokens still in play"), theme, "heading"))
        column.addLayout(self._make_stages(theme))
        column.addStretch(1)
        self.draw_button = Button(
            self.tr("Draw again"), theme, name="next_word_draw", icon_name="dices", small=True
        )
        self.continue_button = Button(
            self.tr("Continue"),
            theme,
            name="next_word_continue",
            icon_name="git-branch",
            small=True,
        )
        foot = panel("side", "next_word_foot", "top")
        buttons = QHBoxLayout(foot)
        buttons.setContentsMargins(16, 12, 16, 12)
        buttons.addWidget(self.draw_button)
        buttons.addWidget(self.continue_button)
        buttons.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scrolled(body, "next_word_settings", self.tr("Settings, live")), 1)
        whole.addWidget(foot)

    def _make_stages(self, theme: Theme) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(6)
        names = {
            "scores": self.tr("Scores"),
            "top_k": self.tr("Top-k"),
            "typical_p": self.tr("Typical-p"),
            "top_p": self.tr("Top-p"),
            "min_p": self.tr("Min-p"),
            "temperature": self.tr("Temperature, then drawn"),
        }
        for place, (name, words) in enumerate(names.items()):
            grid.addWidget(label(words, theme), place, 0)
            self._counts[name] = label("", theme, "body", "text2", name=f"stage_{name}")
            grid.addWidget(self._counts[name], place, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        return grid

    def set_settings(self, settings: SamplingParams) -> None:
        """Show settings; nothing is emitted."""
        self._settings = settings
        for name, row in self._rows.items():
            row.set_value(float(getattr(settings, name)))

    def show_stages(self, stages: Stages) -> None:
        """Show how many tokens are left after each stage."""
        self._counts["scores"].setText(formatting.count(len(stages.order)))
        for cut in CUTS:
            self._counts[cut].setText(formatting.count(stages.left[cut]))
        self._counts["temperature"].setText(formatting.count(1))

    def show_continue(self, *, possible: bool) -> None:
        """Offer to go on with the token where there is an answer to go on with."""
        self.continue_button.setVisible(possible)
        self.continue_button.setToolTip(self.tr("Write the answer anew with this token here"))

    def _on_moved(self, name: str, value: float) -> None:
        kept = round(value) if name == "top_k" else value
        self._settings = msgspec.structs.replace(self._settings, **{name: kept})
        self.settings_changed.emit(self._settings)
