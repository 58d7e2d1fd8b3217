"""The scale of a figure's colours, beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.charts.colour_map import colour_of

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from desktop.widgets.theme import Theme

_CELL: Final = 12
_STEPS: Final = 12
_GAP: Final = 8


class ColourScale(QWidget):
    """Steps of a map between the words for its ends.

    Args:
        theme: Colours.
        less, more: What the ends mean.
        words: Accessible name.
        diverging: The map goes from below 0 to above it, not from 0 to 1.
    """

    def __init__(
        self, theme: Theme, less: str, more: str, words: str, *, diverging: bool = False
    ) -> None:
        super().__init__()
        self._theme = theme
        self._less, self._more = less, more
        self._diverging = diverging
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _colours(self) -> tuple[QColor, ...]:
        if self._diverging:
            return tuple(self._theme.diverging)
        # The map takes the root: even steps of colour.
        shares = ((step / (_STEPS - 1)) ** 2 for step in range(_STEPS))
        return tuple(colour_of(self._theme, share) for share in shares)

    def sizeHint(self) -> QSize:
        """Return the size of bar and words."""
        metrics = QFontMetrics(self._theme.font("small"))
        words = sum(metrics.horizontalAdvance(word) for word in (self._less, self._more))
        return QSize(len(self._colours()) * _CELL + words + 2 * _GAP + 4, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme, colours = self._theme, self._colours()
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text2)
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.width(), self.height()), align, self._less)
        left = painter.fontMetrics().horizontalAdvance(self._less) + _GAP
        top, width = (self.height() - _CELL) / 2, _CELL * len(colours)
        for step, colour in enumerate(colours):
            painter.fillRect(QRectF(left + step * _CELL, top, _CELL, _CELL), colour)
        painter.setPen(theme.line_strong)
        painter.drawRect(QRectF(left - 0.5, top - 0.5, width + 1, _CELL + 1))
        painter.setPen(theme.text2)
        place = QRectF(left + width + _GAP, 0, self.width(), self.height())
        painter.drawText(place, align, self._more)
        painter.end()
