"""A legend: a patch in the colour of a mark, and what it means, in one line that may wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.charts.hatching import hatch

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_PATCH: Final = 18
_LINE: Final = 20
_GAP: Final = 16
_LINES: Final = {
    "line": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
}


class Legend(QWidget):
    """Marks and words.

    Args:
        theme: Colours.
        entries: Pairs of mark and words; a mark is ``outline``, ``hatched``, ``tick``, ``stroke``,
            ``accent`` or the name of a category colour; ``line``, ``dash`` or ``dot`` in front of
            one of these two makes it a line.
    """

    def __init__(self, theme: Theme, entries: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._theme = theme
        self._entries = entries
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(", ".join(words for _, words in entries))

    def set_entries(self, entries: tuple[tuple[str, str], ...]) -> None:
        """Explain other marks."""
        self._entries = entries
        self.setAccessibleName(", ".join(words for _, words in entries))
        self.updateGeometry()
        self.update()

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
        places = self._places(width)
        return places[-1][1] + _LINE if places else 0

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
        style, _, name = mark.rpartition(" ")
        color = theme.accent if name == "accent" else theme.categorical.get(name)
        if style and color is not None:
            painter.setPen(QPen(color, 3 if name == "accent" else 2, _LINES[style]))
            middle = box.center().y()
            painter.drawLine(QLineF(box.left(), middle, box.right(), middle))
            return
        if mark == "tick":
            painter.setPen(QPen(theme.text3, 2))
            middle = box.center().x()
            painter.drawLine(QLineF(middle, box.top() - 2, middle, box.bottom() + 2))
            return
        if mark == "stroke":
            middle = box.center().y()
            painter.fillRect(QRectF(box.left(), middle - 1, box.width(), 2), theme.text)
            return
        if mark == "hatched":
            hatch(painter, box, theme.control)
        painter.setPen(QPen(theme.text, 1) if color is None else Qt.PenStyle.NoPen)
        painter.setBrush(color if color is not None else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 2, 2)
