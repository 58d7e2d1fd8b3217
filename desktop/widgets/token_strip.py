"""One line of a text in tokens, the chosen one in the middle; arrow keys and clicks choose.

With Ctrl the arrow keys go from word to word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from desktop.widgets.charts.pieces import shown, spoken, word_from
from desktop.widgets.controls import plain_tip

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent

    from desktop.widgets.theme import Theme
    from inference.types import TokenPiece

_HEIGHT: Final = 44
_CHIP: Final = 24
_PAD: Final = 6
_GAP: Final = 2
_NOTCH: Final = 120
_KEYS: Final = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
}


class TokenStrip(QWidget):
    """Shows the tokens around the chosen one.

    Args:
        theme: The look at the start.
        name: objectName.
        open_end: Whether the token that would come next can be chosen too.

    Signals:
        place_chosen: Index of a token; as many as there are = the one that would come next.
    """

    place_chosen = Signal(int)

    def __init__(self, theme: Theme, name: str, *, open_end: bool = True) -> None:
        super().__init__()
        self._theme = theme
        self._open_end = open_end
        self._pieces: tuple[TokenPiece, ...] = ()
        self._chosen = 0
        self._turned = 0
        self._boxes: list[tuple[int, QRect]] = []
        self.setObjectName(name)
        self.setAccessibleName(self.tr("The text in tokens"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.setMouseTracking(True)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_text(self, pieces: tuple[TokenPiece, ...], chosen: int) -> None:
        """Show a text and the token looked at."""
        self._pieces, self._chosen = pieces, chosen
        words = self._words(chosen)
        self.setAccessibleDescription(
            self.tr("{0}, {1} of {2}").format(words, chosen + 1, self._count())
        )
        self.update()

    def _count(self) -> int:
        return len(self._pieces) + self._open_end

    def sizeHint(self) -> QSize:
        """Return one line."""
        return QSize(320, _HEIGHT)

    def _words(self, index: int) -> str:
        if index >= len(self._pieces):
            return self.tr("what would come next")
        return spoken(self._pieces[index])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step through the text."""
        key, last = Qt.Key(event.key()), self._count() - 1
        by_word = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if by_word and key in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self._choose(word_from(self._pieces, self._chosen, _KEYS[key]))
        elif key in _KEYS:
            self._choose(self._chosen + _KEYS[key])
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self._choose(1 if key == Qt.Key.Key_Home else last)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what was clicked."""
        place = self._place_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step with the wheel, once a notch."""
        self._turned += event.angleDelta().y() or event.angleDelta().x()
        if abs(self._turned) >= _NOTCH:  # touch pads send many small turns
            self._choose(self._chosen + (1 if self._turned < 0 else -1))
            self._turned = 0

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell id and position of what is under the pointer."""
        place = self._place_at(event.position().toPoint())
        words = ""
        if place is not None and place < len(self._pieces):
            piece = self._pieces[place]
            words = self.tr("“{0}”, id {1}, position {2}").format(spoken(piece), piece.id, place)
        QToolTip.showText(event.globalPosition().toPoint(), plain_tip(words), self)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the words away."""
        QToolTip.hideText()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.update()

    def _choose(self, index: int) -> None:
        index = max(1, min(index, self._count() - 1))
        if self._pieces and index != self._chosen:
            self.place_chosen.emit(index)

    def _place_at(self, spot: QPoint) -> int | None:
        return next((place for place, box in self._boxes if box.contains(spot)), None)

    def _text_of(self, index: int) -> str:
        if index >= len(self._pieces):
            return "?"
        text = shown(self._pieces[index])
        return text if len(text) <= 24 else text[:23] + "…"

    def _lay_out(self) -> None:
        """Place the chosen token in the middle, and its neighbours as far as there is room."""
        metrics = QFontMetrics(self._theme.font("code"))
        top, count = (self.height() - _CHIP) // 2, self._count()

        def width_of(index: int) -> int:
            return metrics.horizontalAdvance(self._text_of(index)) + 2 * _PAD

        whole = 0
        for index in range(count):
            whole += width_of(index) + _GAP
            if whole > self.width():
                break
        first, left = 0, 0
        if whole > self.width():  # the chosen one in the middle, unless an end is near
            first, room = self._chosen, self.width() // 2 - width_of(self._chosen) // 2
            while first > 0 and room > width_of(first - 1) + _GAP:
                first -= 1
                room -= width_of(first) + _GAP
            left = room if first > 0 else 0
        self._boxes = []
        for index in range(first, count):
            width = width_of(index)
            if left > self.width():
                break
            self._boxes.append((index, QRect(left, top, width, _CHIP)))
            left += width + _GAP

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._pieces:
            self._lay_out()
        else:
            self._boxes = []
        for index, box in self._boxes:
            self._paint_chip(painter, index, QRectF(box))
        if self.hasFocus():
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 3, -1, -3), 6, 6)
        painter.end()

    def _paint_chip(self, painter: QPainter, index: int, box: QRectF) -> None:
        theme = self._theme
        is_chosen, is_later = index == self._chosen, index > self._chosen
        special = index < len(self._pieces) and self._pieces[index].special
        painter.setPen(Qt.PenStyle.NoPen)
        if is_chosen:
            painter.setBrush(theme.accent)
        elif is_later:
            painter.setPen(QPen(theme.line_strong, 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        elif special:
            painter.setBrush(theme.sunken)
        else:
            painter.setBrush(theme.token_chips[index % len(theme.token_chips)])
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setFont(theme.font("code", bold=is_chosen))
        ink = theme.on_accent if is_chosen else theme.text3 if is_later or special else theme.text
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._text_of(index))
