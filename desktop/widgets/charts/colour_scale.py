"""The scale of a figure that is coloured from 0 to 1, beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.charts.colour_map import colour_of

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_BAR: Final = 144
_CELL: Final = 12
_STEPS: Final = 12
_GAP: Final = 8


class ColourScale(QWidget):
    """Steps of the sequential map with its ends."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Colours from 0 to 1, on a root scale"))

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of bar and words."""
        metrics = QFontMetrics(self._theme.font("small"))
        words = metrics.horizontalAdvance("0" + self._end())
        return QSize(_BAR + words + 2 * _GAP + 4, 20)

    def _end(self) -> str:
        return self.tr("1, root scale")

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text2)
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, 20, self.height()), align, "0")
        left = painter.fontMetrics().horizontalAdvance("0") + _GAP
        top = (self.height() - _CELL) / 2
        for step in range(_STEPS):
            share = (step / (_STEPS - 1)) ** 2  # the map takes the root: even steps of colour
            box = QRectF(left + step * _BAR / _STEPS, top, _BAR / _STEPS, _CELL)
            painter.fillRect(box, colour_of(theme, share))
        painter.setPen(theme.line_strong)
        painter.drawRect(QRectF(left - 0.5, top - 0.5, _BAR + 1, _CELL + 1))
        painter.setPen(theme.text2)
        place = QRectF(left + _BAR + _GAP, 0, self.width(), self.height())
        painter.drawText(place, align, self._end())
        painter.end()
