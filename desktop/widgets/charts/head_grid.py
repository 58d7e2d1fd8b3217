"""All heads at a glance: small pictures, rows are layers, columns are heads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from desktop.widgets.charts.colour_map import image_of
from desktop.widgets.charts.figure import npy
from desktop.widgets.charts.grid_figure import GridFigure
from desktop.widgets.charts.slow_picture import SlowPicture

if TYPE_CHECKING:
    import numpy.typing as npt
    from PySide6.QtGui import QResizeEvent

    from desktop.widgets.theme import Theme

_MOST: Final = 48.0
_LEAST: Final = 3.0
_LEFT: Final = 22
_TOP: Final = 18
_GAP: Final = 2
_WIDE: Final = 9.0
"""Pictures closer than this stand a pixel apart, not ``_GAP``."""
_NUMBER: Final = (14, 18)
"""Room that a layer's and a head's number need, in pixels."""


class HeadGrid(GridFigure):
    """Places are heads, layer by layer.

    Args:
        theme: Colours.
        name: objectName.
        words: Accessible name.
        widest: Side of a picture where there is room, in pixels.
    """

    def __init__(self, theme: Theme, name: str, words: str, *, widest: float = _MOST) -> None:
        super().__init__(theme, name, words)
        self._widest = widest
        self._cells: npt.NDArray[np.float32] = np.zeros((0, 0, 0, 0), np.float32)
        self._image = QImage()
        self._heads = SlowPicture(self, lambda: range(self.place_count()), self._draw_head)
        self._chosen = (0, 0)
        self._is_one = True

    def set_overview(self, cells: npt.NDArray[np.float32]) -> None:
        """Show weights, (L, H, S, S)."""
        self._cells = cells
        self._colour()
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep as high as the pictures are at this width."""
        super().resizeEvent(event)
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self.updateGeometry()

    def set_chosen(self, layer: int, head: int, *, is_one: bool) -> None:
        """Frame a head, or its whole layer where heads are taken together."""
        self._chosen, self._is_one = (layer, head), is_one
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Colour anew."""
        super().set_theme(theme)
        self._colour()

    def _colour(self) -> None:
        """Make one picture of all heads, placed as they are shown."""
        layers, heads, rows, columns = self._cells.shape
        placed = self._cells.transpose(0, 2, 1, 3).reshape(layers * rows, heads * columns)
        self._image = image_of(self.theme, placed)
        self._heads.forget()

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return round(_TOP + int(self._cells.shape[0]) * self._step(width)) + 4

    def sizeHint(self) -> QSize:
        """Return the size of all pictures."""
        width = max(self.width(), 120)
        return QSize(width, self.heightForWidth(width))

    def _step(self, width: int) -> float:
        """Return from one picture to the next; all heads of a layer have room."""
        heads = max(1, int(self._cells.shape[1]))
        return max(_LEAST, min((width - _LEFT - 1) / heads, self._widest + _GAP))

    def _cell(self, width: int) -> float:
        step = self._step(width)
        return step - (_GAP if step >= _WIDE else 1)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        layers, heads = self._cells.shape[:2]
        if not layers:
            return self.tr("Nothing to show yet.")
        words = self.tr("{0} layers with {1} heads each; layer {2}, head {3} is chosen.")
        if not self._is_one:
            words = self.tr("{0} layers with {1} heads each; layer {2} is chosen as a whole.")
        return words.format(layers, heads, self._chosen[0] + 1, self._chosen[1] + 1)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers: the greatest share of each small cell."""
        layers, heads, rows, columns = self._cells.shape
        body = [
            (str(n), str(m), str(r), *(f"{value:.6g}" for value in self._cells[n, m, r]))
            for n in range(layers)
            for m in range(heads)
            for r in range(rows)
        ]
        return (("layer", "head", "row", *map(str, range(columns))), *body)

    def npy_bytes(self) -> bytes:
        """Return the small cells of all heads, (L, H, S, S)."""
        return npy(self._cells)

    def place_count(self) -> int:
        """Return the number of heads in all layers."""
        return int(self._cells.shape[0] * self._cells.shape[1])

    def _columns(self) -> int:
        return int(self._cells.shape[1])

    def place_words(self, place: int) -> str:
        """Return what is said of one head."""
        layer, head = divmod(place, self._cells.shape[1])
        return self.tr("Layer {0}, head {1}").format(layer + 1, head + 1)

    def place_at(self, spot: QPoint) -> int:
        """Return the head at a spot."""
        step = self._step(self.width())
        layer, head = int((spot.y() - _TOP) // step), int((spot.x() - _LEFT) // step)
        layers, heads = self._cells.shape[:2]
        return layer * heads + head if 0 <= layer < layers and 0 <= head < heads else -1

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint pictures and numbers, and the frames of the chosen and of the marked one."""
        self._heads.draw(painter, size)
        step = self._step(size.width())
        for axis, count in enumerate(self._cells.shape[:2]):
            for n in self._numbered(axis, count, step):
                self._draw_number(painter, axis, n, step)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.place_count():
            painter.setPen(QPen(self.theme.accent_text, 2))
            painter.drawRect(self._chosen_box(size.width()))
        if self.mark >= 0:
            painter.setPen(QPen(self.theme.focus, 2))
            painter.drawRect(self._box(self.mark, size.width()))

    def _box(self, place: int, width: int) -> QRectF:
        layer, head = divmod(place, self._cells.shape[1])
        cell, step = self._cell(width), self._step(width)
        return QRectF(_LEFT + head * step, _TOP + layer * step, cell, cell)

    def _draw_head(self, painter: QPainter, size: QSize, place: int) -> None:
        _, heads, rows, columns = self._cells.shape
        layer, head = divmod(place, heads)
        box, theme = self._box(place, size.width()), self.theme
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
        part = QRectF(head * columns, layer * rows, columns, rows)
        painter.drawImage(box, self._image, part)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.line, 1))
        painter.drawRect(box)

    def _chosen_box(self, width: int) -> QRectF:
        """Return the box of the chosen head, or of its layer where heads are taken together."""
        heads = int(self._cells.shape[1])
        layer, head = self._chosen
        first, last = (head, head) if self._is_one else (0, heads - 1)
        return self._box(layer * heads + first, width) | self._box(layer * heads + last, width)

    def _is_chosen(self, axis: int, number: int) -> bool:
        return number == self._chosen[axis] and (axis == 0 or self._is_one)

    def _numbered(self, axis: int, count: int, step: float) -> list[int]:
        """Return the layers or heads whose numbers have room; the chosen one always has."""
        every = max(1, math.ceil(_NUMBER[axis] / step))
        chosen = [n for n in range(count) if self._is_chosen(axis, n)]
        return [
            n
            for n in range(count)
            if n in chosen or (n % every == 0 and all(abs(n - c) >= every for c in chosen))
        ]

    def _draw_number(self, painter: QPainter, axis: int, number: int, step: float) -> None:
        theme = self.theme
        is_chosen = self._is_chosen(axis, number)
        painter.setFont(theme.font("label_strong" if is_chosen else "label"))
        painter.setPen(theme.accent_text if is_chosen else theme.text3)
        if axis == 0:
            place = QRectF(0, _TOP + number * step - 6, _LEFT - 6, step + 12)
        else:
            place = QRectF(_LEFT + number * step - 6, 0, step + 12, _TOP - 2)
        align = Qt.AlignmentFlag.AlignRight if axis == 0 else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, str(number + 1))
