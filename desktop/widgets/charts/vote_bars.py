"""Which parts of a network voted for a word: a bar to either side of 0 for each part."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.colour_map import signed_colour
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.part_names import layer_words, part_words
from desktop.widgets.charts.pieces import spoken
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.inside.pushes import Vote, Votes

_HEAD: Final = 22
_ROW: Final = 24
_BAR: Final = 12
_LEFT: Final = 58
_NUMBER: Final = 54
_GAP: Final = 16
_LEAST: Final = 2.0


class VoteBars(Figure):
    """Places are layers, the last one at the top; below them what belongs to none.

    A layer has attention on the left and the feed-forward part on the right; the row below has the
    embedding and the rest.
    """

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._votes: Votes | None = None
        self._rows: tuple[tuple[Vote, ...], ...] = ()
        self._chosen: int | None = None

    def set_votes(self, votes: Votes) -> None:
        """Show what was found."""
        self._votes = votes
        layers = {vote.layer for vote in votes.votes}
        self._rows = tuple(
            tuple(vote for vote in votes.votes if vote.layer == layer)
            for layer in sorted(layers, reverse=True)
        )
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def set_chosen(self, layer: int | None) -> None:
        """Keep the row of a layer lit, from 0; -1 = of what belongs to none."""
        self._chosen = layer
        self.update()

    def layer_of(self, place: int) -> int:
        """Return the layer of a row, from 0; -1 = what belongs to none."""
        return self._rows[place][0].layer

    def strongest(self) -> int | None:
        """Return the layer that does most for the word, from 0."""
        layers = [row for row in self._rows if row[0].layer >= 0]
        most = max(layers, key=lambda row: sum(vote.lead for vote in row), default=None)
        return None if most is None else most[0].layer

    def sizeHint(self) -> QSize:
        """Return the height of all rows and both heads."""
        return QSize(480, len(self._rows) * _ROW + 2 * _HEAD + 4 if self._rows else 0)

    # --- in words and numbers --------------------------------------------------------------

    def sentence(self) -> str:
        """Return what a person would say of it."""
        votes = self._votes
        if votes is None:
            return self.tr("Nothing to show yet.")
        named = [vote for vote in votes.votes if vote.kind != "rest"]
        most = max(named, key=lambda vote: vote.lead)
        least = min(named, key=lambda vote: vote.lead)
        words = self.tr("The score of “{0}” is {1} above the mean of all tokens; most of it: {2}.")
        told = words.format(spoken(votes.token), formatting.decimal(votes.lead, 1), _told(most))
        if least.lead < 0:
            told += " " + self.tr("Most against it: {0}.").format(_told(least))
        return told

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers in the order in which the parts add to the stream."""
        votes = () if self._votes is None else self._votes.votes
        rows = [
            (
                vote.kind,
                str(vote.layer + 1) if vote.layer >= 0 else "",
                *(f"{number:.8g}" for number in (vote.rise, vote.mean, vote.lead)),
            )
            for vote in votes
        ]
        return (("part", "layer", "rise", "mean of all tokens", "lead"), *rows)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        found = (n for n in range(len(self._rows)) if 0 <= spot.y() - self._top(n) < _ROW)
        return next(found, -1)

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        return ", ".join(_told(vote) for vote in self._rows[place])

    # --- painting --------------------------------------------------------------------------

    def _top(self, row: int) -> int:
        heads = 1 if self._rows[row][0].layer >= 0 else 2
        return heads * _HEAD + row * _ROW

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        most = max((abs(vote.lead) for row in self._rows for vote in row), default=1.0) or 1.0
        half = (size.width() - _LEFT) / 2
        for place, row in enumerate(self._rows):
            top = self._top(place)
            if place == 0 or row[0].layer < 0:
                self._draw_heads(painter, top - _HEAD, half, row)
            self._draw_ground(painter, size, place, top)
            for column, vote in enumerate(row):
                left = _LEFT + column * half
                self._draw_bar(painter, QRectF(left, top, half - _GAP, _ROW), vote.lead, most)

    def _draw_heads(
        self, painter: QPainter, top: float, half: float, row: tuple[Vote, ...]
    ) -> None:
        painter.setFont(self.theme.font("label"))
        painter.setPen(self.theme.text3)
        for column, vote in enumerate(row):
            place = QRectF(_LEFT + column * half, top, half - _GAP, _HEAD)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, part_words(vote.kind))

    def _draw_ground(self, painter: QPainter, size: QSize, place: int, top: int) -> None:
        theme, layer = self.theme, self._rows[place][0].layer
        box = QRectF(0, top, size.width(), _ROW)
        paint_row_ground(painter, self, box, place, is_chosen=layer == self._chosen)
        if layer >= 0:
            painter.setFont(theme.font("label", tabular=True))
            painter.setPen(theme.text3)
            place_of = QRectF(4, top, _LEFT - 8, _ROW)
            painter.drawText(place_of, Qt.AlignmentFlag.AlignVCenter, layer_words(layer))

    def _draw_bar(self, painter: QPainter, box: QRectF, lead: float, most: float) -> None:
        """Paint one part from 0 in the middle of its column, with its number."""
        theme = self.theme
        reach = max(10.0, (box.width() - _NUMBER) / 2)
        zero, length = box.left() + reach, lead / most * reach
        painter.setPen(QPen(theme.line_strong, 1))
        painter.drawLine(QLineF(zero, box.top(), zero, box.bottom()))
        if round(lead, 2):  # what is told as 0 has no bar
            length = math.copysign(max(_LEAST, abs(length)), length)
        if abs(length) >= _LEAST:  # an outline brings out what is near the paper's own colour
            painter.setPen(QPen(theme.control, 1))
            painter.setBrush(signed_colour(theme, lead / most))
            top = box.top() + (_ROW - _BAR) / 2
            painter.drawRect(QRectF(min(zero, zero + length), top, abs(length), _BAR))
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.text2)
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, align, formatting.signed(lead, 2))


def _told(vote: Vote) -> str:
    """Return a part and its lead, e.g. ``attention of layer 2 +1.30``."""
    return f"{part_words(vote.kind, vote.layer)} {formatting.signed(vote.lead, 2)}"
