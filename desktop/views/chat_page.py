"""The chat page: list, conversation and settings side by side, or in front where it is narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.widgets.controls import IconButton, panel, plain_tip
from desktop.widgets.overlay import Overlay
from desktop.widgets.theme import layout, read_tokens

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from desktop.views.chat_list import ChatList
    from desktop.views.side_panel import SidePanel
    from desktop.widgets.theme import Theme

Room = Literal["narrow", "medium", "normal", "wide"]
_OVERLAY_LIST: Final = 280
_OVERLAY_PANEL: Final = 312
_LEAST_COLUMN: Final = 380


def room_for(width: int) -> Room:
    """Return how much room a window of this width gives; device independent pixels."""
    points = read_tokens()["layout"]["breakpoints"]
    if width < points["narrow_below"]:
        return "narrow"
    if width < points["list_yields_below"]:
        return "medium"
    return "wide" if width >= points["wide_from"] else "normal"


class ElidedLabel(QLabel):
    """One line whose end is cut where there is no room; the tooltip then has it all."""

    def __init__(self, theme: Theme, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFont(theme.font("heading"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(40)
        self._whole = ""

    def set_text(self, text: str) -> None:
        """Show another line."""
        self._whole = text
        self.setAccessibleName(text)
        self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        metrics = self.fontMetrics()
        shown = metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        self.setToolTip(plain_tip(self._whole) if shown != self._whole else "")


class ChatPage(QFrame):
    """Places list, header, conversation and panel by the width of the window.

    Args:
        chats: The list of chats.
        column: The conversation and its composer.
        side: The settings of the chat.
        theme: Colours.
        widths: List and panel as last time; empty = as the design has them.

    Signals:
        panel_closed: The settings went, and the keyboard with them.
    """

    panel_closed = Signal()

    def __init__(
        self,
        chats: ChatList,
        column: QWidget,
        side: SidePanel,
        theme: Theme,
        widths: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.setObjectName("chat_page")
        self.setProperty("ground", "page")
        self._chats = chats
        self._column = column
        self._side = side
        self._room: Room = "normal"
        self._widths = widths if len(widths) == 2 else ()
        self._list_wanted = True
        self._panel_wanted = False
        self._overlay = Overlay(self, theme, name="chat_overlay")
        self._overlay.closed.connect(self._on_overlay_closed)
        side.close_asked.connect(self.toggle_panel)
        self._title = ElidedLabel(theme, name="chat_title")
        self._list_button = IconButton(
            "panel-left", self.tr("Chats"), theme, name="list_toggle", keys="Ctrl+B", checkable=True
        )
        self._list_button.clicked.connect(self.toggle_list)
        self._panel_button = IconButton(
            "panel-right",
            self.tr("Chat settings"),
            theme,
            name="panel_toggle",
            keys="Ctrl+J",
            checkable=True,
        )
        self._panel_button.clicked.connect(self.toggle_panel)
        self._splitter = self._make_splitter()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._splitter)
        self._arrange()

    def widths(self) -> tuple[int, ...]:
        """Return list and panel width in pixels as a person set them; empty = never moved."""
        return self._widths

    def set_title(self, title: str) -> None:
        """Show the open chat's name."""
        self._title.set_text(title)

    def set_room(self, room: Room) -> None:
        """Follow the width of the window."""
        if room == self._room:
            return
        self._room = room
        had_focus = self._holds_focus()
        self._overlay.close_content()
        self._arrange()
        if had_focus and not self._holds_focus():
            self.panel_closed.emit()

    def toggle_list(self) -> None:
        """Show or hide the list of chats."""
        if self._room == "narrow":
            self._toggle_overlay(self._chats)
        else:
            shown = self._chats.isVisible()
            self._list_wanted = not shown
            if not shown and self._room == "medium":
                self._panel_wanted = False
            self._arrange()
        self._show_toggles()

    def toggle_panel(self) -> None:
        """Show or hide the settings of the chat."""
        if self._room == "narrow":
            self._toggle_overlay(self._side)
        else:
            had_focus = self._holds_focus()
            self._panel_wanted = not self._panel_wanted
            self._arrange()
            if self._panel_wanted:
                self._side.setFocus(Qt.FocusReason.OtherFocusReason)
            else:
                self._side.flush()
                if had_focus and not self._holds_focus():
                    self.panel_closed.emit()
        self._show_toggles()

    def show_list(self) -> None:
        """Make sure the list of chats can be seen."""
        if not self._chats.isVisible():
            self.toggle_list()

    def close_overlay(self) -> bool:
        """Close what stands in front; ``False`` where nothing did."""
        if self._overlay.content is None:
            return False
        self._overlay.close_content()
        return True

    def regions(self) -> tuple[QWidget, ...]:
        """Return what F6 goes through, in order."""
        parts: tuple[QWidget, ...] = (self._chats, self._column, self._side)
        return tuple(part for part in parts if part.isVisible())

    def _make_splitter(self) -> QSplitter:
        head = panel("page", "chat_header", "bottom")
        head.setFixedHeight(layout("header"))
        row = QHBoxLayout(head)
        row.setContentsMargins(16, 0, 10, 0)
        row.setSpacing(8)
        row.addWidget(self._list_button)
        row.addWidget(self._title, 1)
        row.addWidget(self._panel_button)
        centre = QFrame()
        centre.setObjectName("chat_centre")
        centre.setProperty("ground", "page")
        centre.setMinimumWidth(_LEAST_COLUMN)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addWidget(self._column, 1)
        self._centre = centre
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setObjectName("chat_splitter")
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        for part in (self._chats, centre, self._side):
            splitter.addWidget(part)
        splitter.setStretchFactor(1, 1)
        self._chats.setMinimumWidth(200)
        self._side.setMinimumWidth(264)
        splitter.splitterMoved.connect(self._on_moved)
        return splitter

    def _holds_focus(self) -> bool:
        """Whether the keyboard is in the list or the panel, and those can be seen."""
        focus = QApplication.focusWidget()
        parts = (self._chats, self._side)
        return focus is not None and any(
            part.isVisible() and part.isAncestorOf(focus) for part in parts
        )

    def _toggle_overlay(self, part: QWidget) -> None:
        if self._overlay.content is part:
            self._overlay.close_content()
        elif part is self._chats:
            self._overlay.open_side(part, "left", _OVERLAY_LIST)
        else:
            self._overlay.open_side(part, "right", _OVERLAY_PANEL)

    def _on_overlay_closed(self) -> None:
        self._side.flush()
        self._show_toggles()
        focus = QApplication.focusWidget()
        if focus is None or not focus.isVisible() or self._overlay.isAncestorOf(focus):
            self.panel_closed.emit()

    def _arrange(self) -> None:
        narrow = self._room == "narrow"
        for place, part in ((0, self._chats), (2, self._side)):
            if self._splitter.indexOf(part) < 0:
                self._splitter.insertWidget(place, part)
        yields = self._room == "medium" and self._panel_wanted
        self._chats.setVisible(not narrow and self._list_wanted and not yields)
        self._side.setVisible(not narrow and self._panel_wanted)
        self._list_button.setVisible(narrow or not self._chats.isVisibleTo(self))
        self._show_toggles()
        if not narrow:
            self._size_parts()

    def _size_parts(self) -> None:
        wide = self._room == "wide"
        usual = (layout("list_wide" if wide else "list"), layout("panel_wide" if wide else "panel"))
        left, right = self._widths or usual
        shown_left = left if self._chats.isVisibleTo(self) else 0
        shown_right = right if self._side.isVisibleTo(self) else 0
        middle = max(_LEAST_COLUMN, self.width() - shown_left - shown_right - 2)
        self._splitter.setSizes([left, middle, right])

    def _show_toggles(self) -> None:
        narrow = self._room == "narrow"
        front = self._overlay.content
        self._panel_button.setChecked(front is self._side if narrow else self._panel_wanted)
        self._list_button.setChecked(narrow and front is self._chats)

    def _on_moved(self, _position: int, _handle: int) -> None:
        left, _middle, right = self._splitter.sizes()
        usual = (layout("list"), layout("panel"))
        before = self._widths or usual
        self._widths = (left or before[0], right or before[1])
