"""Evaluation: how expected a text is, word by word, and models side by side on the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.evaluation import Wish
from desktop.views.inside.evaluation_controls import EvaluationControls
from desktop.views.inside.evaluation_reading import ReadingPanel
from desktop.views.inside.evaluation_table import ComparePanel
from desktop.views.inside.evaluation_text import MARGIN, EvaluationText
from desktop.views.inside.view import InsideView
from desktop.widgets.controls import scrolled
from desktop.widgets.inputs import Segments
from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    from desktop.evaluation import ReadText, Row
    from desktop.inside import Inquiry, Result, Subject
    from desktop.values import EngineState, Models, Problem
    from desktop.widgets.theme import Theme


class EvaluationView(InsideView):
    """Has a text of its own; asks for one to be read, or for models to be measured on it.

    Signals:
        read_asked: A ``Wish``: read it with the model in memory.
        read_stop_asked: End that.
        compare_asked: A ``Wish``, the models, and whether also what is known is measured.
        compare_stop_asked: End that.
        text_changed: A ``Wish``: what is known of it may be shown.
        file_chosen: Path of a text to open.
        answer_wanted: The chat's latest answer is wanted as the text.
    """

    read_asked = Signal(object)
    read_stop_asked = Signal()
    compare_asked = Signal(object, object, bool)
    compare_stop_asked = Signal()
    text_changed = Signal(object)
    file_chosen = Signal(str)
    answer_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "inside_evaluation")
        self.text = EvaluationText(theme)
        self.side = EvaluationControls(theme)
        self.reading = ReadingPanel(theme)
        self.comparing = ComparePanel(theme)
        self._notice = Notice(theme, name="evaluation_problem", severity="bad", closable=True)
        self._notice.hide()
        self._parts = Segments(
            self.tr("What is shown"),
            (
                ("reading", self.tr("Word by word")),
                ("comparing", self.tr("Models side by side")),
            ),
            theme,
            name="evaluation_part",
        )
        self._parts.set_value("reading")
        self._parts.chosen.connect(self.open_part)
        self.comparing.hide()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(24 - MARGIN, 16, 24 - MARGIN, 20)
        column.setSpacing(10)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.setContentsMargins(MARGIN, 0, MARGIN, 0)
        row.addWidget(self._parts)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self._notice)
        column.addWidget(self.reading)
        column.addWidget(self.comparing)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(body, "evaluation_scroll", self.tr("Evaluation")))
        self.setFocusProxy(self.text.field)
        self._connect()

    def _connect(self) -> None:
        self.text.changed.connect(self._on_text)
        self.text.file_chosen.connect(self.file_chosen)
        self.text.answer_wanted.connect(self.answer_wanted)
        self.side.cut_changed.connect(self._on_text)
        self.side.ticks_changed.connect(self._say_ticked)
        self.reading.run_asked.connect(lambda: self.read_asked.emit(self.wish()))
        self.reading.stop_asked.connect(self.read_stop_asked)
        self.comparing.run_asked.connect(self._on_compare)
        self.comparing.stop_asked.connect(self.compare_stop_asked)
        for panel in (self.reading, self.comparing):
            panel.said.connect(self.said)

    def controls(self) -> QWidget:
        """Return method, window and models."""
        return self.side

    # --- what is shown ---------------------------------------------------------------------

    def open_part(self, part: str) -> None:
        """Show the text word by word, or models side by side."""
        self._parts.set_value(part)
        self.comparing.setVisible(part == "comparing")
        self.reading.setVisible(part == "reading")
        self._notice.hide()

    def wish(self) -> Wish:
        """Return what would be measured now."""
        return Wish(self.text.text(), self.side.method(), self.side.window_asked())

    def set_text(self, text: str, title: str) -> None:
        """Show another text."""
        self._notice.hide()
        self.text.set_text(text, title)

    def set_engine(self, state: EngineState) -> None:
        """Hear which model is in memory."""
        self.reading.set_engine(state)

    def set_models(self, models: Models) -> None:
        """Hear what is installed."""
        self.side.set_models(models)

    def show_read(self, found: ReadText) -> None:
        """Show a text as the model expected it."""
        self._notice.hide()
        self.reading.show_found(found)
        self.reading.show_text(self.text.text())

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show the table."""
        self.comparing.show_rows(rows)

    def explain(self, problem: Problem) -> None:
        """Say what went wrong."""
        self._notice.say(problem.title, f"{problem.message} {problem.hint}".strip())
        self._notice.show()

    def show_subject(self, subject: Subject) -> None:
        """Begin with the text that the other views look at, where there is none yet."""
        if not self.text.text():
            source = subject.source
            self.text.set_text(source.answer or source.request.text or "", source.title)

    def take(self, question: Inquiry, finding: Result) -> None:
        """Nothing is asked of the page."""
        del question, finding

    # --- what is wished --------------------------------------------------------------------

    def _on_text(self) -> None:
        self._say_ticked()
        wish = self.wish()
        self.reading.show_text(wish.text)
        self.text_changed.emit(wish)

    def _say_ticked(self) -> None:
        has_text = bool(self.text.text().strip())
        self.comparing.set_ticked(len(self.side.ticked()), has_text=has_text)

    def _on_compare(self, again: bool) -> None:
        self.compare_asked.emit(self.wish(), self.side.ticked(), again)
