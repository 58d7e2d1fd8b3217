"""A whole text as coloured pieces with their ids below, wrapped to the width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from desktop.widgets.charts.pieces import shown, spoken
from desktop.widgets.charts.wrapped_figure import WrappedFigure

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_CHIP: Final = 24
_PAD: Final = 6
_GAP: Final = 3
_LEAST: Final = 30


class TokenText(WrappedFigure):
    """Places are the tokens; the colours only part neighbours."""

    line = 46
    below = 22

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._pieces: tuple[TokenPiece, ...] = ()
        self._chosen = -1
        self._widths: list[int] = []
        self._numbers_places = False

    def set_text(self, pieces: tuple[TokenPiece, ...], chosen: int) -> None:
        """Show a text and the token looked at."""
        changed = pieces is not self._pieces
        self._pieces, self._chosen = pieces, chosen
        if changed:
            self.lay_out_anew()
        self.refresh()

    def show_places(self) -> None:
        """Write the position below each token instead of its id."""
        self._numbers_places = True
        self.update()

    def sentence(self) -> str:
        """Return what a person would say of it."""
        head = ", ".join(spoken(piece) for piece in self._pieces[:12])
        number = len(self._pieces)
        words = (
            self.tr("1 token: {1}") if number == 1 else self.tr("{0} tokens, beginning with: {1}")
        )
        return words.format(number, head)

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Return its numbers."""
        rows = [
            (str(n), str(piece.id), piece.text, piece.data.hex(" "), str(piece.special))
            for n, piece in enumerate(self._pieces)
        ]
        return (("position", "id", "token", "bytes", "special"), *rows)

    def place_count(self) -> int:
        """Return the number of tokens."""
        return len(self._pieces)

    def place_words(self, place: int) -> str:
        """Return what is said of one token."""
        piece = self._pieces[place]
        kind = self.tr(", a special token") if piece.special else ""
        return self.tr("“{0}”, id {1}, position {2}, bytes {3}{4}").format(
            spoken(piece), piece.id, place, piece.data.hex(" "), kind
        )

    def lay_out_anew(self) -> None:
        """Measure the tokens again, too."""
        self._widths = []
        super().lay_out_anew()

    def _placed(self, width: int) -> list[QRectF]:
        self._widths = self._widths or self._measured()
        boxes, left, top = [], 0.0, 2.0
        for piece, wanted in zip(self._pieces, self._widths, strict=True):
            needed = min(wanted, width)
            if left and left + needed > width:
                left, top = 0.0, top + self.line
            boxes.append(QRectF(left, top, needed, _CHIP))
            left += needed + _GAP
            if piece.text.endswith("\n"):
                left, top = 0.0, top + self.line
        return boxes

    def _measured(self) -> list[int]:
        """Return how wide each token is; measuring thousands of texts would hold up the window."""
        text = QFontMetrics(self.theme.font("code"))
        small = QFontMetrics(self.theme.font("label"))
        wide, digit = text.horizontalAdvance("M"), small.horizontalAdvance("0")
        widths = []
        for piece in self._pieces:
            words = shown(piece)
            narrow = words.replace("·", "").isascii()  # the font's letters are all of one width
            of_text = len(words) * wide if narrow else text.horizontalAdvance(words)
            widths.append(max(of_text + 2 * _PAD, len(str(piece.id)) * digit + 4, _LEAST))
        return widths

    def _paint_place(self, painter: QPainter, place: int, box: QRectF) -> None:
        theme = self.theme
        piece, is_chosen = self._pieces[place], place == self._chosen
        painter.setPen(Qt.PenStyle.NoPen)
        if is_chosen:
            painter.setBrush(theme.accent)
        elif piece.special:
            painter.setPen(QPen(theme.line_strong, 1, Qt.PenStyle.DashLine))
            painter.setBrush(theme.sunken)
        else:
            painter.setBrush(theme.token_chips[place % len(theme.token_chips)])
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if place == self.mark:
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
        painter.setFont(theme.font("code", bold=is_chosen))
        painter.setPen(theme.on_accent if is_chosen else theme.text)
        words = painter.fontMetrics().elidedText(
            shown(piece), Qt.TextElideMode.ElideRight, round(box.width()) - 4
        )
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        painter.setFont(theme.font("label"))
        painter.setPen(theme.text3)
        below = QRectF(box.left(), box.bottom() + 1, box.width(), 15)
        number = place if self._numbers_places else piece.id
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(number))
