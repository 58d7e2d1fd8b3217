"""The list of chats: search, groups, renaming in place, and the menu of a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from desktop.itemmodels.chats import ChatListModel
from desktop.widgets.chat_delegate import ChatDelegate
from desktop.widgets.controls import IconButton, label
from desktop.widgets.empty_state import EmptyState
from desktop.widgets.focus_ring import focus_by_keyboard
from desktop.widgets.icons import icon
from desktop.widgets.inputs import SearchField
from desktop.widgets.theme import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.values import ChatSummary
    from desktop.widgets.theme import Theme

_SEARCH_PAUSE_MS = 150


class ChatList(QFrame):
    """Shows chats and asks for what a person wants done with them.

    Signals:
        chat_chosen, delete_asked: Chat id.
        rename_asked: Chat id and new title.
        pin_asked: Chat id and whether it shall be pinned.
        new_chat_asked: No argument.
        words_changed: What is searched for; empty = nothing.
    """

    chat_chosen = Signal(str)
    new_chat_asked = Signal()
    rename_asked = Signal(str, str)
    pin_asked = Signal(str, bool)
    delete_asked = Signal(str)
    words_changed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chats: tuple[ChatSummary, ...] = ()
        self._found: tuple[ChatSummary, ...] | None = None
        self.setObjectName("chat_list")
        self.setAccessibleName(self.tr("Chats"))
        self.setProperty("ground", "side")
        self._search = SearchField(
            self.tr("Find in all chats"), theme, name="chat_search", keys="Ctrl+K"
        )
        self._search.setMaxLength(200)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_SEARCH_PAUSE_MS)
        self._pause.timeout.connect(self._on_pause_over)
        self._search.textChanged.connect(self._on_typed)
        self._search.installEventFilter(self)
        self._new = IconButton(
            "square-pen", self.tr("New chat"), theme, name="chat_new", keys="Ctrl+N"
        )
        self._new.clicked.connect(self.new_chat_asked)
        self._model = ChatListModel(parent=self)
        self._model.title_edited.connect(self.rename_asked)
        self._delegate = ChatDelegate(theme, self)
        self._delegate.menu_asked.connect(self._open_menu)
        self._view = self._make_view()
        self._empty = EmptyState(
            "message-square",
            self.tr("No chats yet"),
            self.tr("What you write stays on this computer and appears here."),
            theme,
            name="chat_list_empty",
        )
        self._nothing = EmptyState(
            "search-x",
            self.tr("Nothing found"),
            self.tr("Fewer letters find more."),
            theme,
            name="chat_list_nothing",
            action=self.tr("Clear the search"),
        )
        self._nothing.acted.connect(self._search.clear)
        self._build()

    def set_theme(self, theme: Theme) -> None:
        """Draw with this theme from now on."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self._view.viewport().update()

    def set_chats(self, chats: Sequence[ChatSummary]) -> None:
        """Show all chats; while something is searched for, the found ones as they are now."""
        self._chats = tuple(chats)
        if self._found is not None:
            now = {chat.id: chat for chat in chats}
            self._found = tuple(
                replace(now[old.id], snippet=old.snippet) for old in self._found if old.id in now
            )
        self._refresh()

    def set_found(self, found: Sequence[ChatSummary]) -> None:
        """Show what was found for the words in the field."""
        if self._search.text().strip():
            self._found = tuple(found)
            self._refresh()

    def set_current(self, chat_id: str) -> None:
        """Mark the open chat."""
        self._delegate.current_id = chat_id
        row = self._model.row_of(chat_id)
        if row >= 0:
            self._view.setCurrentIndex(self._model.index(row))
        self._view.viewport().update()

    def focus_search(self) -> None:
        """Put the keyboard into the search field, its text selected."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def focus_list(self) -> None:
        """Put the keyboard on the rows, or where there are none on what is there."""
        target: QWidget = self._view
        if not self._model.rowCount():
            target = self._new if self._search.isHidden() else self._search
        focus_by_keyboard(target, Qt.FocusReason.TabFocusReason)

    def _make_view(self) -> QListView:
        view = QListView()
        view.setObjectName("chat_rows")
        view.setAccessibleName(self.tr("Chats"))
        view.setModel(self._model)
        view.setItemDelegate(self._delegate)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._on_menu_requested)
        view.clicked.connect(self._on_clicked)
        view.installEventFilter(self)
        return view

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 16, 0)
        head.addWidget(label(self.tr("Chats"), self._theme, "heading", name="chat_list_title"))
        head.addStretch(1)
        head.addWidget(self._new)
        top = QWidget()
        top.setFixedHeight(layout("header"))
        top.setLayout(head)
        field = QHBoxLayout()
        field.setContentsMargins(12, 0, 12, 0)
        field.addWidget(self._search)
        rows_box = QWidget()
        rows_row = QHBoxLayout(rows_box)
        rows_row.setContentsMargins(8, 0, 0, 0)
        rows_row.addWidget(self._view)
        self._stack = QStackedLayout()
        for page in (rows_box, self._empty, self._nothing):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(top)
        column.addLayout(field)
        column.addSpacing(4)
        column.addLayout(self._stack, 1)
        self._view.setViewportMargins(0, 0, 8, 0)
        self._refresh()

    def _refresh(self) -> None:
        found = self._found
        searching = found is not None
        shown = self._chats if found is None else found
        if self._delegate.with_snippets != searching:
            self._delegate.with_snippets = searching
            self._model.set_chats(())  # rows change height: measured again from nothing
        self._model.set_chats(shown, grouped=not searching)
        row = self._model.row_of(self._delegate.current_id)
        if row >= 0 and self._view.currentIndex().row() != row:
            self._view.setCurrentIndex(self._model.index(row))
        empty = 2 if searching else 1
        self._stack.setCurrentIndex(0 if shown else empty)
        self._search.setVisible(bool(self._chats) or searching)

    def _on_typed(self, text: str) -> None:
        if text.strip():
            self._pause.start()
            return
        self._pause.stop()
        self._found = None
        self.words_changed.emit("")
        self._refresh()

    def _on_pause_over(self) -> None:
        self.words_changed.emit(self._search.text().strip())

    def _on_clicked(self, index: QModelIndex) -> None:
        chat = self._model.chat_at(index)
        if chat is not None:
            self.chat_chosen.emit(chat.id)

    def _on_menu_requested(self, place: QPoint) -> None:
        index = self._view.indexAt(place)
        if not index.isValid():
            index = self._view.currentIndex()
            place = self._view.visualRect(index).bottomLeft()
        self._open_menu(index, place)

    def _open_menu(self, index: QModelIndex, place: QPoint) -> None:
        chat = self._model.chat_at(index)
        if chat is None:
            return
        theme = self._theme
        menu = QMenu(self)
        menu.setObjectName("chat_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = menu.addAction(icon("pencil", theme), self.tr("Rename") + "\tF2")
        rename.triggered.connect(lambda: self._view.edit(index))
        pin_words = self.tr("Unpin") if chat.pinned else self.tr("Pin")
        pin = menu.addAction(icon("pin-off" if chat.pinned else "pin", theme), pin_words)
        pin.triggered.connect(lambda: self.pin_asked.emit(chat.id, not chat.pinned))
        menu.addSeparator()
        delete = menu.addAction(icon("trash-2", theme, theme.bad), self.tr("Delete") + "\tDel")
        delete.triggered.connect(lambda: self.delete_asked.emit(chat.id))
        menu.popup(self._view.viewport().mapToGlobal(place))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch what this widget cares about elsewhere."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            # The window's own Esc would come first.
            if watched is self._search and event.key() == Qt.Key.Key_Escape and self._search.text():
                event.accept()
            return False
        if event.type() != QEvent.Type.KeyPress:
            return False
        if watched is self._search:
            return self._search_key(event)
        return watched is self._view and self._row_key(event)

    def _search_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self._search.text():
            self._search.clear()
            return True
        if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.focus_list()
            first = self._model.first_row()
            if first >= 0:
                self._view.setCurrentIndex(self._model.index(first))
            return True
        return False

    def _row_key(self, event: QKeyEvent) -> bool:
        chat = self._model.chat_at(self._view.currentIndex())
        if chat is None or self._view.findChild(QLineEdit, "chat_rename") is not None:
            return False  # Enter in the new name is no wish to open the chat
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.chat_chosen.emit(chat.id)
        elif event.key() == Qt.Key.Key_F2:
            self._view.edit(self._view.currentIndex())
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit(chat.id)
        else:
            return False
        return True
