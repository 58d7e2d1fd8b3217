"""Surprise along a text: one bar a token, as many bits high as the model did not expect it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QLineF, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPen

from desktop.widgets import formatting
from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken, written

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_LEAST: Final = 4.0
_MOST: Final = 12.0
_AXIS_GAP: Final = 8
_WORDS: Final = 18
_HEIGHT: Final = 118


class SurpriseStrip(Figure):
    """Places are the tokens; where they do not fit, those around the chosen one are shown."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._pieces: tuple[TokenPiece, ...] = ()
        self._bits: tuple[float | None, ...] = ()
        self._entropies: tuple[float | None, ...] = ()
        self._chosen = 0
        self._middle: int | None = None
        self.setMinimumHeight(_HEIGHT)

    def set_text(
        self,
        pieces: tuple[TokenPiece, ...],
        logprobs: tuple[float | None, ...],
        entropies: tuple[float | None, ...] = (),
    ) -> None:
        """Show another text.

        Args:
            pieces: Its tokens.
            logprobs: Natural logs of their chances, ``None`` where there is none.
            entropies: Bits of the distribution before each; empty = not shown.
        """
        self._pieces, self._entropies, self._middle = pieces, entropies, None
        self._bits = tuple(
            None if logprob is None else -logprob / math.log(2) for logprob in logprobs
        )
        self.refresh()

    def set_chosen(self, index: int) -> None:
        """Mark the token that is looked at."""
        self._chosen, self._middle = index, None
        self.refresh()

    def set_mark(self, place: int) -> None:
        """Mark a place; keys that leave what is shown take it along, the pointer never does."""
        _, first, count = self._window(self.width())
        if place < 0:
            self._middle = None
        elif not first <= place < first + count:
            self._middle = place
        super().set_mark(place)

    def sizeHint(self) -> QSize:
        """Return a size that shows some hundred tokens."""
        return QSize(480, _HEIGHT)

    def sentence(self) -> str:
        """Return what a person would say of it."""
        known = [(bits, n) for n, bits in enumerate(self._bits) if bits is not None]
        if not known:
            return self.tr("Nothing to show yet.")
        most, place = max(known)
        mean = sum(bits for bits, _ in known) / len(known)
        return self.tr("{0} bits on average; most at “{1}” with {2} bits.").format(
            formatting.decimal(mean, 1),
            spoken(self._pieces[place]),
            formatting.decimal(most, 1),
        )

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (str(n), str(piece.id), written(piece), _cell(bits), _cell(self._entropy(n)))
            for n, (piece, bits) in enumerate(zip(self._pieces, self._bits, strict=False))
        ]
        return (("position", "id", "token", "bits", "entropy"), *rows)

    def _entropy(self, place: int) -> float | None:
        return self._entropies[place] if place < len(self._entropies) else None

    def place_count(self) -> int:
        """Return the number of tokens."""
        return min(len(self._pieces), len(self._bits))

    def place_words(self, place: int) -> str:
        """Return what is said of one token."""
        bits = self._bits[place]
        word = spoken(self._pieces[place])
        if bits is None:
            return self.tr("“{0}”: nothing stands before it").format(word)
        chance = formatting.chance(2**-bits)
        told = self.tr("“{0}”: {1} bits, chance {2}").format(
            word, formatting.decimal(bits, 1), chance
        )
        entropy = self._entropy(place)
        if entropy is None:
            return told
        return self.tr("{0}; uncertainty before it {1} bits").format(
            told, formatting.decimal(entropy, 1)
        )

    def place_at(self, spot: QPoint) -> int:
        """Return the token at a spot."""
        step, first, count = self._window(self.width())
        place = first + int(spot.x() / step)
        return place if spot.x() >= 0 and first <= place < first + count else -1

    def _axis(self) -> int:
        """Return the room for the words of the axis, of two digits at most."""
        metrics = QFontMetrics(self.theme.font("label"))
        return metrics.horizontalAdvance(self.tr("{0} bits").format(88)) + _AXIS_GAP + 2

    def _window(self, width: int) -> tuple[float, int, int]:
        """Return the width of a bar with its gap, the first token shown, and how many."""
        total = max(1, self.place_count())
        room = max(1, width - self._axis())
        step = max(_LEAST, min(room / total, _MOST))
        count = min(total, max(1, int(room / step)))
        focus = self._chosen if self._middle is None else self._middle
        first = max(0, min(focus - count // 2, total - count))
        return step, first, count

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint grid, bars and the words at the ends."""
        theme = self.theme
        step, first, count = self._window(size.width())
        shown_bits = [bits or 0.0 for bits in self._bits[first : first + count]]
        if not shown_bits:
            return
        entropies = [self._entropy(place) or 0.0 for place in range(first, first + count)]
        top = max(4.0, 2.0 * math.ceil(max(*shown_bits, *entropies) / 2))
        floor = size.height() - _WORDS
        scale = (floor - 14) / top
        self._draw_grid(painter, size.width(), floor, top, scale)
        painter.setPen(Qt.PenStyle.NoPen)
        for offset, bits in enumerate(shown_bits):
            place = first + offset
            is_chosen = place == self._chosen
            color = theme.accent if is_chosen else theme.categorical["blue"]
            if place == self.mark:
                painter.fillRect(QRectF(offset * step, 0, step, floor), theme.hover)
            height = max(1.0, bits * scale)
            painter.fillRect(
                QRectF(offset * step, floor - height, max(1.0, step - 1.5), height), color
            )
            if self._entropy(place) is not None:
                y = floor - entropies[offset] * scale
                painter.fillRect(QRectF(offset * step, y - 1, max(2.0, step - 1.5), 2), theme.text)
        if self.hasFocus() and first <= self.mark < first + count:
            painter.setPen(QPen(theme.focus, 2))
            left = max(1.0, (self.mark - first) * step - 1)
            painter.drawRect(QRectF(left, 1, step, floor - 2))
        self._draw_words(painter, step, first, count, floor)

    def _draw_grid(
        self, painter: QPainter, width: int, floor: int, top: float, scale: float
    ) -> None:
        theme, axis = self.theme, self._axis()
        painter.setFont(theme.font("label"))
        each = next(step for step in (2.0, 4.0, 8.0, 16.0, math.ceil(top / 4)) if top <= 4 * step)
        bits = each
        while bits <= top:
            y = floor - bits * scale
            painter.setPen(theme.line)
            painter.drawLine(QLineF(0, y, width - axis + 4, y))
            painter.setPen(theme.text3)
            words = formatting.decimal(bits, 0)
            if bits < 100:  # the axis has no room for more
                words = self.tr("{0} bits").format(words)
            place = QRectF(width - axis + _AXIS_GAP, y - 8, axis - _AXIS_GAP, 16)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)
            bits += each
        painter.setPen(theme.line_strong)
        painter.drawLine(QLineF(0, floor + 0.5, width - axis + 4, floor + 0.5))

    def _draw_words(
        self, painter: QPainter, step: float, first: int, count: int, floor: int
    ) -> None:
        theme = self.theme
        metrics = painter.fontMetrics()
        taken: list[tuple[float, float]] = []
        for place in (self._chosen, first, first + count - 1):
            if not first <= place < first + count:
                continue
            words = metrics.elidedText(shown(self._pieces[place]), Qt.TextElideMode.ElideRight, 90)
            room = metrics.horizontalAdvance(words)
            middle = (place - first + 0.5) * step
            left = max(0.0, min(middle - room / 2, count * step - room))
            if any(left < end + 6 and start < left + room + 6 for start, end in taken):
                continue
            taken.append((left, left + room))
            is_chosen = place == self._chosen
            painter.setFont(theme.font("label_strong" if is_chosen else "label"))
            painter.setPen(theme.accent_text if is_chosen else theme.text3)
            painter.drawText(
                QRectF(left, floor + 1, room + 8, _WORDS - 1), Qt.AlignmentFlag.AlignVCenter, words
            )


def _cell(bits: float | None) -> str:
    return "" if bits is None else f"{bits:.6g}"
