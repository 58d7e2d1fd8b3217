"""The memory a model would take, as one bar with its legend, and facts in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets import formatting
from desktop.widgets.download_charts import paint_hatched
from desktop.widgets.row_painting import RowPainter

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QResizeEvent

    from desktop.discover_values import MemoryPart
    from desktop.widgets.theme import Theme

_BAR = 12
_LINE = 20
_SWATCH = 10


class MemoryBar(QWidget):
    """Weights, context, buffers and what stays free; hatched where it is too much.

    Args:
        theme: Colours.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._parts: tuple[MemoryPart, ...] = ()
        self.setObjectName("memory_bar")
        self.setAccessibleName(self.tr("Memory it would take"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_parts(self, parts: tuple[MemoryPart, ...]) -> None:
        """Show these amounts."""
        self._parts = parts
        self.setAccessibleDescription(", ".join(map(self._words, parts)))
        self.updateGeometry()
        self.update()

    def _words(self, part: MemoryPart) -> str:
        names = {
            "weights": self.tr("Weights"),
            "context": self.tr("Context"),
            "buffers": self.tr("Buffers"),
            "free": self.tr("Stays free"),
            "over": self.tr("Too much"),
        }
        return f"{names[part.name]}  {formatting.size(part.size_bytes)}"

    def _color(self, part: MemoryPart) -> QColor:
        theme = self._theme
        if part.name in ("free", "over"):
            return theme.line_strong if part.name == "free" else theme.bad
        data = {"weights": "blue", "context": "gold", "buffers": "slate"}
        return theme.categorical[data[part.name]]

    def _legend(self, width: int) -> list[tuple[MemoryPart, int, int]]:
        """Return each part with the place of its words; they wrap where it is narrow."""
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        places, left, top = [], 0, _BAR + 6
        for part in self._parts:
            needed = _SWATCH + 6 + metrics.horizontalAdvance(self._words(part)) + 2
            if left and left + needed > width:
                left, top = 0, top + _LINE
            places.append((part, left, top))
            left += needed + 16
        return places

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return self._legend(width)[-1][2] + _LINE if self._parts else 0

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        width = max(self.width(), 420)
        return QSize(420, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(120, self.heightForWidth(max(self.width(), 120)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for another height where the legend wraps."""
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        if not self._parts:
            return
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = RowPainter(painter, self.rect(), theme)
        self._paint_bar(painter, row)
        font = theme.font("small", tabular=True)
        for part, left, top in self._legend(self.width()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._color(part))
            swatch = row.place(left, top + (_LINE - _SWATCH) // 2, _SWATCH, _SWATCH)
            painter.drawRoundedRect(QRectF(swatch), 2, 2)
            skip = _SWATCH + 6
            place = row.place(left + skip, top, self.width() - left - skip, _LINE)
            row.words(place, self._words(part), font, theme.text2)
        painter.end()

    def _paint_bar(self, painter: QPainter, row: RowPainter) -> None:
        amounts = [part for part in self._parts if part.name != "over"]
        total = max(1, sum(part.size_bytes for part in amounts))
        left = 0.0
        for part in amounts:
            width = self.width() * part.size_bytes / total
            place = row.place(round(left), 0, max(1, round(left + width) - round(left)), _BAR)
            painter.fillRect(place, self._color(part))
            left += width
        over = next((part for part in self._parts if part.name == "over"), None)
        if over is not None:
            width = min(self.width(), max(4, round(self.width() * over.size_bytes / total)))
            too_much = QRectF(row.place(self.width() - width, 0, width, _BAR))
            paint_hatched(painter, too_much, self._theme.bad, self._theme.bad_soft)


class FactColumns(QWidget):
    """Facts side by side: a small title over each; they wrap where it is narrow.

    Args:
        theme: Colours.
        name: objectName.
    """

    _COLUMN = 140
    _MOST = 5
    _HEIGHT = 46

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._facts: tuple[tuple[str, str], ...] = ()
        self.setObjectName(name)
        self.setAccessibleName(self.tr("Facts"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        """Show titles with their values."""
        self._facts = facts
        self.setAccessibleDescription(", ".join(f"{title}: {value}" for title, value in facts))
        self.updateGeometry()
        self.update()

    def _across(self, width: int) -> int:
        return max(1, min(self._MOST, width // self._COLUMN))

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        return -(-len(self._facts) // self._across(width)) * self._HEIGHT

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        width = max(self.width(), 420)
        return QSize(420, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(120, self.heightForWidth(max(self.width(), 120)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for another height where the columns wrap."""
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        row = RowPainter(painter, self.rect(), theme)
        across = self._across(self.width())
        column = self.width() // across
        for number, (title, value) in enumerate(self._facts):
            line, place = divmod(number, across)
            top, left = line * self._HEIGHT, place * column
            small = row.place(left, top, column - 8, 18)
            row.words(small, title, theme.font("small"), theme.text3)
            body = row.place(left, top + 18, column - 8, 20)
            row.words(body, value, theme.font("body_medium"), theme.text)
        painter.end()
