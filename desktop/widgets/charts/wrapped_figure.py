"""A figure whose places are boxes from left to right that go on in the next line."""

from __future__ import annotations

from bisect import bisect_left
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy

from desktop.widgets.charts.figure import Figure

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.widgets.theme import Theme

_LAYOUTS: Final = 4
_LEAST_WIDTH: Final = 200


class WrappedFigure(Figure):
    """Lays out thousands of boxes once for a width, and paints no more than what is exposed."""

    line: ClassVar[int] = 27
    """From the top of a line to the next, in pixels."""
    below: ClassVar[int] = 6
    """Room that a box needs below itself, in pixels."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._boxes: list[QRectF] = []
        self._laid_out_for = 0
        self._layouts: dict[int, list[QRectF]] = {}
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    # --- what a text says of itself --------------------------------------------------------

    def _placed(self, width: int) -> list[QRectF]:
        """Return the box of each place at a width, line by line."""
        raise NotImplementedError

    def _paint_place(self, painter: QPainter, place: int, box: QRectF) -> None:
        """Paint one place."""
        raise NotImplementedError

    # --- where places are ------------------------------------------------------------------

    def lay_out_anew(self) -> None:
        """Forget every layout: the places, or the fonts they are measured in, are others."""
        self._layouts.clear()
        self._laid_out_for = 0
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Measure anew: its fonts may be others."""
        super().set_theme(theme)
        self.lay_out_anew()

    def box_of(self, place: int) -> QRectF:
        """Return where a place stands."""
        self._lay_out(self.width())
        return self._boxes[place]

    def place_rect(self, place: int) -> QRect:
        """Return what a box and what belongs below it cover."""
        return self.box_of(place).adjusted(-2, -2, 2, self.below).toAlignedRect()

    def place_at(self, spot: QPoint) -> int:
        """Return the place whose box is at a spot."""
        self._lay_out(self.width())
        point = spot.toPointF()
        first = bisect_left(self._boxes, point.y(), key=QRectF.bottom)
        reached = takewhile(
            lambda n: self._boxes[n].top() <= point.y(), range(first, len(self._boxes))
        )
        return next((n for n in reached if self._boxes[n].contains(point)), -1)

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        self._lay_out(width)
        return round(self._boxes[-1].bottom()) + self.below if self._boxes else self.line

    def sizeHint(self) -> QSize:
        """Return a size that its width then changes."""
        return QSize(480, self.heightForWidth(max(self.width(), _LEAST_WIDTH)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(max(self.width(), _LEAST_WIDTH)))

    def _lay_out(self, width: int) -> None:
        """Place the boxes for a width; layouts ask for the same few again and again."""
        if width == self._laid_out_for:
            return
        if width not in self._layouts:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            self._layouts[width] = self._placed(width)
        self._laid_out_for, self._boxes = width, self._layouts[width]

    # --- painting --------------------------------------------------------------------------

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint what is exposed."""
        self._lay_out(size.width())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        exposed = self.exposed()
        first = bisect_left(self._boxes, exposed.top() - self.below, key=QRectF.bottom)
        for place in range(first, len(self._boxes)):
            box = self._boxes[place]
            if box.top() > exposed.bottom():
                break
            if box.left() <= exposed.right() and box.right() >= exposed.left():
                self._paint_place(painter, place, box)
