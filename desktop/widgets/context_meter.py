"""How much of a model's context a chat has used, as a bar and two numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.formatting import count

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_BAR: Final = 72
_WARN_SHARE: Final = 0.8


class ContextMeter(QWidget):
    """How much of the context is used: a bar and two numbers."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("context_meter")
        self._theme = theme
        self._used = self._total = 0
        self._is_short = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_use(0, 0)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def set_short(self, is_short: bool) -> None:
        """Leave the numbers out where there is little room."""
        if is_short != self._is_short:
            self._is_short = is_short
            self.updateGeometry()
            self.update()

    def set_use(self, used: int, total: int) -> None:
        """Show tokens used and tokens there are; hidden while the context is not known."""
        self._used, self._total = used, total
        text = self.tr("Context: {0} of {1} tokens used").format(count(used), count(total))
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setVisible(total > 0)
        self.updateGeometry()
        self.update()

    def _words(self) -> str:
        return f"{count(self._used)} / {count(self._total)}"

    def sizeHint(self) -> QSize:
        """Return the size the bar and its numbers need."""
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        words = 0 if self._is_short else 8 + metrics.horizontalAdvance(self._words())
        return QSize(_BAR + words + 2, 26)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the bar and the numbers."""
        theme = self._theme
        share = min(1.0, self._used / self._total) if self._total else 0.0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        is_rtl = self.isRightToLeft()
        left = self.width() - _BAR if is_rtl else 0
        middle = self.height() / 2
        painter.setBrush(theme.line_strong)
        painter.drawRoundedRect(QRectF(left, middle - 2, _BAR, 4), 2, 2)
        painter.setBrush(theme.warn if share >= _WARN_SHARE else theme.categorical["blue"])
        if share > 0:
            width = max(2.0, _BAR * share)
            start = left + _BAR - width if is_rtl else left
            painter.drawRoundedRect(QRectF(start, middle - 2, width, 4), 2, 2)
        if not self._is_short:
            painter.setFont(theme.font("small", tabular=True))
            painter.setPen(theme.warn if share >= _WARN_SHARE else theme.text3)
            side = Qt.AlignmentFlag.AlignLeft if is_rtl else Qt.AlignmentFlag.AlignRight
            place = self.rect().adjusted(0, 0, -1, 0)
            align = side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(align), self._words())
        painter.end()
