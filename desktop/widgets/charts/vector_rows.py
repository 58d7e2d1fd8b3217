"""The first numbers of some vectors, as numbers and as colours of the diverging map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt

from desktop.widgets import formatting
from desktop.widgets.charts.colour_map import ink_on
from desktop.widgets.charts.figure import Figure, npy
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QColor, QPainter

    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_ROW: Final = 28
_WORD: Final = 100
_COLUMNS: Final = 8


class VectorRows(Figure):
    """Places are the rows."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._words: tuple[TokenPiece, ...] = ()
        self._vectors: npt.NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def set_vectors(self, words: tuple[TokenPiece, ...], vectors: npt.NDArray[np.float32]) -> None:
        """Show vectors, (N, C)."""
        self._words, self._vectors = words, vectors
        self.setMinimumHeight(len(words) * _ROW + 22)
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(480, len(self._words) * _ROW + 22)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._words:
            return self.tr("Nothing to show yet.")
        return self.tr("{0} vectors of {1} numbers each.").format(
            len(self._words), formatting.count(int(self._vectors.shape[1]))
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return all numbers."""
        heads = [str(n) for n in range(int(self._vectors.shape[1]))]
        rows = [
            (written(word), *(f"{value:.6g}" for value in vector))
            for word, vector in zip(self._words, self._vectors, strict=True)
        ]
        return (("token", *heads), *rows)

    def npy_bytes(self) -> bytes:
        """Return the vectors, one a row."""
        return npy(self._vectors)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._words)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = spot.y() // _ROW
        return row if 0 <= row < len(self._words) else -1

    def place_words(self, place: int) -> str:
        """Return the first numbers of one row."""
        told = ", ".join(formatting.decimal(float(x), 2) for x in self._vectors[place][:_COLUMNS])
        return f"{spoken(self._words[place])}: {told}"

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint words and cells."""
        theme = self.theme
        columns = min(_COLUMNS, int(self._vectors.shape[1])) if self._words else 0
        if not columns:
            return
        most = float(np.abs(self._vectors[:, :columns]).max()) or 1.0
        width = (size.width() - _WORD) / columns
        painter.setRenderHint(painter.RenderHint.Antialiasing)
        for row, word in enumerate(self._words):
            top = row * _ROW
            paint_row_ground(painter, self, QRectF(0, top, size.width(), _ROW), row)
            painter.setFont(theme.font("code"))
            painter.setPen(theme.text)
            words = painter.fontMetrics().elidedText(
                shown(word), Qt.TextElideMode.ElideRight, _WORD - 12
            )
            painter.drawText(QRectF(4, top, _WORD, _ROW), Qt.AlignmentFlag.AlignVCenter, words)
            painter.setFont(theme.font("small", tabular=True))
            for column in range(columns):
                value = float(self._vectors[row, column])
                box = QRectF(_WORD + column * width, top + 2, width - 3, _ROW - 4)
                ground = self._colour(value / most)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(ground)
                painter.drawRoundedRect(box, 4, 4)
                painter.setPen(ink_on(ground, theme))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, formatting.decimal(value, 2))
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text3)
        rest = int(self._vectors.shape[1]) - columns
        words = self.tr("and {0} numbers more in each row").format(formatting.count(rest))
        place = QRectF(_WORD, len(self._words) * _ROW, size.width(), 22)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _colour(self, share: float) -> QColor:
        stops = self.theme.diverging
        middle = len(stops) // 2
        # Half of the map is enough: words have to be read on it.
        return stops[max(0, min(round(middle + share * middle * 0.6), len(stops) - 1))]
