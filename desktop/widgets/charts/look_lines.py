"""Lines between tokens: from each that looks, on the left, to those it looks at, on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.slow_picture import SlowPicture

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from desktop.widgets.theme import Theme
    from inference.inside.questions import Window
    from inference.types import TokenPiece

_ROW: Final = 22
_WORD: Final = 120
_MOST_ROWS: Final = 64
_WIDEST: Final = 5.0


class LookLines(Figure):
    """Places are the tokens that look; without a marked one, lines of all are drawn."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._pieces: tuple[TokenPiece, ...] = ()
        self._weights: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._first = 0
        self._threshold = 0.05
        self._row = -1
        self._picture = SlowPicture(self, self._lines, self._draw_line)

    def set_weights(
        self,
        pieces: tuple[TokenPiece, ...],
        weights: npt.NDArray[np.float32],
        window: Window,
    ) -> None:
        """Show a square part of a text; where a cell is not a token, nothing is shown."""
        top, left, rows, columns = window
        single = weights.shape == (rows, columns) and top == left
        count = min(rows, columns, _MOST_ROWS) if single else 0
        self._first = top
        self._pieces = pieces[self._first : self._first + count]
        self._weights = weights[:count, :count]
        self.setMinimumHeight(len(self._pieces) * _ROW + 8)
        self._picture.forget()
        self.refresh()

    def set_threshold(self, share: float) -> None:
        """Draw lines from this share on."""
        self._threshold = share
        self._picture.forget()
        self.refresh()

    def set_row(self, token: int) -> None:
        """Name the token that is looked at from."""
        self._row = token - self._first
        self._picture.forget()
        self.refresh()

    @property
    def first(self) -> int:
        """Index of the first token shown."""
        return self._first

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(420, len(self._pieces) * _ROW + 8)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        lines = int((self._weights >= self._threshold).sum())
        return self.tr("{0} lines of {1} or more.").format(
            formatting.count(lines), formatting.chance(self._threshold)
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers: from, to, share."""
        rows = [
            (
                written(self._pieces[i]),
                written(self._pieces[j]),
                f"{self._weights[i, j]:.6g}",
            )
            for i, j in zip(*np.nonzero(self._weights >= self._threshold), strict=True)
        ]
        return (("from", "to", "share"), *rows)

    def set_theme(self, theme: Theme) -> None:
        """Colour anew."""
        super().set_theme(theme)
        self._picture.forget()

    def place_count(self) -> int:
        """Return the number of tokens."""
        return len(self._pieces)

    def place_at(self, spot: QPoint) -> int:
        """Return the token at a spot."""
        row = (spot.y() - 4) // _ROW
        return row if 0 <= row < len(self._pieces) else -1

    def place_words(self, place: int) -> str:
        """Return where one token looks."""
        row = self._weights[place]
        best = [int(n) for n in np.argsort(-row)[:3] if row[n] >= self._threshold]
        told = ", ".join(
            f"“{spoken(self._pieces[n])}” {formatting.chance(float(row[n]))}" for n in best
        )
        word = spoken(self._pieces[place])
        return self.tr("“{0}” looks at {1}").format(word, told or self.tr("nothing in particular"))

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint words at both sides and the lines between; of a marked token only its own."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.mark >= 0:
            for column in np.flatnonzero(self._weights[self.mark] >= self._threshold):
                self._draw_line(painter, size, (self.mark, int(column)))
        else:
            self._picture.draw(painter, size)
        self._draw_words(painter, size)

    def _lines(self) -> Iterator[tuple[int, int]]:
        """Yield row and column of each line, the strongest first."""
        rows, columns = np.nonzero(self._weights >= self._threshold)
        for n in np.argsort(-self._weights[rows, columns], kind="stable"):
            yield int(rows[n]), int(columns[n])

    def _focus(self) -> int:
        """Return the row whose token is looked at from; -1 where it is not here."""
        row = self.mark if self.mark >= 0 else self._row
        return row if 0 <= row < len(self._pieces) else -1

    def _draw_line(self, painter: QPainter, size: QSize, line: tuple[int, int]) -> None:
        row, column = line
        theme, focus, share = self.theme, self._focus(), float(self._weights[line])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(theme.accent if row == focus else theme.categorical["blue"])
        color.setAlphaF(min(1.0, (0.35 if focus not in {-1, row} else 0.9) * share**0.5))
        painter.setPen(QPen(color, max(0.8, share * _WIDEST)))
        painter.drawLine(
            QPointF(_WORD, 4 + (row + 0.5) * _ROW),
            QPointF(size.width() - _WORD, 4 + (column + 0.5) * _ROW),
        )

    def _draw_words(self, painter: QPainter, size: QSize) -> None:
        theme, focus = self.theme, self._focus()
        left, right = _WORD, size.width() - _WORD
        for row, piece in enumerate(self._pieces):
            is_focus = row == focus
            painter.setFont(theme.font("code_small", bold=is_focus))
            words = painter.fontMetrics().elidedText(
                shown(piece), Qt.TextElideMode.ElideRight, _WORD - 12
            )
            top = 4 + row * _ROW
            align = Qt.AlignmentFlag.AlignVCenter
            painter.setPen(theme.accent_text if is_focus else theme.text)
            place = QRectF(0, top, left - 8, _ROW)
            painter.drawText(place, align | Qt.AlignmentFlag.AlignRight, words)
            looked = focus < 0 or float(self._weights[focus, row]) >= self._threshold
            painter.setPen(theme.text if looked else theme.text3)
            painter.drawText(QRectF(right + 8, top, _WORD, _ROW), align, words)
