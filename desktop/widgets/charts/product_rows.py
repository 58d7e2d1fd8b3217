"""How scores come about: a query, and for the tokens most looked at key and product, by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure, npy
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QPainter

    from desktop.widgets.theme import Theme
    from inference.inside.products import Products
    from inference.types import TokenPiece

    Numbers = npt.NDArray[np.float32]

_HEAD: Final = 26
_ROW: Final = 32
_BAND: Final = 12
_FOOT: Final = 22
_WORD: Final = 104
_SCORE: Final = 60
_SHARE: Final = 62
_SHOWN: Final = 12
_TOLD: Final = 3


class ProductRows(Figure):
    """Places are the rows: the query first, then the tokens that are looked at most."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._tokens: tuple[TokenPiece | str, ...] = ()
        self._found: Products | None = None
        self._parts: Numbers = np.zeros((0, 0), np.float32)
        self._scores: Numbers = np.zeros(0, np.float32)
        self._shares: Numbers = np.zeros(0, np.float32)
        self._rows: tuple[int, ...] = ()

    def set_products(self, tokens: tuple[TokenPiece | str, ...], found: Products) -> None:
        """Show what was found; of the S tokens the last is the one that looks."""
        self._tokens, self._found = tokens, found
        self._parts, self._scores, self._shares = found.parts(), found.scores(), found.taken()
        best = np.argsort(-self._shares, kind="stable")[:_SHOWN]
        self._rows = tuple(int(place) for place in best if self._shares[place] > 0)
        self.setMinimumHeight(self._height())
        self.refresh()

    def _height(self) -> int:
        return _HEAD + (len(self._rows) + 1) * _ROW + _FOOT

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(480, self._height())

    # --- in words and numbers --------------------------------------------------------------

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._rows:
            return self.tr("Nothing to show yet.")
        most = self._rows[0]
        return self.tr("“{0}” gets most: its score is {1}, {2} of the attention.").format(
            spoken(self._tokens[most]), *self._told(most)
        )

    def _told(self, place: int) -> tuple[str, str]:
        score, share = float(self._scores[place]), float(self._shares[place])
        return formatting.decimal(score, 2), formatting.chance(share)

    def place_words(self, place: int) -> str:
        """Return score and share of one row, and which numbers make most of it."""
        if not place:
            count = formatting.count(self._parts.shape[1])
            return self.tr("The query of “{0}”: {1} numbers.").format(
                spoken(self._tokens[-1]), count
            )
        token = self._rows[place - 1]
        parts = self._parts[token]
        strongest = np.argsort(-np.abs(parts), kind="stable")[:_TOLD]
        told = ", ".join(
            self.tr("{0} from number {1}").format(formatting.signed(float(parts[n]), 2), int(n) + 1)
            for n in strongest
        )
        words = self.tr("“{0}”: score {1}, {2} of the attention. Most of the score: {3}.")
        return words.format(spoken(self._tokens[token]), *self._told(token), told)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return score, share and products of every token."""
        heads = (self.tr("product {0}").format(n + 1) for n in range(self._parts.shape[1]))
        rows = zip(self._tokens, self._scores, self._shares, self._parts, strict=True)
        return (
            ("token", "score", "share", *heads),
            *(
                (written(token), f"{score:.6g}", f"{share:.6g}", *(f"{part:.6g}" for part in parts))
                for token, score, share, parts in rows
            ),
        )

    def npy_bytes(self) -> bytes:
        """Return the products, (S, D)."""
        return npy(self._parts)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows) + 1 if self._rows else 0

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = (spot.y() - _HEAD) // _ROW
        return row if spot.y() >= _HEAD and row < self.place_count() else -1

    # --- painting --------------------------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        found = self._found
        if found is None or not self._rows:
            return
        self._draw_heads(painter, size)
        query, keys = found.looking(), found.looked_at()
        shown_keys, shown_parts = keys[list(self._rows)], self._parts[list(self._rows)]
        widest, most = _most(shown_keys), _most(shown_parts)
        self._draw_row(painter, size, 0, self._tokens[-1])
        self._draw_band(painter, size, _HEAD + (_ROW - _BAND) // 2, query / _most(query))
        for index, token in enumerate(self._rows):
            top = _HEAD + (index + 1) * _ROW
            self._draw_row(painter, size, index + 1, self._tokens[token])
            self._draw_numbers(painter, size, top, token)
            self._draw_band(painter, size, top + 3, keys[token] / widest)
            self._draw_band(painter, size, top + 4 + _BAND, self._parts[token] / most)
        rest = int((self._shares > 0).sum()) - len(self._rows)
        if rest > 0:
            share = formatting.chance(float(1 - self._shares[list(self._rows)].sum()))
            painter.setFont(self.theme.font("small"))
            painter.setPen(self.theme.text3)
            words = self.tr("and {0} further tokens with {1} together")
            place = QRectF(_WORD, self._height() - _FOOT, size.width() - _WORD, _FOOT)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter, words.format(formatting.count(rest), share)
            )

    def _draw_heads(self, painter: QPainter, size: QSize) -> None:
        theme = self.theme
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text3)
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        right = size.width()
        for words, left, width in (
            (self.tr("score"), right - _SHARE - _SCORE, _SCORE),
            (self.tr("share"), right - _SHARE, _SHARE - 4),
        ):
            painter.drawText(QRect(left, 0, width, _HEAD), align, words)
        words = self.tr("the {0} numbers of this head").format(self._parts.shape[1])
        place = QRect(_WORD, 0, right - _WORD - _SHARE - _SCORE, _HEAD)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_row(self, painter: QPainter, size: QSize, row: int, token: TokenPiece | str) -> None:
        theme, top = self.theme, _HEAD + row * _ROW
        paint_row_ground(painter, self, QRectF(0, top, size.width(), _ROW), row)
        painter.setFont(theme.font("code_small", bold=not row))
        painter.setPen(theme.text)
        words = painter.fontMetrics().elidedText(
            shown(token), Qt.TextElideMode.ElideRight, _WORD - 12
        )
        painter.drawText(QRect(4, top, _WORD, _ROW), Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_numbers(self, painter: QPainter, size: QSize, top: int, token: int) -> None:
        painter.setFont(self.theme.font("small", tabular=True))
        painter.setPen(self.theme.text2)
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        score, share = self._told(token)
        left = size.width() - _SHARE
        painter.drawText(QRect(left - _SCORE, top, _SCORE, _ROW), align, score)
        painter.drawText(QRect(left, top, _SHARE - 4, _ROW), align, share)

    def _draw_band(self, painter: QPainter, size: QSize, top: int, shares: Numbers) -> None:
        """Paint numbers from -1 to 1 as cells side by side, (D,)."""
        stops = self.theme.diverging
        middle = len(stops) // 2
        table = np.array([stop.rgb() for stop in stops], np.uint32)
        cells = table[np.clip(np.rint(middle + shares * middle), 0, len(stops) - 1).astype(int)]
        pixels = np.ascontiguousarray(cells)
        image = QImage(pixels.data, len(pixels), 1, 4 * len(pixels), QImage.Format.Format_RGB32)
        place = QRect(_WORD, top, max(1, size.width() - _WORD - _SCORE - _SHARE - 8), _BAND)
        painter.setRenderHint(painter.RenderHint.SmoothPixmapTransform, on=False)
        painter.drawImage(place, image)


def _most(numbers: Numbers) -> float:
    """Return the largest size among numbers; never 0, to divide by."""
    return max(float(np.abs(numbers).max()), 1e-9)
