"""One download as a row: painted name, bar and amounts; real buttons for what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.views import download_words as words
from desktop.views.download_offers import ICONS, LINKS, LOOKS, OPPOSITE, offers
from desktop.widgets.controls import Button, IconButton, Paragraph, label
from desktop.widgets.direction import reads_right_to_left
from desktop.widgets.download_charts import BAR, paint_bar
from desktop.widgets.icons import paint_icon

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QResizeEvent

    from desktop.download_values import DownloadRow
    from desktop.widgets.theme import FontRole, Theme

_HEIGHT: Final = 54
_TALL: Final = 84
_ICON: Final = 18
_TEXT: Final = 48
_NAME: Final = 300
_AMOUNT: Final = 196
_ACTIONS: Final = 168
NARROW_BELOW: Final = 860


class DownloadRowView(QWidget):
    """Shows one ``DownloadRow``; it decides nothing.

    Signals:
        acted: Row id and ``pause``, ``resume``, ``remove``, ``up``, ``down``, ``open``,
            ``page``, ``token`` or ``mirror``.
        stepped: The keyboard goes to the next row, or the previous one with -1.
        drag_moved, drag_ended: Row id and place on the screen while it is pulled by its grip.
    """

    acted = Signal(str, str)
    stepped = Signal(int)
    drag_moved = Signal(str, QPoint)
    drag_ended = Signal(str, QPoint)

    def __init__(self, row: DownloadRow, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._row = row
        self._is_next = False
        self._offers: tuple[str, ...] = ()
        self._pressed: QPoint | None = None
        self._is_dragged = False
        self._has_details = False
        self.setObjectName("download_row")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._top = QWidget()
        self._top.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, on=False)
        self._actions = QHBoxLayout(self._top)
        self._actions.setContentsMargins(0, 0, 8, 0)
        self._actions.setSpacing(4)
        self._actions.addStretch(1)
        self._sentence = Paragraph("", theme.line_height("small"))
        self._sentence.setFont(theme.font("small"))
        self._sentence.setProperty("tone", "text")
        self._title = label("", theme, "small_medium", "bad", wrap=True)
        below = QVBoxLayout()
        below.setContentsMargins(_TEXT, 0, 8, 10)
        below.setSpacing(2)
        below.addWidget(self._title)
        below.addWidget(self._sentence)
        self._links = QHBoxLayout()
        self._links.setSpacing(16)
        self._links.setAlignment(Qt.AlignmentFlag.AlignLeading)
        below.addLayout(self._links)
        self._linked: tuple[str, ...] = ()
        self._below = QWidget()
        self._below.setLayout(below)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top)
        column.addWidget(self._below)
        self._fit()
        self._show(row)

    @property
    def row(self) -> DownloadRow:
        """What is shown."""
        return self._row

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self.update()

    def set_row(self, row: DownloadRow, *, is_next: bool, can_rise: bool) -> None:
        """Show it as it stands now.

        Args:
            row: The download.
            is_next: It is the first of those in line.
            can_rise: There is another one before it in line.
        """
        self._is_next = is_next
        self._show(row, can_rise=can_rise)

    def holds_focus(self) -> bool:
        """Whether the keyboard is on the row or one of its buttons."""
        focus = QApplication.focusWidget()
        return focus is self or (focus is not None and self.isAncestorOf(focus))

    def refresh(self) -> None:
        """Draw again what changes with the clock alone."""
        self.update()

    def _show(self, row: DownloadRow, *, can_rise: bool = False) -> None:
        self._row = row
        possible = offers(row, can_rise=can_rise)
        if possible != self._offers:
            self._offers = possible
            self._make_actions()
        has_words = row.state in {"failed", "aside"}
        self._below.setVisible(has_words)
        if has_words:
            self._title.setText(row.title)
            text = " ".join(part for part in (row.message, row.hint) if part)
            if self._has_details and row.detail:
                text = f"{text}\n{row.detail}"
            self._sentence.setText(text)
            self._show_links(LINKS.get(row.error, ()))
        self.setToolTip(row.note if row.state == "waiting" else "")
        self.setAccessibleName(words.spoken(row))
        self.setAccessibleDescription(row.hint or row.note)
        self.update()

    # -- actions ------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        focused = next((b.property("action") for b in self._buttons() if b.hasFocus()), None)
        _empty(self._actions, 1)
        for action in self._offers:
            button = self._button(action)
            button.setProperty("action", action)
            button.clicked.connect(lambda _checked=False, a=action: self._act(a))
            self._actions.addWidget(button)
            button.show()  # now, so that it can take the keyboard over
            if focused is not None and action in {focused, OPPOSITE.get(str(focused), "")}:
                button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _buttons(self) -> list[Button | IconButton]:
        found: list[Button | IconButton] = [*self._top.findChildren(Button)]
        return found + self._top.findChildren(IconButton)

    def _button(self, action: str) -> Button | IconButton:
        theme, row = self._theme, self._row
        texts = {
            "again": self.tr("Try again"),
            "open": self.tr("Open in chat"),
        }
        if action in texts:
            button = Button(
                texts[action],
                theme,
                name=f"download_{action}",
                icon_name="refresh-cw" if action == "again" else "",
                small=True,
            )
            button.setAccessibleName(f"{texts[action]}: {row.name}")
            return button
        icon_name, text, keys = {
            "pause": ("pause", self.tr("Pause"), "Space"),
            "resume": ("play", self.tr("Go on"), "Space"),
            "remove": ("x", self.tr("Remove"), "Del"),
            "up": ("arrow-up", self.tr("Move up in line"), "Alt+Up"),
        }[action]
        plain = IconButton(icon_name, text, theme, name=f"download_{action}", keys=keys)
        plain.setAccessibleName(f"{text}: {row.name}")
        return plain

    def _show_links(self, links: tuple[str, ...]) -> None:
        if links == self._linked:
            return
        self._linked = links
        _empty(self._links, 0)
        texts = {
            "details": self.tr("See both checksums"),
            "page": self.tr("Open the authors' page"),
            "token": self.tr("Give a token"),
            "mirror": self.tr("Choose a mirror"),
        }
        for action in links:
            button = Button(
                texts[action], self._theme, kind="link", name=f"download_{action}", small=True
            )
            button.setAccessibleName(f"{texts[action]}: {self._row.name}")
            button.clicked.connect(lambda _checked=False, a=action: self._act(a))
            self._links.addWidget(button)

    def _act(self, action: str) -> None:
        if action == "details":
            self._has_details = not self._has_details
            self._show(self._row)
            return
        self.acted.emit(self._row.id, "resume" if action == "again" else action)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk through the rows, and do what their buttons do."""
        key = event.key()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if key in steps:
            if not alt:
                self.stepped.emit(steps[Qt.Key(key)])
            elif self._row.group == "waiting":
                self._act("down" if key == Qt.Key.Key_Down else "up")
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self._act("remove")
        elif key == Qt.Key.Key_Space and self._row.can_pause:
            self._act("pause")
        elif key in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._act_first()
        else:
            super().keyPressEvent(event)

    def _act_first(self) -> None:
        if self._row.state == "finished":
            self._act("open")
        elif self._row.can_resume:
            self._act("resume")

    # -- pulling ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the row by its grip."""
        place = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and self._grip().contains(place):
            self._pressed = place

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull it."""
        if self._pressed is None:
            return
        far = (event.position().toPoint() - self._pressed).manhattanLength()
        if self._is_dragged or far >= QApplication.startDragDistance():
            self._is_dragged = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.drag_moved.emit(self._row.id, event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._is_dragged:
            self.drag_ended.emit(self._row.id, event.globalPosition().toPoint())
        self._pressed, self._is_dragged = None, False
        self.unsetCursor()

    def _grip(self) -> QRect:
        if self._row.group != "waiting":
            return QRect()
        left = self.width() - _TEXT if self._mirrored() else 0
        return QRect(left, 0, _TEXT, self._top.height())

    # -- painting -----------------------------------------------------------------------------

    def _mirrored(self) -> bool:
        return self.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def _is_narrow(self) -> bool:
        return self.width() < NARROW_BELOW

    def _fit(self) -> None:
        narrow = self._is_narrow()
        self._top.setFixedHeight(_TALL if narrow else _HEIGHT)
        self._actions.setContentsMargins(0, 0, 8, _TALL - _HEIGHT if narrow else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack what does not fit side by side."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Return the least size that still works."""
        return QSize(200, super().minimumSizeHint().height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with the theme in force."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, row = self._theme, self._row
        by_keyboard = self.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
        if self.hasFocus() and by_keyboard:
            painter.setPen(QPen(theme.focus, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        icon_name, tone = ICONS[row.state]
        glyph = QRect(8, (_HEIGHT - _ICON) // 2, _ICON, _ICON)
        paint_icon(painter, icon_name, getattr(theme, tone), self._turned(glyph))
        if self._is_narrow():
            taken = 8 + sum(button.width() + 4 for button in self._buttons())
            self._paint_stacked(painter, self.width() - _TEXT - taken)
        else:
            self._paint_wide(painter)
        painter.end()

    def _paint_wide(self, painter: QPainter) -> None:
        room = self.width() - _TEXT - _AMOUNT - _ACTIONS
        name = min(_NAME, room // 2)
        self._lines(painter, _TEXT, name - 16, self._row.name, words.file_line(self._row))
        bar = QRect(_TEXT + name, 0, room - name - 16, _HEIGHT)
        self._paint_middle(painter, bar)
        left = _TEXT + room
        self._amounts(painter, left, _AMOUNT, 0)

    def _paint_stacked(self, painter: QPainter, width: int) -> None:
        self._lines(painter, _TEXT, width - 12, self._row.name, words.file_line(self._row))
        self._paint_middle(painter, QRect(_TEXT, 46, (self.width() - _TEXT - 20) // 2, 32))
        left = _TEXT + (self.width() - _TEXT - 20) // 2 + 16
        text = ", ".join(filter(None, (words.amount_line(self._row), words.second_line(self._row))))
        self._line(painter, QRect(left, 52, self.width() - left - 8, 20), text, "small", "text2")

    def _lines(self, painter: QPainter, left: int, width: int, first: str, second: str) -> None:
        self._line(painter, QRect(left, 8, width, 20), first, "body_medium", "text")
        self._line(painter, QRect(left, 28, width, 18), second, "small", "text3")

    def _amounts(self, painter: QPainter, left: int, width: int, top: int) -> None:
        amount, second = words.amount_line(self._row), words.second_line(self._row)
        at = top + 8 if second else top + 17
        self._line(painter, QRect(left, at, width - 8, 20), amount, "small", "text")
        self._line(painter, QRect(left, top + 28, width - 8, 18), second, "small", "text3")

    def _paint_middle(self, painter: QPainter, place: QRect) -> None:
        text = words.place_line(self._row, is_next=self._is_next)
        if text:
            self._line(painter, place, text, "small", "text3")
            return
        bar = QRect(place.left(), place.center().y() - BAR // 2, place.width(), BAR)
        look = LOOKS.get(self._row.state, "idle")
        mirrored = self._mirrored()
        paint_bar(
            painter, QRectF(self._turned(bar)), self._row.fraction, look, self._theme,
            mirrored=mirrored,
        )  # fmt: skip

    def _line(self, painter: QPainter, place: QRect, text: str, role: FontRole, tone: str) -> None:
        font = self._theme.font(role, tabular=True)
        painter.setFont(font)
        painter.setPen(getattr(self._theme, tone))
        cut = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
        flags = Qt.AlignmentFlag
        side = flags.AlignRight if self._mirrored() else flags.AlignLeft
        # The row decides the side, the words their own direction: "1.5 of 30 MB" reads as written.
        ways = Qt.LayoutDirection
        way = ways.RightToLeft if reads_right_to_left(text) else ways.LeftToRight
        painter.setLayoutDirection(way)
        painter.drawText(
            self._turned(place), int(flags.AlignVCenter | side | flags.AlignAbsolute), cut
        )

    def _turned(self, place: QRect) -> QRect:
        """Return a place as it lies when one reads from the right."""
        if not self._mirrored():
            return place
        return QRect(self.width() - place.right() - 1, place.top(), place.width(), place.height())


def _empty(row: QHBoxLayout, kept: int) -> None:
    """Take all buttons out of a layout but the first ones."""
    while row.count() > kept:
        item = row.takeAt(kept)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()
