"""The scale of a text's grounds: from expected to unexpected, with the bits at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets import formatting
from desktop.widgets.charts.word_heat import ground_of

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_STEPS: Final = 10
_PATCH: Final = 14
_LINE: Final = 20


class HeatLegend(QWidget):
    """Patches between the words for their ends."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._full_bits = 20.0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(" ".join(self._words()))

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_scale(self, full_bits: float) -> None:
        """Tell another scale."""
        self._full_bits = full_bits
        self.setAccessibleName(" ".join(self._words()))
        self.update()

    def sizeHint(self) -> QSize:
        """Return one line."""
        return QSize(320, _LINE)

    def _words(self) -> tuple[str, str]:
        most = formatting.decimal(self._full_bits, 0)
        return self.tr("0 bits, certain"), self.tr("{0} bits and more").format(most)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("small"))
        low, high = self._words()
        left = QFontMetrics(theme.font("small")).horizontalAdvance(low) + 8
        painter.setPen(theme.text2)
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, left, _LINE), align, low)
        for step in range(_STEPS):
            share = step / (_STEPS - 1)
            painter.fillRect(
                QRectF(left + step * _PATCH, 4, _PATCH, 12), ground_of(theme, share, 1.0)
            )
        after = left + _STEPS * _PATCH + 8
        painter.drawText(QRectF(after, 0, self.width(), _LINE), align, high)
        painter.end()
