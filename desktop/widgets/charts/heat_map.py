"""A heat map of attention: rows are tokens that look, columns those they can look at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QLineF, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.colour_map import image_of
from desktop.widgets.charts.figure import Figure, npy
from desktop.widgets.charts.hatching import hatch
from desktop.widgets.charts.mip import pooled
from desktop.widgets.charts.pieces import shown, spoken, written

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

    from desktop.widgets.theme import Theme
    from inference.inside.questions import Window
    from inference.types import TokenPiece

    Numbers = npt.NDArray[np.float32]

_LEAST: Final = 2.0
_MOST: Final = 28.0
_WORDS_FROM: Final = 12.0
_GAP_ABOVE: Final = 8.0
_LEFT: Final = 92
_TOP: Final = 74
_FEWEST: Final = 8
_WIDE: Final = 512
_LOW: Final = 416
_STEEP_BELOW: Final = 16.0
_NOTCH: Final = 120
_CRISP: Final = 4.0
_HIDDEN_FROM: Final = 260.0


class HeatMap(Figure):
    """Places are cells, row by row; the wheel asks for a smaller or larger part.

    Signals:
        window_wanted: Part of the text to show: first row, first column, rows, columns.
    """

    window_wanted = Signal(object)

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._pieces: tuple[TokenPiece, ...] = ()
        self._weights: Numbers = np.zeros((0, 0), np.float32)
        self._window: Window = (0, 0, 0, 0)
        self._row = -1
        self._seen: npt.NDArray[np.bool_] = np.zeros((0, 0), np.bool_)
        self._images: dict[tuple[int, int], QImage] = {}
        self._turned = 0
        self.setMinimumSize(300, 240)

    # --- what is shown ---------------------------------------------------------------------

    def set_text(self, pieces: tuple[TokenPiece, ...]) -> None:
        """Show another text; nothing is known of it yet."""
        self._pieces = pieces
        self._weights = np.zeros((0, 0), np.float32)
        self.refresh()

    def set_weights(self, weights: Numbers, window: Window) -> None:
        """Show weights, (rows, columns), of a part of the text; cells may stand for several."""
        self._weights, self._window = weights, window
        self._colour()
        self.refresh()

    def set_row(self, row: int) -> None:
        """Frame the row of a token, -1 for none."""
        self._row = row
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Colour anew."""
        super().set_theme(theme)
        self._colour()

    def _colour(self) -> None:
        """Note what can be seen; cells that only stand for later tokens are hatched."""
        rows, columns = self._weights.shape
        last = np.array([self._token(row + 1, 0) - 1 for row in range(rows)], np.intp)
        first = np.array([self._token(column, 1) for column in range(columns)], np.intp)
        self._seen = first[None, :] <= last[:, None]
        self._images.clear()

    def _picture(self, rows: int, columns: int) -> QImage:
        """Return the picture in at most so many cells, made when it is first drawn so."""
        key = (min(rows, self._weights.shape[0]), min(columns, self._weights.shape[1]))
        if key not in self._images:
            weights = pooled(self._weights, *key)
            seen = pooled(self._seen.astype(np.float32), *key)
            self._images = {key: image_of(self.theme, weights, seen > 0)}
        return self._images[key]

    @property
    def window_shown(self) -> Window:
        """The part of the text that is shown."""
        return self._window

    def row_of(self, place: int) -> int:
        """Return the token whose row a place is in."""
        return self._token(place // max(1, self._weights.shape[1]), 0)

    def sizeHint(self) -> QSize:
        """Return a size that fits into a page; the map grows with the room it has."""
        rows, columns = self._weights.shape
        return QSize(
            _LEFT + round(min(columns * _MOST, _WIDE)) + 40,
            _TOP + round(min(rows * _MOST, _LOW)) + 8,
        )

    # --- what it says ----------------------------------------------------------------------

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._weights.size:
            return self.tr("Nothing to show yet.")
        row, column = self._strongest()
        return self.tr(
            "Strongest look away from itself and the start: “{0}” at “{1}”, {2}."
        ).format(
            self._word(self._token(row, 0)),
            self._word(self._token(column, 1)),
            formatting.chance(float(self._weights[row, column])),
        )

    def _strongest(self) -> tuple[int, int]:
        weights = self._weights.copy()
        np.fill_diagonal(weights, 0)
        if self._window[1] == 0 and weights.shape[1] > 1:
            weights[:, 0] = 0
        row, column = divmod(int(weights.argmax()), int(weights.shape[1]))
        return row, column

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers: a row for each token that looks."""
        rows, columns = self._weights.shape
        heads = [written(self._pieces[self._token(column, 1)]) for column in range(columns)]
        body = [
            (
                written(self._pieces[self._token(row, 0)]),
                *(f"{value:.6g}" for value in self._weights[row]),
            )
            for row in range(rows)
        ]
        return (("", *heads), *body)

    def npy_bytes(self) -> bytes:
        """Return the weights as they came, float32."""
        return npy(self._weights)

    def place_count(self) -> int:
        """Return the number of cells."""
        return int(self._weights.size)

    def place_words(self, place: int) -> str:
        """Return what is said of one cell."""
        row, column = divmod(place, self._weights.shape[1])
        start, end = self._token(row, 0), self._token(column, 1)
        share = formatting.chance(float(self._weights[row, column]))
        if not self._seen[row, column]:
            return self.tr("“{0}” cannot look ahead at “{1}”").format(
                self._word(start), self._word(end)
            )
        if self._is_coarse:
            return self.tr("Tokens {0} → {1}: at most {2}").format(
                self._span(row, 0), self._span(column, 1), share
            )
        return self.tr("{0} → {1}  {2}").format(self._word(start), self._word(end), share)

    @property
    def _is_coarse(self) -> bool:
        """Whether a cell stands for several tokens."""
        return self._weights.shape != self._window[2:]

    def _span(self, cell: int, axis: int) -> str:
        first, last = self._token(cell, axis) + 1, self._token(cell + 1, axis)
        return self.tr("{0} to {1}").format(first, last) if last > first else str(first)

    def _word(self, token: int) -> str:
        return spoken(self._pieces[token])

    def _token(self, cell: int, axis: int) -> int:
        """Return the first token that a row (axis 0) or column (1) stands for."""
        first, count = self._window[axis], self._window[axis + 2]
        cells = max(1, int(self._weights.shape[axis]))
        return first + -(-cell * count // cells)

    # --- places ----------------------------------------------------------------------------

    def _cell(self, size: QSize) -> float:
        """Return the side of a cell: whole pixels of the screen where it has several."""
        rows, columns = (max(1, int(count)) for count in self._weights.shape)
        room = min((size.width() - _LEFT - 24) / columns, (size.height() - _TOP - 4) / rows)
        pixels = max(0.1, min(room, _MOST)) * self.devicePixelRatioF()
        return (math.floor(pixels) if pixels >= _CRISP else pixels) / self.devicePixelRatioF()

    def place_at(self, spot: QPoint) -> int:
        """Return the cell at a spot."""
        cell = self._cell(self.size())
        column, row = int((spot.x() - _LEFT) // cell), int((spot.y() - _TOP) // cell)
        rows, columns = self._weights.shape
        return row * columns + column if 0 <= row < rows and 0 <= column < columns else -1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move over rows and columns; plus and minus show more or less of the text."""
        rows, columns = self._weights.shape
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        key = Qt.Key(event.key())
        if key in moves and rows:
            row, column = divmod(max(0, self.mark), columns)
            row = max(0, min(row + moves[key][0], rows - 1))
            column = max(0, min(column + moves[key][1], columns - 1))
            self.set_mark(row * columns + column)
        elif key in {Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus} and rows:
            self.zoom(0.5 if key != Qt.Key.Key_Minus else 2.0, self.mark)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Show less of the text around the pointer, or more."""
        place = self.place_at(event.position().toPoint())
        if place < 0:
            event.ignore()  # beside the map the page scrolls
            return
        self._turned += event.angleDelta().y()  # touch pads send small steps
        if abs(self._turned) >= _NOTCH:
            self.zoom(0.5 if self._turned > 0 else 2.0, place)
            self._turned = 0

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole text again."""
        del event
        self.show_all()

    def show_all(self) -> None:
        """Ask for the whole text."""
        self._want(0, 0, len(self._pieces))

    def zoom(self, by: float, place: int = -1) -> None:
        """Ask for a part of this size around a place, or around the framed row."""
        if not self._weights.size:
            return
        if place < 0:
            count = round(max(self._window[2], self._window[3]) * by)
            row = max(0, self._row)
            self._want(row - count // 2, self._window[1] + self._window[3] - count, count)
            return
        row, column = divmod(place, self._weights.shape[1])
        count = round(max(self._window[2], self._window[3]) * by)
        self._want(self._token(row, 0) - count // 2, self._token(column, 1) - count // 2, count)

    def _want(self, top: int, left: int, count: int) -> None:
        total = len(self._pieces)
        count = max(min(_FEWEST, total), min(count, total))
        top, left = (max(0, min(first, total - count)) for first in (top, left))
        if (top, left, count, count) != self._window:
            self.window_wanted.emit((top, left, count, count))

    # --- drawing ---------------------------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint cells, what cannot be seen, words, and the chosen row."""
        rows, columns = self._weights.shape
        if not rows:
            return
        cell = self._cell(size)
        whole = QRectF(_LEFT, _TOP, columns * cell, rows * cell)
        hatch(painter, whole, self.theme.line_strong)
        self._draw_cells(painter, cell)
        self._draw_hidden(painter, whole)
        if cell >= _WORDS_FROM:
            self._draw_words(painter, cell)
        self._draw_frames(painter, cell)

    def _draw_cells(self, painter: QPainter, cell: float) -> None:
        """Paint the picture, not finer than the screen; with gaps where cells are large."""
        rows, columns = self._weights.shape
        ratio = self.devicePixelRatioF()
        place = QRectF(_LEFT, _TOP, columns * cell, rows * cell)
        picture = self._picture(
            max(1, int(place.height() * ratio)), max(1, int(place.width() * ratio))
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(place, picture)
        if cell >= _GAP_ABOVE:
            painter.setPen(QPen(self.theme.page, 1))
            for line in range(rows + 1):
                y = _TOP + line * cell
                painter.drawLine(QLineF(_LEFT, y, place.right(), y))
            for line in range(columns + 1):
                x = _LEFT + line * cell
                painter.drawLine(QLineF(x, _TOP, x, place.bottom()))

    def _draw_hidden(self, painter: QPainter, whole: QRectF) -> None:
        """Say what the hatching means, where it leaves room for that."""
        box = QRectF(whole.left() + 0.44 * whole.width(), 0, 0.54 * whole.width(), 40)
        box.moveTop(whole.top() + 0.14 * whole.height())
        starts_level = self._window[0] == self._window[1] and self._window[2] == self._window[3]
        if whole.width() < _HIDDEN_FROM or not starts_level:
            return
        painter.setFont(self.theme.font("small"))
        words = self.tr("hatched: a token cannot\nlook ahead at later ones")
        place = painter.fontMetrics().boundingRect(
            box.toRect(), int(Qt.AlignmentFlag.AlignCenter), words
        )
        painter.fillRect(place.adjusted(-8, -4, 8, 4), self.theme.page)
        painter.setPen(self.theme.text2)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_words(self, painter: QPainter, cell: float) -> None:
        theme = self.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rows, columns = self._weights.shape
        for row in range(rows):
            token = self._token(row, 0)
            is_chosen = token == self._row
            painter.setFont(theme.font("code_small", bold=is_chosen))
            painter.setPen(theme.accent_text if is_chosen else theme.text2)
            words = painter.fontMetrics().elidedText(
                shown(self._pieces[token]), Qt.TextElideMode.ElideRight, _LEFT - 14
            )
            place = QRectF(0, _TOP + row * cell, _LEFT - 8, cell)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words
            )
        painter.setFont(theme.font("code_small"))
        painter.setPen(theme.text2)
        for column in range(columns):
            painter.save()
            painter.translate(_LEFT + (column + 0.5) * cell, _TOP - 6)
            painter.rotate(-60 if cell >= _STEEP_BELOW else -75)  # words must not touch
            words = painter.fontMetrics().elidedText(
                shown(self._pieces[self._token(column, 1)]),
                Qt.TextElideMode.ElideRight,
                _TOP - 8,
            )
            painter.drawText(0, 4, words)
            painter.restore()

    def _draw_frames(self, painter: QPainter, cell: float) -> None:
        theme = self.theme
        rows, columns = self._weights.shape
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        row = next(
            (n for n in range(rows) if self._token(n, 0) <= self._row < self._token(n + 1, 0)), -1
        )
        if row >= 0:
            painter.setPen(QPen(theme.accent_text, 2))
            painter.drawRect(QRectF(_LEFT - 1, _TOP + row * cell - 1, columns * cell + 2, cell + 2))
        if self.mark >= 0:
            row, column = divmod(self.mark, columns)
            painter.setPen(QPen(theme.focus, 2))
            painter.drawRect(
                QRectF(_LEFT + column * cell - 1, _TOP + row * cell - 1, cell + 2, cell + 2)
            )
