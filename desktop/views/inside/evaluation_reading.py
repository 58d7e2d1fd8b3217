"""One text, word by word: how expected the model in memory finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from desktop.views.inside.evaluation_text import MARGIN, swap
from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.heat_legend import HeatLegend
from desktop.widgets.charts.model_cells import perplexity_words
from desktop.widgets.charts.origin import OriginLabel
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.word_heat import WordHeat
from desktop.widgets.controls import Button, IconButton, label, tell
from inference.inside.perplexity import stride_of
from inference.types import TokenPiece

if TYPE_CHECKING:
    from desktop.evaluation import ReadText
    from desktop.values import EngineState
    from desktop.widgets.theme import Theme

_PAGE: Final = 400
"""Words shown at a time: laying out more at once would hold up the window."""
_LN2: Final = 0.6931471805599453


class ReadingPanel(QWidget):
    """Starts and stops, says how far it is, and shows what was found.

    Signals:
        run_asked: Read the text.
        stop_asked: End the reading.
        said: A sentence for the person.
    """

    run_asked = Signal()
    stop_asked = Signal()
    said = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("evaluation_reading")
        self._found: ReadText | None = None
        self._page = 0
        self._run = Button(self.tr("Measure this text"), theme, kind="main", name="evaluation_read")
        self._run.clicked.connect(self.run_asked)
        self._stop = Button(self.tr("Stop"), theme, name="evaluation_read_stop", icon_name="square")
        self._stop.clicked.connect(self.stop_asked)
        self._bar = QProgressBar()
        self._bar.setObjectName("evaluation_read_progress")
        self._bar.setAccessibleName(self.tr("Reading the text"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._told = label("", theme, "small", "text3", wrap=True, name="evaluation_read_told")
        self._earlier = label(
            self.tr("The text has been changed since; these figures are of what it was."),
            theme,
            "small",
            "warn",
            wrap=True,
            name="evaluation_earlier",
        )
        self._earlier.hide()
        self._numbers = label("", theme, "title", wrap=True, name="evaluation_perplexity")
        self._origin = OriginLabel(theme, "measured")
        self._means = label("", theme, "body", "text2", wrap=True, name="evaluation_means")
        self._how = label("", theme, "small", "text3", wrap=True, name="evaluation_how")
        self.heat = WordHeat(theme, "evaluation_words", self.tr("Surprise word by word"))
        self._legend = HeatLegend(theme)
        self.strip = SurpriseStrip(theme, "evaluation_strip", self.tr("Surprise along the text"))
        self.hardest = ShareBars(
            theme,
            "evaluation_hardest",
            self.tr("The most unexpected words"),
            lambda bits: self.tr("{0} bits").format(formatting.decimal(bits, 1)),
            unit="bits",
        )
        self.heat.place_chosen.connect(self._choose)
        self.strip.place_chosen.connect(self._choose)
        self.hardest.place_chosen.connect(self._on_hardest)
        self._where = label("", theme, "small", "text2", name="evaluation_page")
        self._before = IconButton(
            "chevron-left", self.tr("Words before"), theme, name="evaluation_before", size=26
        )
        self._after = IconButton(
            "chevron-right", self.tr("Words after"), theme, name="evaluation_after", size=26
        )
        self._before.clicked.connect(lambda: self._turn(self._page - 1))
        self._after.clicked.connect(lambda: self._turn(self._page + 1))
        self._results = QWidget()
        self._build(theme)
        self.show_busy(busy=False)
        self._results.hide()

    def _build(self, theme: Theme) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._run)
        row.addWidget(self._stop)
        row.addWidget(self._bar, 1)
        row.addStretch(0)
        head = QHBoxLayout()
        head.addWidget(self._numbers, 1)
        head.addWidget(self._origin)
        pages = QHBoxLayout()
        pages.setSpacing(6)
        for widget in (self._before, self._where, self._after):
            pages.addWidget(widget)
        pages.addStretch(1)
        inner = QVBoxLayout(self._results)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(12)
        inner.addWidget(self._earlier)
        inner.addLayout(head)
        inner.addWidget(self._means)
        inner.addWidget(self._how)
        inner.addLayout(pages)
        frames = (
            FigureFrame(self.strip, theme, self.tr("Surprise along the text"), origin="measured"),
            FigureFrame(
                self.heat,
                theme,
                self.tr("Word by word"),
                self.tr("The stronger the ground, the less the model expected the word."),
                origin="measured",
                legend=self._legend,
            ),
            FigureFrame(
                self.hardest,
                theme,
                self.tr("The most unexpected words"),
                self.tr("Enter or a click leads to the word."),
                origin="measured",
            ),
        )
        for frame in frames:
            frame.said.connect(self.said)
            inner.addWidget(frame)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(10)
        column.addLayout(row)
        column.addWidget(self._told)
        column.addWidget(self._results)

    # --- what is shown ---------------------------------------------------------------------

    def set_engine(self, state: EngineState) -> None:
        """Say which model reads, or why none does."""
        reasons = {
            "none": self.tr("No model is in memory. Choose one with Ctrl+M."),
            "stopped": self.tr("No model is in memory. Choose one with Ctrl+M."),
            "loading": self.tr("The model is being loaded."),
        }
        self._run.set_reason(reasons.get(state.status, ""))
        if not self._stop.isHidden():
            return
        name = state.model.name if state.model is not None else ""
        ready = self.tr("Read by the model in memory: {0}.").format(name)
        found = self._found
        if found is not None and not found.is_whole and found.model == state.model:
            ready = self._stopped_words(found)
        tell(self._told, reasons.get(state.status, ready))

    def show_busy(self, *, busy: bool) -> None:
        """Offer to begin, or to stop; the keyboard stays with whichever is there."""
        swap(self._run, self._stop, busy=busy)
        self._bar.setVisible(busy)

    def show_progress(self, done: int, windows: int, tokens: int, fraction: float) -> None:
        """Say how far the reading is."""
        self._bar.setValue(round(1000 * fraction))
        if not windows:
            tell(self._told, self.tr("The text is cut into tokens."))
            return
        words = self.tr("{0} of {1} windows read; {2} tokens in all.")
        counts = (formatting.count(number) for number in (done, windows, tokens))
        tell(self._told, words.format(*counts))

    def _stopped_words(self, found: ReadText) -> str:
        words = self.tr(
            "Stopped after {0} of {1} windows: the figures are of what was read by then."
        )
        counts = (found.score.n_windows, found.n_windows)
        return words.format(*(formatting.count(number) for number in counts))

    def show_text(self, text: str) -> None:
        """Say that the figures are of another text, where they are."""
        found = self._found
        self._earlier.setVisible(found is not None and found.wish.text != text)

    def show_found(self, found: ReadText) -> None:
        """Show what was found."""
        self._found = found
        tell(self._told, "" if found.is_whole else self._stopped_words(found))
        self._numbers.setText(self.tr("Perplexity {0}").format(perplexity_words(found.perplexity)))
        bits = found.bits_per_byte
        means = [
            self.tr("{0} bits a token").format(formatting.decimal(found.bits_per_token, 2)),
            self.tr("{0} bits a word").format(formatting.decimal(found.bits_per_word, 2)),
            self.tr("bits per byte not known: the tokenizer changes the text")
            if bits is None
            else self.tr("{0} bits per byte").format(formatting.decimal(bits, 3)),
        ]
        self._means.setText(" · ".join(means))
        self._how.setText(self._how_words(found))
        places = found.hardest
        self.hardest.set_rows(
            tuple((found.words[n].text.strip(), found.words[n].bits or 0.0) for n in places)
        )
        self.heat.set_scale(found.full_bits)
        self._legend.set_scale(found.full_bits)
        self._turn(0)
        self._results.show()

    def _how_words(self, found: ReadText) -> str:
        counts = {
            "scored": formatting.count(found.scored),
            "tokens": formatting.count(len(found.pieces)),
            "windows": formatting.count(found.score.n_windows),
            "window": formatting.count(found.window),
            "stride": formatting.count(stride_of(found.window, found.wish.method)),
            "model": found.model.name,
        }
        if found.wish.method == "llama.cpp":
            words = self.tr(
                "{model} scored {scored} of {tokens} tokens: {windows} windows of {window} side by "
                "side, of each the second half, as llama.cpp does. Words that only stood before "
                "others have no ground."
            )
        elif found.n_windows == 1:
            words = self.tr("{model} scored {scored} of {tokens} tokens, all in one window.")
        else:
            words = self.tr(
                "{model} scored {scored} of {tokens} tokens, each once: {windows} windows of "
                "{window}, each beginning about {stride} further than the one before."
            )
        return words.format(**counts)

    # --- places ------------------------------------------------------------------------------

    def _turn(self, page: int) -> None:
        """Show another part of the words."""
        found = self._found
        if found is None:
            return
        pages = max(1, -(-len(found.words) // _PAGE))
        self._page = max(0, min(page, pages - 1))
        first = self._page * _PAGE
        words = found.words[first : first + _PAGE]
        self.heat.set_words(words)
        self.strip.set_text(
            tuple(TokenPiece(-1, word.text.strip()) for word in words),
            tuple(None if word.bits is None else -word.bits * _LN2 for word in words),
        )
        self.strip.set_chosen(-1)
        self._where.setText(
            self.tr("Words {0} to {1} of {2}").format(
                formatting.count(first + 1),
                formatting.count(first + len(words)),
                formatting.count(len(found.words)),
            )
        )
        for widget in (self._before, self._where, self._after):
            widget.setVisible(pages > 1)
        self._before.setEnabled(self._page > 0)
        self._after.setEnabled(self._page < pages - 1)

    def _choose(self, place: int) -> None:
        """Mark a word of the page in both figures."""
        self.strip.set_chosen(place)
        self.heat.set_mark(place)

    def _on_hardest(self, row: int) -> None:
        if self._found is None:
            return
        place = self._found.hardest[row]
        self._turn(place // _PAGE)
        self._choose(place % _PAGE)
        self.heat.setFocus()
        self.heat.set_mark(place % _PAGE)
