"""What delegates share: a row's ground, and words and icons that mirror with the reading side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPen
from PySide6.QtWidgets import QStyle

from desktop.widgets.controls import badge_size, paint_badge
from desktop.widgets.icons import paint_icon

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QFont, QPainter
    from PySide6.QtWidgets import QStyleOptionViewItem

    from desktop.widgets.theme import Theme


def paint_ground(painter: QPainter, option: QStyleOptionViewItem, theme: Theme) -> None:
    """Paint what lies under a row that is chosen, hovered or has the keyboard."""
    state = option.state
    chosen = bool(state & QStyle.StateFlag.State_Selected)
    if chosen or state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.selected if chosen else theme.hover)
        painter.drawRoundedRect(option.rect, 6, 6)
    focused = state & QStyle.StateFlag.State_HasFocus
    if focused and state & QStyle.StateFlag.State_KeyboardFocusChange:
        painter.setPen(QPen(theme.focus, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(option.rect).adjusted(1, 1, -1, -1), 6, 6)


def cut_to(text: str, font: QFont, width: int) -> tuple[str, int]:
    """Return a text as it fits into a width, and the width it takes, in pixels.

    Remembered, since rows are painted again for every letter of a search and every step of the
    wheel, and Qt measures words anew each time.
    """
    key = (text, font.key(), width)
    known = _cuts.get(key)
    if known is None:
        if len(_cuts) >= _MOST_CUTS:
            _cuts.clear()
        metrics = QFontMetrics(font)
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
        known = _cuts[key] = (cut, min(width, metrics.horizontalAdvance(cut)))
    return known


_MOST_CUTS: Final = 4_096
_cuts: dict[tuple[str, str, int], tuple[str, int]] = {}


class RowPainter:
    """Paints into one row; places are told as if one read from the left.

    Args:
        painter: Open on the view.
        row: The whole row, which places mirror in.
        theme: Colours and fonts.
    """

    def __init__(self, painter: QPainter, row: QRect, theme: Theme) -> None:
        self.painter = painter
        self._row = row
        self.theme = theme
        self._mirrored = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def place(self, left: int, top: int, width: int, height: int) -> QRect:
        """Return a place relative to the row's top left corner, mirrored where needed."""
        row = self._row
        if self._mirrored:
            left = row.width() - left - width
        return QRect(row.left() + left, row.top() + top, width, height)

    def words(
        self, place: QRect, text: str, font: QFont, ink: QColor, *, at_end: bool = False
    ) -> int:
        """Paint one line, cut where it is too long; return the width it took."""
        cut, taken = cut_to(text, font, place.width())
        self.painter.setFont(font)
        self.painter.setPen(ink)
        side = Qt.AlignmentFlag.AlignTrailing if at_end else Qt.AlignmentFlag.AlignLeading
        self.painter.drawText(place, int(side | Qt.AlignmentFlag.AlignVCenter), cut)
        return taken

    def icon(self, place: QRect, name: str, ink: QColor) -> None:
        """Paint an icon."""
        paint_icon(self.painter, name, ink, place)

    def badge(self, left: int, top: int, text: str, tone: str) -> int:
        """Paint an outlined word; return its width."""
        size = badge_size(text, self.theme)
        place = self.place(left, top, size.width(), size.height())
        paint_badge(self.painter, QRectF(place), text, tone, self.theme)
        return size.width()
