"""Beside the attention: all heads in small, where the chosen token looks, and what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import label, panel, scrolled
from desktop.widgets.notice import Notice

if TYPE_CHECKING:
    import numpy.typing as npt

    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_SHOWN: Final = 6


class AttentionSide(QWidget):
    """All heads, and where the chosen token looks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("attention_side")
        self.grid = HeadGrid(theme, "attention_heads", self.tr("All heads"))
        self.grid_frame = grid_frame(self.grid, theme, self.tr("All heads"))
        self.row = ShareBars(theme, "attention_row", self.tr("Where the chosen token looks"))
        self.row_frame = FigureFrame(self.row, theme, self.tr("From here"), origin="measured")
        self._summary = label("", theme, "small", "text2", wrap=True, name="attention_summary")
        self._habits = label("", theme, "small", "text2", wrap=True, name="attention_habits")
        self._habits.hide()
        honest = Notice(theme, name="attention_honest", severity="info")
        honest.say(
            self.tr("Attention is not an explanation."),
            self.tr("It shows where a head looked, not why the next word came."),
        )
        fitting = honest.sizePolicy()
        fitting.setVerticalPolicy(QSizePolicy.Policy.Preferred)  # its words wrap in this width
        honest.setSizePolicy(fitting)
        body = panel("side", "attention_side_body")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 14, 16, 16)
        column.setSpacing(14)
        for widget in (self.grid_frame, honest, self.row_frame, self._summary, self._habits):
            column.addWidget(widget)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        area = scrolled(body, "attention_side_scroll", self.tr("All heads"))
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        whole.addWidget(area)

    def name_row(self, piece: TokenPiece) -> None:
        """Name the token that looks."""
        words = self.tr("“{0}” looks most at").format(shown(piece))
        self.row_frame.set_sentence(words)

    def show_row(self, pieces: tuple[TokenPiece, ...], row: npt.NDArray[np.float32]) -> None:
        """Show the strongest looks of the last token of a row, (T,), and what they come to."""
        best = np.argsort(-row, kind="stable")[:_SHOWN]
        self.row.set_rows(tuple((pieces[int(n)], float(row[n])) for n in best))
        here, first = formatting.chance(float(row[-1])), formatting.chance(float(row[0]))
        if len(row) == 1:
            words = self.tr("The first token can only look at itself.")
        elif len(row) == 2:
            words = self.tr("{0} on itself, {1} on the first token.").format(here, first)
        else:
            before = formatting.chance(float(row[-2]))
            words = self.tr("{0} on itself, {1} on the token before, {2} on the very first one.")
            words = words.format(here, before, first)
        self._summary.setText(words)

    def show_habits(self, shares: npt.NDArray[np.float32]) -> None:
        """Say where tokens look over the whole text: itself, the one before, the first, (3,)."""
        if np.isnan(shares).any():
            self.hide_habits()
            return
        here, before, first = (formatting.chance(float(share)) for share in shares)
        self._habits.setText(
            self.tr(
                "Over the whole text: {0} on the token itself, {1} on the one before, {2} on the "
                "very first one, where heads rest when nothing fits (the “attention sink”)."
            ).format(here, before, first)
        )
        self._habits.show()

    def hide_habits(self) -> None:
        """Say nothing of the whole text."""
        self._habits.hide()


def grid_frame(grid: HeadGrid, theme: Theme, title: str) -> FigureFrame:
    """Return the frame around all heads, here or large."""
    sentence = grid.tr("Rows are layers, columns are heads. Choose one to enlarge it.")
    return FigureFrame(grid, theme, title, sentence, origin="measured")
