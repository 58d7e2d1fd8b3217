"""Models side by side on one text, and in plain words which of them to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.views.inside.evaluation_text import MARGIN, swap
from desktop.views.inside.evaluation_words import advice
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.model_cells import COLUMNS, when_words
from desktop.widgets.charts.model_table import ModelTable, head_words
from desktop.widgets.controls import Button, label, tell
from desktop.widgets.inputs import Combo

if TYPE_CHECKING:
    from desktop.evaluation import Row
    from desktop.widgets.theme import Theme


class ComparePanel(QWidget):
    """Starts and stops, and shows the rows as they become ready.

    Signals:
        run_asked: Measure the ticked models; whether also what is known.
        stop_asked: End measuring.
        said: A sentence for the person.
    """

    run_asked = Signal(bool)
    stop_asked = Signal()
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("evaluation_compare")
        self._busy = False
        self._run = Button("", theme, kind="main", name="evaluation_run")
        self._run.clicked.connect(lambda: self.run_asked.emit(False))
        self._again = Button(
            self.tr("Measure again"), theme, name="evaluation_again", icon_name="refresh-cw"
        )
        self._again.clicked.connect(lambda: self.run_asked.emit(True))
        self._stop = Button(self.tr("Stop"), theme, name="evaluation_stop", icon_name="square")
        self._stop.clicked.connect(self.stop_asked)
        self._sort = Combo(self.tr("Sort by"), theme, name="evaluation_sort")
        self._sort.addItem(self.tr("As ticked"), "")
        for column, words in zip(COLUMNS, head_words(), strict=True):
            self._sort.addItem(self.tr("By {0}").format(words), column)
        self._sort.activated.connect(self._on_sort)
        self.table = ModelTable(theme, "evaluation_table", self.tr("Models side by side"))
        self.table.sort_chosen.connect(self._on_head)
        self._told = label("", theme, "small", "text3", wrap=True, name="evaluation_told")
        self._frame = FigureFrame(
            self.table,
            theme,
            self.tr("Models side by side"),
            origin="measured",
            method=self.tr("differences derived"),
        )
        self._frame.said.connect(self.said)
        self._choose = label(self.tr("What to choose"), theme, "heading")
        self._advice = label("", theme, "body", wrap=True, name="evaluation_advice")
        honest = self.tr(
            "Perplexity counts by token, and models cut a text differently: between models with "
            "other tokens compare bits per byte. Differences are against the largest file of the "
            "same weights, by name and shape; ±0 means that this text cannot tell them apart. "
            "Every model reads plain text, without a chat template: instruct models are at a "
            "disadvantage there. Speed and main memory are of an engine process of its own, with a "
            "short context; other work of this computer makes them worse."
        )
        self._honest = label(honest, theme, "small", "text3", wrap=True)
        self._build()
        self.show_rows(())
        self.show_busy(busy=False)
        self.set_ticked(0, has_text=False)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget in (self._run, self._again, self._stop):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self._sort)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._told)
        column.addWidget(self._frame)
        column.addWidget(self._choose)
        column.addWidget(self._advice)
        column.addWidget(self._honest)

    # --- what is shown ---------------------------------------------------------------------

    def set_ticked(self, count: int, *, has_text: bool) -> None:
        """Say what would be measured."""
        words = self.tr("Measure {0} models").format(formatting.count(count))
        if count == 1:
            words = self.tr("Measure one model")
        self._run.setText(words if count else self.tr("Measure models"))
        self._run.setAccessibleName(self._run.text())
        reason = ""
        if not has_text:
            reason = self.tr("There is no text yet.")
        elif not count:
            reason = self.tr("No model is ticked.")
        for button in (self._run, self._again):
            button.set_reason(reason)

    def show_busy(self, *, busy: bool) -> None:
        """Offer to begin, or to stop; the keyboard stays with whichever is there."""
        begun_again = self._again.hasFocus()
        self._busy = busy
        swap(self._run, self._stop, busy=busy)
        if begun_again and busy:
            self._stop.setFocus(Qt.FocusReason.OtherFocusReason)
        self._offer_again()

    def _offer_again(self) -> None:
        self._again.setVisible(not self._busy and any(row.result for row in self.table.rows))

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show other rows."""
        self.table.set_rows(rows)
        self._offer_again()
        results = [row.result for row in rows if row.result is not None]
        self._frame.setVisible(bool(rows))
        self._sort.setVisible(len(rows) > 1)
        tell(self._told, self._told_words(rows))
        sentences = advice(results)
        self._advice.setText("\n".join(sentences))
        for part in (self._choose, self._advice):
            part.setVisible(bool(sentences))
        self._honest.setVisible(bool(results))
        if results:
            key = results[0].key
            self._frame.set_sentence(
                self.tr("The same text for all, in windows of {0} tokens.").format(
                    formatting.count(key.window)
                )
            )

    def _told_words(self, rows: tuple[Row, ...]) -> str:
        if not rows:
            return self.tr(
                "Tick models in the list beside this; in a narrow window the button at the top "
                "right opens it. They are loaded one after the other, measured, and let go again; "
                "the model of your chat stays where it is."
            )
        done = sum(row.state in {"done", "trouble"} for row in rows)
        if any(row.state == "stopped" for row in rows):
            return self.tr("Stopped. What was measured stays; measure again to go on.")
        if done < len(rows):
            return self.tr("{0} of {1} models done.").format(
                formatting.count(done), formatting.count(len(rows))
            )
        measured = [row.result.measured_at for row in rows if row.result is not None]
        if not measured:
            return ""
        return self.tr("Measured {0}; results are kept with this text.").format(
            when_words(min(measured))
        )

    def _on_sort(self) -> None:
        self.table.sort_by(str(self._sort.currentData()))

    def _on_head(self, column: str) -> None:
        self._sort.setCurrentIndex(self._sort.findData(column))
        self._on_sort()
