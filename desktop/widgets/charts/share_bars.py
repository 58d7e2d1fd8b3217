"""A short list of shares as bars: a word, how much, and the number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QPainter

    from desktop.widgets.theme import Theme
    from inference.types import Candidate, TokenPiece

_ROW: Final = 24
_WORD: Final = 92
_NUMBER: Final = 62
_SCORE: Final = 52
_BAR: Final = 10


Share: TypeAlias = "tuple[TokenPiece | str, float]"
"""A word and how much of the whole it has."""


def likeliest(tokens: Sequence[Candidate], count: int) -> tuple[Share, ...]:
    """Return the first ``count`` of tokens that are sorted, with their chances."""
    return tuple((one, one.chance) for one in tokens[:count])


class ShareBars(Figure):
    """Places are the rows.

    Args:
        theme: Colours.
        name: objectName.
        words: Accessible name.
        number: Writes a share.
        full: What a bar of full length stands for; none = the largest.
        unit: What the numbers are, in an exported table.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        words: str,
        number: Callable[[float], str] = formatting.chance,
        *,
        full: float | None = None,
        unit: str = "share",
    ) -> None:
        super().__init__(theme, name, words)
        self._unit = unit
        self._full = full
        self._number = number
        self._rows: tuple[Share, ...] = ()
        self._scores: tuple[str, ...] = ()

    def set_rows(self, rows: tuple[Share, ...], scores: tuple[str, ...] = ()) -> None:
        """Show words and their shares, 0 to 1; between them what each share was made from."""
        self._rows, self._scores = rows, scores
        self.setMinimumHeight(max(1, len(rows)) * _ROW)
        self.refresh()

    def rows(self) -> tuple[Share, ...]:
        """Return what is shown."""
        return self._rows

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(260, max(1, len(self._rows)) * _ROW)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        told = ", ".join(f"{spoken(word)} {self._number(share)}" for word, share in self._rows)
        return told or self.tr("Nothing to show yet.")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [(written(word), f"{share:.8g}") for word, share in self._rows]
        if not self._scores:
            return (("token", self._unit), *rows)
        scored = zip(rows, self._scores, strict=True)
        return (("token", "score", "share"), *((word, own, to) for (word, to), own in scored))

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = spot.y() // _ROW
        return row if 0 <= row < len(self._rows) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        word, share = self._rows[place]
        if self._scores:
            return self.tr("{0}: score {1}, chance {2}").format(
                spoken(word), self._scores[place], self._number(share)
            )
        return f"{spoken(word)}: {self._number(share)}"

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the rows."""
        theme = self.theme
        painter.setRenderHint(painter.RenderHint.Antialiasing)
        most = self._full or max((share for _, share in self._rows), default=1.0) or 1.0
        left = _WORD + (_SCORE if self._scores else 0)
        scale = max(10, size.width() - left - _NUMBER) / most
        for index, (word, share) in enumerate(self._rows):
            top = index * _ROW
            paint_row_ground(painter, self, QRectF(0, top, size.width(), _ROW), index)
            painter.setFont(theme.font("code_small"))
            painter.setPen(theme.text)
            words = painter.fontMetrics().elidedText(
                shown(word), Qt.TextElideMode.ElideRight, _WORD - 8
            )
            painter.drawText(QRect(4, top, _WORD, _ROW), Qt.AlignmentFlag.AlignVCenter, words)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.categorical["blue"])
            bar = QRectF(left, top + (_ROW - _BAR) / 2, max(2.0, share * scale), _BAR)
            painter.drawRoundedRect(bar, 2, 2)
            painter.setFont(theme.font("small", tabular=True))
            painter.setPen(theme.text2)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if self._scores:
                column = QRect(_WORD, top, _SCORE - 12, _ROW)
                painter.drawText(column, align, self._scores[index])
            place = QRect(size.width() - _NUMBER, top, _NUMBER - 4, _ROW)
            painter.drawText(place, align, self._number(share))
