"""A legend: a patch in the colour of a mark, and what it means, in one line that may wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.charts.hatching import hatch

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_PATCH: Final = 18
_LINE: Final = 20
_GAP: Final = 16


class Legend(QWidget):
    """Marks and words.

    Args:
        theme: Colours.
        entries: Pairs of mark and words; a mark is ``outline``, ``hatched``, ``accent`` or the name
            of a category colour.
    """

    def __init__(self, theme: Theme, entries: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._theme = theme
        self._entries = entries
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(", ".join(words for _, words in entries))

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def _places(self, width: int) -> list[tuple[int, int]]:
        metrics = QFontMetrics(self._theme.font("small"))
        places, left, top = [], 0, 0
        for _, words in self._entries:
            needed = _PATCH + 6 + metrics.horizontalAdvance(words)
            if left and left + needed > width:
                left, top = 0, top + _LINE
            places.append((left, top))
            left += needed + _GAP
        return places

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._places(width)[-1][1] + _LINE

    def sizeHint(self) -> QSize:
        """Return one line."""
        return QSize(360, _LINE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        for (mark, words), (left, top) in zip(
            self._entries, self._places(self.width()), strict=True
        ):
            self._paint_mark(painter, mark, QRectF(left + 0.5, top + 4.5, _PATCH - 1, 11))
            painter.setPen(theme.text2)
            painter.drawText(
                QRectF(left + _PATCH + 6, top, self.width(), _LINE),
                Qt.AlignmentFlag.AlignVCenter,
                words,
            )
        painter.end()

    def _paint_mark(self, painter: QPainter, mark: str, box: QRectF) -> None:
        theme = self._theme
        if mark == "hatched":
            hatch(painter, box, theme.control)
        painter.setPen(QPen(theme.text, 1) if mark in {"outline", "hatched"} else Qt.PenStyle.NoPen)
        filled: QColor | Qt.BrushStyle = Qt.BrushStyle.NoBrush
        if mark == "accent":
            filled = theme.accent
        elif mark in theme.categorical:
            filled = theme.categorical[mark]
        painter.setBrush(filled)
        painter.drawRoundedRect(box, 2, 2)
