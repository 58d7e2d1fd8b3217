"""The navigation rail: the pages by name, settings at the foot; icons only where it is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.widgets.controls import key_text
from desktop.widgets.enter import PressedByEnter
from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.icons import RAIL, paint_icon
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_MARK: Final = 28
_BADGE: Final = 16
_MANY: Final = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the window: its id, name, icon and key."""

    id: str
    name: str
    icon_name: str
    keys: str
    at_foot: bool = False


class _RailItem(PressedByEnter, QAbstractButton):
    def __init__(self, page: Page, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._page = page
        self._theme = theme
        self._narrow = False
        self._count = 0
        self.setCheckable(True)
        self.setText(page.name)
        self.setObjectName(f"rail_{page.id}")
        self.setAccessibleName(page.name)
        self.setToolTip(f"{page.name}  {key_text(page.keys)}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_count(self, count: int, words: str) -> None:
        """Show a number beside the icon, none for 0; ``words`` say what it counts."""
        self._count = count
        self.setAccessibleDescription(words if count else "")
        self.update()

    def set_narrow(self, *, narrow: bool) -> None:
        """Show the icon alone, or icon and name."""
        self._narrow = narrow
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size its words ask for."""
        width = layout("rail_narrow" if self._narrow else "rail")
        return QSize(width, 40 if self._narrow else 50)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = self.isChecked()
        inset = 6 if self._narrow else 5
        box = QRectF(self.rect()).adjusted(inset, 0, -inset, 0)
        painter.setPen(Qt.PenStyle.NoPen)
        if current or self.isDown() or self.underMouse():
            ground = theme.pressed if self.isDown() else theme.hover
            painter.setBrush(theme.selected if current else ground)
            painter.drawRoundedRect(box, 8, 8)
        if self.hasFocus() and self.window().testAttribute(
            Qt.WidgetAttribute.WA_KeyboardFocusChange
        ):
            painter.setPen(QPen(theme.focus, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.accent)
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            left = self.width() - 2 if mirrored else -1
            painter.drawRoundedRect(QRectF(left, self.height() / 2 - 9, 4, 18), 2, 2)
        self._paint_content(painter, current=current)
        painter.end()

    def _paint_content(self, painter: QPainter, *, current: bool) -> None:
        theme = self._theme
        ink = theme.accent_text if current else theme.text2
        if self.underMouse() and not current:
            ink = theme.text
        top = (self.height() - RAIL) // 2 if self._narrow else 8
        place = QRect((self.width() - RAIL) // 2, top, RAIL, RAIL)
        paint_icon(painter, self._page.icon_name, ink, place)
        if self._count:
            self._paint_count(painter, place)
        if self._narrow:
            return
        painter.setFont(theme.font("label"))
        painter.setPen(ink)
        words = QRect(0, 29, self.width(), 16)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self._page.name)

    def _paint_count(self, painter: QPainter, glyph: QRect) -> None:
        theme = self._theme
        text = str(self._count) if self._count < _MANY else f"{_MANY - 1}+"
        painter.setFont(theme.font("label_strong"))
        width = max(_BADGE, painter.fontMetrics().horizontalAdvance(text) + 7)
        place = QRectF(glyph.center().x() + 5, glyph.top() - 4, width, _BADGE)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            place.moveRight(glyph.center().x() - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        painter.drawRoundedRect(place, _BADGE / 2, _BADGE / 2)
        painter.setPen(theme.on_accent)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


class _Mark(QWidget):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedHeight(layout("header"))
        self.setObjectName("rail_mark")
        self.setAccessibleName("Glasshouse")

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        place = QRect((self.width() - _MARK) // 2, 11, _MARK, _MARK)
        paint_icon(painter, "mark", self._theme.accent_text, place)
        painter.end()


class Rail(QFrame):
    """Lets a person choose a page.

    Signals:
        page_chosen: With the page's id.
    """

    page_chosen = Signal(str)

    def __init__(self, pages: tuple[Page, ...], theme: Theme) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName(self.tr("Pages"))
        self.setProperty("ground", "rail")
        self.setProperty("edge", "right")
        self._group = QButtonGroup(self)
        self._items: dict[str, _RailItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(2)
        column.addWidget(_Mark(theme, self))
        head = [page for page in pages if not page.at_foot]
        foot = [page for page in pages if page.at_foot]
        for page in head:
            column.addWidget(self._make_item(page, theme))
        column.addStretch(1)
        for page in foot:
            column.addWidget(self._make_item(page, theme))
        self.set_narrow(narrow=False)

    def _make_item(self, page: Page, theme: Theme) -> _RailItem:
        item = _RailItem(page, theme, self)
        item.clicked.connect(lambda _checked=False: self.page_chosen.emit(page.id))
        self._group.addButton(item)
        self._items[page.id] = item
        return item

    def set_current(self, page_id: str) -> None:
        """Show which page is open."""
        self._items[page_id].setChecked(True)

    def set_count(self, page_id: str, count: int, words: str) -> None:
        """Show a number at a page's icon, none for 0.

        Args:
            page_id: Which page.
            count: The number.
            words: What it counts, for a screen reader.
        """
        self._items[page_id].set_count(count, words)

    def set_narrow(self, *, narrow: bool) -> None:
        """Show icons alone, or icons with their names."""
        self.setFixedWidth(layout("rail_narrow" if narrow else "rail"))
        for item in self._items.values():
            item.set_narrow(narrow=narrow)

    def focus_current(self) -> None:
        """Put the keyboard on the current page's item."""
        for item in self._items.values():
            if item.isChecked():
                focus_by_keyboard(item, Qt.FocusReason.TabFocusReason)
