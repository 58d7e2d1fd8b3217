"""Bars of what could have stood at a place: the model's own chances, and those after settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.hatching import hatch
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.row_ground import paint_row_ground
from desktop.widgets.icons import paint_icon
from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop.widgets.theme import Theme
    from inference.inside.stages import Stages

_ROW: Final = 27
_BAR: Final = 12
_WORD_LEFT: Final = 26
_WORD: Final = 118
_BARS: Final = _WORD_LEFT + _WORD
_NUMBER: Final = 66
_CUT: Final = 18
_EDGE: Final = 6


@dataclass(frozen=True, slots=True)
class ChanceRow:
    """One token: its own chance and the one it is drawn with, 0 to 1; 0 = cut."""

    token: TokenPiece
    own: float
    drawn: float
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Chances:
    """What the bars show.

    Attributes:
        rows: Likeliest first.
        cut_at: Rows above the line where a cut begins; none = nothing is cut here.
        cut_words: What the cut is.
        further: Tokens that are not shown.
        further_share: Their chance together.
    """

    rows: tuple[ChanceRow, ...] = ()
    cut_at: int | None = None
    cut_words: str = ""
    further: int = 0
    further_share: float = 0.0


def chance_rows(
    stages: Stages, tokens: Iterable[TokenPiece], count: int, here: int | None
) -> tuple[ChanceRow, ...]:
    """Return the likeliest tokens as rows.

    Args:
        stages: What the settings leave of each token.
        tokens: Those whose texts are known; any other is shown by its id.
        count: Rows at most.
        here: Id that is marked; where it is not among the likeliest it takes the last row.
    """
    known = {token.id: token for token in tokens}
    places = list(range(min(count, len(stages.order))))
    if here is not None:
        where = int((stages.order == here).argmax())
        if where >= len(places):  # unlikely, but it stands here
            places[-1] = where
    rows = []
    for place in places:
        token = int(stages.order[place])
        rows.append(
            ChanceRow(
                known.get(token, TokenPiece(token, f"id {token}")),
                float(stages.own[place]),
                float(stages.drawn[place]),
                is_chosen=token == here,
            )
        )
    return tuple(rows)


class ChanceBars(Figure):
    """Places are the rows."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._chances = Chances()

    def set_chances(self, chances: Chances) -> None:
        """Show other chances."""
        self._chances = chances
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def chances(self) -> Chances:
        """Return what is shown."""
        return self._chances

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        lines = len(self._chances.rows) * _ROW + (24 if self._chances.further else 4)
        return QSize(480, lines + (_CUT if self._chances.cut_at is not None else 0) + 20)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        rows = self._chances.rows
        if not rows:
            return self.tr("Nothing to show yet.")
        told = ", ".join(f"{spoken(row.token)} {formatting.chance(row.own)}" for row in rows[:5])
        chosen = next((row for row in rows if row.is_chosen), None)
        here = "" if chosen is None else self.tr(" “{0}” stands here.").format(spoken(chosen.token))
        return self.tr("Likeliest: {0}.").format(told) + here

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (str(row.token.id), written(row.token), f"{row.own:.8g}", f"{row.drawn:.8g}")
            for row in self._chances.rows
        ]
        return (("id", "token", "model", "after settings"), *rows)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._chances.rows)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        for index in range(self.place_count()):
            if self._top(index) <= spot.y() < self._top(index) + _ROW:
                return index
        return -1

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        row = self._chances.rows[place]
        after = self.tr("cut") if row.drawn <= 0 else formatting.chance(row.drawn)
        return self.tr("“{0}”: {1}, after settings {2}").format(
            spoken(row.token), formatting.chance(row.own), after
        )

    def _top(self, index: int) -> int:
        cut = self._chances.cut_at
        return 20 + index * _ROW + (_CUT if cut is not None and index >= cut else 0)

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads, rows, the cut and what is left out."""
        theme, chances = self.theme, self._chances
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not chances.rows:
            return
        right = size.width() - 2 * _NUMBER - 8 - _EDGE
        painter.setFont(theme.font("label"))
        painter.setPen(theme.text3)
        for offset, words in ((0, self.tr("model")), (_NUMBER, self.tr("settings"))):
            place = QRect(right + 8 + offset, 0, _NUMBER, 18)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
            )
        most = max(max(row.own, row.drawn) for row in chances.rows) or 1.0
        scale = max(20, right - _BARS) / most
        for index in range(len(chances.rows)):
            self._draw_row(painter, index, scale, size.width())
        if chances.cut_at is not None:
            self._draw_cut(painter, chances.cut_at, size.width())
        if chances.further:
            top = self._top(len(chances.rows))
            painter.setFont(theme.font("small"))
            painter.setPen(theme.text3)
            words = self.tr("and {0} further tokens with {1} together").format(
                formatting.count(chances.further), formatting.chance(chances.further_share)
            )
            place = QRect(_WORD_LEFT, top, size.width() - _WORD_LEFT, 22)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_row(self, painter: QPainter, index: int, scale: float, width: int) -> None:
        theme, top, row = self.theme, self._top(index), self._chances.rows[index]
        is_cut = row.drawn <= 0
        paint_row_ground(painter, self, QRectF(0, top, width, _ROW), index)
        if row.is_chosen:
            paint_icon(painter, "check", theme.accent_text, QRect(4, top + 6, 15, 15))
        painter.setFont(theme.font("code", bold=row.is_chosen))
        painter.setPen(theme.text3 if is_cut else theme.text)
        metrics = painter.fontMetrics()
        words = metrics.elidedText(shown(row.token), Qt.TextElideMode.ElideRight, _WORD - 12)
        painter.drawText(QRect(_WORD_LEFT, top, _WORD, _ROW), Qt.AlignmentFlag.AlignVCenter, words)
        bar_top = top + (_ROW - _BAR) / 2
        own = QRectF(_BARS, bar_top, max(2.0, row.own * scale), _BAR)
        if is_cut:
            hatch(painter, own, theme.control)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent if row.is_chosen else theme.categorical["blue"])
            drawn = QRectF(_BARS, bar_top, max(2.0, row.drawn * scale), _BAR)
            painter.drawRoundedRect(drawn, 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.text if not is_cut else theme.control, 1))
        painter.drawRoundedRect(own.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        self._draw_numbers(painter, row, top, width)

    def _draw_numbers(self, painter: QPainter, row: ChanceRow, top: int, width: int) -> None:
        theme = self.theme
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.text2)
        own = QRect(width - 2 * _NUMBER - _EDGE, top, _NUMBER, _ROW)
        painter.drawText(own, align, formatting.chance(row.own))
        painter.setPen(theme.text3 if row.drawn <= 0 else theme.text)
        painter.setFont(theme.font("small", tabular=True, bold=row.is_chosen))
        words = self.tr("cut") if row.drawn <= 0 else formatting.chance(row.drawn)
        painter.drawText(QRect(width - _NUMBER - _EDGE, top, _NUMBER, _ROW), align, words)

    def _draw_cut(self, painter: QPainter, index: int, width: int) -> None:
        theme = self.theme
        y = self._top(index) - _CUT / 2
        painter.setFont(theme.font("label"))
        words = self._chances.cut_words
        room = painter.fontMetrics().horizontalAdvance(words)
        painter.setPen(QPen(theme.warn, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(0, y, width - room - 10, y))
        painter.setPen(theme.warn)
        place = QRectF(width - room - 4, y - 9, room + 4, 18)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
