"""The scale of a figure whose colours go from less than nothing to more, beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_STEP: Final = 12
_GAP: Final = 8


class DivergingScale(QWidget):
    """Steps of the diverging map between the words for its ends.

    Args:
        theme: Colours.
        less, more: What the ends mean.
    """

    def __init__(self, theme: Theme, less: str, more: str) -> None:
        super().__init__()
        self._theme = theme
        self._less, self._more = less, more
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Colours from “{0}” to “{1}”").format(less, more))

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of bar and words."""
        metrics = QFontMetrics(self._theme.font("small"))
        words = sum(metrics.horizontalAdvance(word) for word in (self._less, self._more))
        return QSize(len(self._theme.diverging) * _STEP + words + 2 * _GAP + 4, 20)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.text2)
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.width(), self.height()), align, self._less)
        left = painter.fontMetrics().horizontalAdvance(self._less) + _GAP
        top, width = (self.height() - _STEP) / 2, _STEP * len(theme.diverging)
        for step, colour in enumerate(theme.diverging):
            painter.fillRect(QRectF(left + step * _STEP, top, _STEP, _STEP), colour)
        painter.setPen(theme.line_strong)
        painter.drawRect(QRectF(left - 0.5, top - 0.5, width + 1, _STEP + 1))
        painter.setPen(theme.text2)
        place = QRectF(left + width + _GAP, 0, self.width(), self.height())
        painter.drawText(place, align, self._more)
        painter.end()
