"""How a token was built: a row of symbols for each merge, the new one lit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.tokenizing.merges import BuiltToken, MergeStep, Part

_ROW: Final = 30
_CHIP: Final = 22
_GAP: Final = 4
_PAD: Final = 6
_NUMBER: Final = 130


class MergeSteps(Figure):
    """Places are the rows: the symbols at the start, then one row a merge."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._token: BuiltToken | None = None

    def set_token(self, token: BuiltToken | None) -> None:
        """Show how another token was built."""
        self._token = token
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(440, max(1, self.place_count()) * _ROW)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if self._token is None or not self._token.steps:
            return self.tr("There are no steps.")
        told = "; ".join(self.place_words(place) for place in range(self.place_count()))
        return self.tr("{0} steps. {1}").format(len(self._token.steps), told)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its cells."""
        rows = [
            (str(place), " ".join(_shown(part) for part in parts), words)
            for place, (parts, _new, words) in enumerate(self._rows())
        ]
        return (("step", "symbols", "order"), *rows)

    def place_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows())

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = spot.y() // _ROW
        return row if 0 <= row < self.place_count() else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one row."""
        parts, _new, words = self._rows()[place]
        symbols = ", ".join(_shown(part) for part in parts)
        return f"{symbols} ({words})" if words else symbols

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint the rows."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, (parts, new, words) in enumerate(self._rows()):
            paint_row_ground(painter, self, QRectF(0, row * _ROW, size.width(), _ROW), row)
            end = self._draw_parts(painter, row, parts, new, size.width() - _NUMBER)
            painter.setFont(self.theme.font("small", tabular=True))
            painter.setPen(self.theme.text3)
            box = QRectF(end + 8, row * _ROW, _NUMBER, _ROW)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)

    def _draw_parts(
        self, painter: QPainter, row: int, parts: tuple[Part, ...], new: int, room: int
    ) -> float:
        """Paint one row's symbols; return where they end."""
        theme = self.theme
        left, top = 2.0, row * _ROW + (_ROW - _CHIP) / 2
        for place, part in enumerate(parts):
            lit = place == new
            painter.setFont(theme.font("code_small", bold=lit))
            words = _shown(part)
            width = painter.fontMetrics().horizontalAdvance(words) + 2 * _PAD
            if left + width > room:
                painter.setPen(theme.text3)
                painter.drawText(QRectF(left, top, 20, _CHIP), Qt.AlignmentFlag.AlignCenter, "…")
                return left + 20
            box = QRectF(left, top, width, _CHIP)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent if lit else theme.token_chips[place % 4])
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(theme.on_accent if lit else theme.text)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
            left += width + _GAP
        return left

    def _rows(self) -> list[tuple[tuple[Part, ...], int, str]]:
        token = self._token
        if token is None or not token.steps:
            return []
        return [(token.start, -1, ""), *((s.parts, s.at, self._order(s)) for s in token.steps)]

    def _order(self, step: MergeStep) -> str:
        if step.rank:
            return self.tr("merge {0}").format(formatting.count(step.rank))
        return self.tr("score {0}").format(formatting.decimal(step.score, 2))


def _shown(part: Part) -> str:
    """Return a symbol; half a character as its bytes."""
    return part.data.hex(" ").upper() if "\ufffd" in part.text else shown(part.text)
