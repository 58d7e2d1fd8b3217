"""How the looks of one token in one head come about: query times key, scores, shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktop.widgets.charts.colour_scale import ColourScale
from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.product_rows import ProductRows
from inference.inside.products import AskProducts, Products

if TYPE_CHECKING:
    from desktop.inside import Subject
    from desktop.widgets.theme import Theme


def _tr(text: str) -> str:
    return QCoreApplication.translate("ScoresFrame", text)


class ScoresFrame(FigureFrame):
    """Knows what it asks for, and shows it."""

    def __init__(self, theme: Theme) -> None:
        self._rows = ProductRows(theme, "attention_scores", _tr("How the scores come about"))
        super().__init__(
            self._rows,
            theme,
            _tr("How the scores come about"),
            origin="derived",
            method=_tr("query times key"),
            legend=ColourScale(
                theme,
                _tr("below 0"),
                _tr("above 0"),
                _tr("Colours from below 0 to above 0"),
                diverging=True,
            ),
        )

    @staticmethod
    def question(subject: Subject, row: int, layer: int, head: int) -> AskProducts:
        """Return what has to be asked about a token that looks."""
        return AskProducts(subject.ids, layer, head, row)

    def show_found(self, subject: Subject, row: int, found: Products) -> None:
        """Show what was found, and say how to read it."""
        tokens = subject.tokens[: row + 1]
        self._rows.set_products(tokens, found)
        self.set_sentence(
            self.tr(
                "Bold: the query of “{0}”. Below, for each token it can look at: its key, then "
                "query times key, number by number. A row of products adds up to the score; the "
                "softmax turns all scores into shares that add up to 1. Later tokens are left out "
                "first."
            ).format(shown(tokens[-1]))
        )
