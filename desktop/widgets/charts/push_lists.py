"""The tokens that the parts of one layer make likelier and less likely, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.colour_map import ink_on, signed_colour
from desktop.widgets.charts.grid_figure import GridFigure
from desktop.widgets.charts.part_names import part_words
from desktop.widgets.charts.pieces import shown, spoken, written

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.inside.pushes import PartPushes, Push

_HEAD: Final = 20
_ROW: Final = 26
_GAP: Final = 2
_LISTS: Final = 2
_TOLD: Final = 3


class PushLists(GridFigure):
    """Places are tokens, row by row; each part has a column of either direction."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._parts: tuple[PartPushes, ...] = ()
        self._count = 0

    def set_parts(self, parts: tuple[PartPushes, ...]) -> None:
        """Show the lists of some parts."""
        self._parts = parts
        self._count = min((len(part.promoted) for part in parts), default=0)
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def sizeHint(self) -> QSize:
        """Return the height of heads and rows."""
        return QSize(480, 2 * _HEAD + self._count * _ROW + 4 if self._count else 0)

    # --- in words and numbers --------------------------------------------------------------

    def sentence(self) -> str:
        """Return what a person would say of it."""
        if not self._count:
            return self.tr("Nothing to show yet.")
        words = self.tr("{0} makes likelier: {1}; less likely: {2}.")
        told = (
            words.format(
                part_words(part.kind, part.layer), _named(part.promoted), _named(part.suppressed)
            )
            for part in self._parts
        )
        return " ".join(one[0].upper() + one[1:] for one in told)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (
                part.kind,
                str(part.layer + 1) if part.layer >= 0 else "",
                name,
                str(rank),
                str(one.id),
                written(one),
                *(f"{number:.8g}" for number in (one.rise, part.mean, one.rise - part.mean)),
            )
            for part in self._parts
            for name, tokens in (("likelier", part.promoted), ("less likely", part.suppressed))
            for rank, one in enumerate(tokens, start=1)
        ]
        heads = ("part", "layer", "list", "rank", "id", "token", "rise", "mean", "against the mean")
        return (heads, *rows)

    def _columns(self) -> int:
        return max(1, len(self._parts) * _LISTS)

    def _cell(self, place: int) -> tuple[PartPushes, Push]:
        """Return part and token of a place."""
        rank, column = divmod(place, self._columns())
        part = self._parts[column // _LISTS]
        return part, (part.suppressed if column % _LISTS else part.promoted)[rank]

    def place_count(self) -> int:
        """Return the number of tokens in all lists."""
        return self._count * self._columns() if self._count else 0

    def place_words(self, place: int) -> str:
        """Return what is said of one token."""
        part, one = self._cell(place)
        return self.tr("{0}: “{1}” {2} against the mean").format(
            part_words(part.kind, part.layer),
            spoken(one),
            formatting.signed(one.rise - part.mean, 2),
        )

    def place_at(self, spot: QPoint) -> int:
        """Return the token at a spot."""
        columns = self._columns()
        row = (spot.y() - 2 * _HEAD) // _ROW
        column = int(spot.x() // (self.width() / columns))
        inside = 0 <= row < self._count and 0 <= column < columns
        return row * columns + column if inside else -1

    # --- painting --------------------------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and cells."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        columns = self._columns()
        width = size.width() / columns
        self._draw_heads(painter, width)
        cells = [self._cell(place) for place in range(self.place_count())]
        rises = [one.rise - part.mean for part, one in cells]
        most = max(map(abs, rises), default=1.0) or 1.0
        for place, ((_part, one), rise) in enumerate(zip(cells, rises, strict=True)):
            row, column = divmod(place, columns)
            box = QRectF(column * width, 2 * _HEAD + row * _ROW, width - _GAP, _ROW - _GAP)
            self._draw_cell(painter, box, one, rise, rise / most)
            if place == self.mark:
                painter.setPen(QPen(self.theme.focus, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)

    def _draw_heads(self, painter: QPainter, width: float) -> None:
        align = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self.theme.font("label"))
        for number, part in enumerate(self._parts):
            left = number * _LISTS * width
            painter.setPen(self.theme.text2)
            whole = QRectF(left + 2, 0, _LISTS * width - 8, _HEAD)
            painter.drawText(whole, align, part_words(part.kind))
            painter.setPen(self.theme.text3)
            for column, words in enumerate((self.tr("likelier"), self.tr("less likely"))):
                place = QRectF(left + column * width + 2, _HEAD, width - 8, _HEAD)
                painter.drawText(place, align, words)

    def _draw_cell(
        self, painter: QPainter, box: QRectF, one: Push, rise: float, share: float
    ) -> None:
        theme, ground = self.theme, signed_colour(self.theme, share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(ink_on(ground, theme))
        painter.setFont(theme.font("label", tabular=True))
        number = formatting.signed(rise, 2)
        room = painter.fontMetrics().horizontalAdvance(number) + 8
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box.adjusted(0, 0, -6, 0), align | Qt.AlignmentFlag.AlignRight, number)
        painter.setFont(theme.font("code_small"))
        words = painter.fontMetrics().elidedText(
            shown(one), Qt.TextElideMode.ElideRight, max(8, round(box.width()) - room - 8)
        )
        painter.drawText(box.adjusted(7, 0, 0, 0), align, words)


def _named(tokens: tuple[Push, ...]) -> str:
    return ", ".join(f"“{spoken(one)}”" for one in tokens[:_TOLD])
