"""A whole text as coloured pieces with their ids below, wrapped to the width."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from desktop.widgets.charts.figure import Figure
from desktop.widgets.charts.pieces import shown, spoken

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_CHIP: Final = 24
_LINE: Final = 46
_PAD: Final = 6
_GAP: Final = 3
_LEAST: Final = 30
_LAYOUTS: Final = 4


class TokenText(Figure):
    """Places are the tokens; the colours only part neighbours."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, name, words)
        self._pieces: tuple[TokenPiece, ...] = ()
        self._chosen = -1
        self._boxes: list[QRectF] = []
        self._laid_out_for = 0
        self._layouts: dict[int, list[QRectF]] = {}
        self._widths: list[int] = []
        self._exposed = QRect()
        self._numbers_places = False
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_text(self, pieces: tuple[TokenPiece, ...], chosen: int) -> None:
        """Show a text and the token looked at."""
        changed = pieces is not self._pieces
        self._pieces, self._chosen = pieces, chosen
        if changed:
            self._forget_layouts()
            self._fit()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Measure anew: its fonts may be others."""
        super().set_theme(theme)
        self._forget_layouts()
        self._fit()

    def show_places(self) -> None:
        """Write the position below each token instead of its id."""
        self._numbers_places = True
        self.update()

    def sentence(self) -> str:
        """Return what a person would say of it."""
        head = ", ".join(spoken(piece) for piece in self._pieces[:12])
        return self.tr("{0} tokens, beginning with: {1}").format(len(self._pieces), head)

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

    def place_at(self, spot: QPoint) -> int:
        """Return the token at a spot."""
        self._lay_out(self.width())
        point = spot.toPointF()
        first = bisect_left(self._boxes, point.y(), key=QRectF.bottom)
        row = self._boxes[first : first + self.width() // _LEAST + 1]
        return next((first + n for n, box in enumerate(row) if box.contains(point)), -1)

    def place_rect(self, place: int) -> QRect:
        """Return what a token and its number cover."""
        self._lay_out(self.width())
        return self._boxes[place].adjusted(-2, -2, 2, 22).toAlignedRect()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint no more than what is asked for."""
        self._exposed = event.rect()
        super().paintEvent(event)

    def place_words(self, place: int) -> str:
        """Return what is said of one token."""
        piece = self._pieces[place]
        kind = self.tr(", a special token") if piece.special else ""
        return self.tr("“{0}”, id {1}, position {2}, bytes {3}{4}").format(
            spoken(piece), piece.id, place, piece.data.hex(" "), kind
        )

    def heightForWidth(self, width: int) -> int:
        """Return the height at a width."""
        self._lay_out(width)
        return round(self._boxes[-1].bottom()) + 22 if self._boxes else _LINE

    def sizeHint(self) -> QSize:
        """Return a size that its width then changes."""
        return QSize(480, self.heightForWidth(max(self.width(), 200)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(max(self.width(), 200)))

    def _lay_out(self, width: int) -> None:
        """Place the tokens for a width; layouts ask for the same few again and again."""
        if width == self._laid_out_for:
            return
        if width not in self._layouts:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            self._layouts[width] = self._placed(width)
        self._laid_out_for, self._boxes = width, self._layouts[width]

    def _forget_layouts(self) -> None:
        self._widths = []
        self._layouts.clear()
        self._laid_out_for = 0

    def _placed(self, width: int) -> list[QRectF]:
        self._widths = self._widths or self._measured()
        boxes, left, top = [], 0.0, 2.0
        for piece, wanted in zip(self._pieces, self._widths, strict=True):
            needed = min(wanted, width)
            if left and left + needed > width:
                left, top = 0.0, top + _LINE
            boxes.append(QRectF(left, top, needed, _CHIP))
            left += needed + _GAP
            if piece.text.endswith("\n"):
                left, top = 0.0, top + _LINE
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

    def draw(self, painter: QPainter, size: QSize) -> None:
        """Paint what is exposed."""
        self._lay_out(size.width())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        exposed = self._exposed if painter.device() is self else self.rect()
        first = bisect_left(self._boxes, exposed.top() - 20.0, key=QRectF.bottom)
        for index in range(first, len(self._boxes)):
            box = self._boxes[index]
            if box.top() > exposed.bottom():
                break
            if box.left() <= exposed.right() and box.right() >= exposed.left():
                self._paint_piece(painter, index, self._pieces[index], box)

    def _paint_piece(self, painter: QPainter, index: int, piece: TokenPiece, box: QRectF) -> None:
        theme = self.theme
        is_chosen = index == self._chosen
        painter.setPen(Qt.PenStyle.NoPen)
        if is_chosen:
            painter.setBrush(theme.accent)
        elif piece.special:
            painter.setPen(QPen(theme.line_strong, 1, Qt.PenStyle.DashLine))
            painter.setBrush(theme.sunken)
        else:
            painter.setBrush(theme.token_chips[index % len(theme.token_chips)])
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if index == self.mark:
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
        number = index if self._numbers_places else piece.id
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(number))
