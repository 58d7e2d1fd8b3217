"""The tensors of one part: name, shape, how they are stored, how many weights."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.row_ground import paint_row_ground

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from desktop.widgets.theme import Theme
    from inference.library.anatomy import Tensor

_ROW: Final = 24
_GAP: Final = 16


class TensorTable(Figure):
    """Places are the rows."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._tensors: tuple[Tensor, ...] = ()
        self._chosen = -1

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What is shown, in order."""
        return self._tensors

    def set_chosen(self, place: int) -> None:
        """Bring out a row."""
        self._chosen = place
        self.refresh()

    def set_tensors(self, tensors: tuple[Tensor, ...]) -> None:
        """Show other tensors."""
        self._tensors = tensors
        self._chosen = -1
        self.setMinimumHeight(self.sizeHint().height())
        self.refresh()

    def _beginning(self) -> str:
        """Return what all names begin with, up to a dot: said once, in the head."""
        parts = zip(*(one.name.split(".") for one in self._tensors), strict=False)
        shared = itertools.takewhile(lambda names: len(set(names)) == 1, parts)
        return ".".join(names[0] for names in shared)

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(440, (len(self._tensors) + 1) * _ROW)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        total = sum(tensor.parameters for tensor in self._tensors)
        return self.tr("{0} tensors with {1} weights.").format(
            len(self._tensors), formatting.count(total)
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its cells."""
        rows = [
            (one.name, shape_words(one), one.type_name, str(one.parameters))
            for one in self._tensors
        ]
        return (("tensor", "shape", "stored as", "weights"), *rows)

    def place_count(self) -> int:
        """Return the number of tensors."""
        return len(self._tensors)

    def place_at(self, spot: QPoint) -> int:
        """Return the row at a spot."""
        row = spot.y() // _ROW - 1
        return row if 0 <= row < len(self._tensors) else -1

    def place_words(self, place: int) -> str:
        """Return what is said of one tensor."""
        one = self._tensors[place]
        return self.tr("{0}, {1}, stored as {2}, {3} weights").format(
            one.name, shape_words(one), one.type_name, formatting.count(one.parameters)
        )

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint heads and rows."""
        theme = self.theme
        beginning = self._beginning() if len(self._tensors) > 1 else ""
        first = self.tr("tensor, {0}.").format(beginning) if beginning else self.tr("tensor")
        heads = (first, self.tr("shape"), self.tr("type"), self.tr("weights"))
        painter.setFont(theme.font("label"))
        painter.setPen(theme.text3)
        rooms = self._rooms(size.width(), heads)
        self._draw_row(painter, 0, rooms, heads)
        for row, one in enumerate(self._tensors, start=1):
            painter.setPen(theme.line)
            painter.drawLine(0, row * _ROW, size.width(), row * _ROW)
            box = QRectF(0, row * _ROW, size.width(), _ROW)
            paint_row_ground(painter, self, box, row - 1, is_chosen=row - 1 == self._chosen)
            painter.setFont(theme.font("code_small"))
            painter.setPen(theme.text)
            name = one.name[len(beginning) + 1 :] if beginning else one.name
            self._draw_row(painter, row, rooms, (name.removesuffix(".weight"), *_facts(one)))

    def _rooms(self, width: int, heads: tuple[str, ...]) -> tuple[int, ...]:
        """Return the width of each column; the name has what the others leave."""
        head, cell = (QFontMetrics(self.theme.font(role)) for role in ("label", "code_small"))
        facts = zip(*map(_facts, self._tensors), strict=True) if self._tensors else [()] * 3
        needed = [
            max(head.horizontalAdvance(words), *map(cell.horizontalAdvance, cells), 0) + _GAP
            for words, cells in zip(heads[1:], facts, strict=True)
        ]
        return (width - sum(needed), *needed)

    def _draw_row(
        self, painter: QPainter, row: int, rooms: tuple[int, ...], cells: tuple[str, ...]
    ) -> None:
        metrics = painter.fontMetrics()
        left = 4
        for place, (words, room) in enumerate(zip(cells, rooms, strict=True)):
            box = QRectF(left, row * _ROW, room - 8, _ROW)
            align = Qt.AlignmentFlag.AlignRight if place == 3 else Qt.AlignmentFlag.AlignLeft
            fitted = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room - 8)
            painter.drawText(box, align | Qt.AlignmentFlag.AlignVCenter, fitted)
            left += room


def _facts(tensor: Tensor) -> tuple[str, str, str]:
    return shape_words(tensor), tensor.type_name, formatting.count(tensor.parameters)


def shape_words(tensor: Tensor) -> str:
    """Write a shape as the file has it, e.g. ``256 x 128``."""
    return " x ".join(map(str, tensor.shape))
