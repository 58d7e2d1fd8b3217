"""A text whose words stand on a ground as strong as they were unexpected, wrapped to the width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.pieces import spoken
from desktop.widgets.charts.wrapped_figure import WrappedFigure

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.inside.words import Word

_STRONGEST: Final = 0.35
"""Place in the colour map up to which text stays easy to read on it."""
_BOX: Final = 22
_PAD: Final = 4
_GAP: Final = 2
_MOST_BREAKS: Final = 2


def ground_of(theme: Theme, bits: float, full_bits: float) -> QColor:
    """Return the ground of a word of so many bits, on a root scale up to ``full_bits``."""
    stops = theme.sequential
    place = _STRONGEST * min(1.0, max(0.0, bits) / full_bits) ** 0.5 * (len(stops) - 1)
    low = min(int(place), len(stops) - 2)
    one, other, part = stops[low], stops[low + 1], place - low
    return QColor.fromRgbF(
        (1 - part) * one.redF() + part * other.redF(),
        (1 - part) * one.greenF() + part * other.greenF(),
        (1 - part) * one.blueF() + part * other.blueF(),
    )


class WordHeat(WrappedFigure):
    """Places are the words; those without a score stand on no ground."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._words: tuple[Word, ...] = ()
        self._widths: dict[str, float] = {}
        self._full_bits = 20.0

    def set_scale(self, full_bits: float) -> None:
        """Let words of so many bits have the strongest ground."""
        self._full_bits = full_bits
        self.update()

    def set_words(self, words: tuple[Word, ...]) -> None:
        """Show these words."""
        self._words = words
        self.lay_out_anew()
        self.refresh()

    def sentence(self) -> str:
        """Return what a person would say of it."""
        known = [(word.bits, n) for n, word in enumerate(self._words) if word.bits is not None]
        if not known:
            return self.tr("Nothing to show yet.")
        most, place = max(known)
        return self.tr("{0} words; the most unexpected is “{1}” with {2} bits.").format(
            formatting.count(len(self._words)),
            spoken(self._words[place].text),
            formatting.decimal(most, 1),
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (str(word.first), word.text, "" if word.bits is None else f"{word.bits:.6g}")
            for word in self._words
        ]
        return (("first token", "word", "bits"), *rows)

    def place_count(self) -> int:
        """Return the number of words."""
        return len(self._words)

    def place_words(self, place: int) -> str:
        """Return what is said of one word."""
        word = self._words[place]
        if word.bits is None:
            return self.tr("“{0}”: not scored, it stands before others").format(spoken(word.text))
        return self.tr("“{0}”: {1} bits, chance {2}").format(
            spoken(word.text),
            formatting.decimal(word.bits, 1),
            formatting.chance(2.0 ** -min(word.bits, 1000.0)),
        )

    def lay_out_anew(self) -> None:
        """Measure the words again, too."""
        self._widths.clear()
        super().lay_out_anew()

    def _placed(self, width: int) -> list[QRectF]:
        metrics = QFontMetricsF(self.theme.font("body"))
        boxes: list[QRectF] = []
        left, top = 0.0, 2.0
        for word in self._words:
            shown = word.text.strip()
            breaks = word.text[: len(word.text) - len(word.text.lstrip())].count("\n")
            if breaks and boxes:
                left, top = 0.0, top + min(breaks, _MOST_BREAKS) * self.line
            needed = self._widths.get(shown)
            if needed is None:
                needed = self._widths[shown] = metrics.horizontalAdvance(shown) + 2 * _PAD
            needed = min(needed, float(width))
            if left and left + needed > width:
                left, top = 0.0, top + self.line
            boxes.append(QRectF(left, top, needed, _BOX))
            left += needed + _GAP
        return boxes

    def _paint_place(self, painter: QPainter, place: int, box: QRectF) -> None:
        word = self._words[place]
        theme = self.theme
        if word.bits is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground_of(theme, word.bits, self._full_bits))
            painter.drawRoundedRect(box, 4, 4)
        if place == self.mark:
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.text if word.bits is not None else theme.text3)
        words = painter.fontMetrics().elidedText(
            word.text.strip(), Qt.TextElideMode.ElideRight, round(box.width()) - _PAD
        )
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
