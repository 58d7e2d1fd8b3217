"""The window: rail, pages, status line, and what may stand in front of them.

It connects views with controllers and decides nothing about models or chats.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.views import shortcuts
from desktop.views.chat_list import ChatList
from desktop.views.chat_page import ChatPage, room_for
from desktop.views.rail import Page, Rail
from desktop.views.side_panel import SidePanel
from desktop.views.status_line import StatusLine
from desktop.widgets.focus_ring import FocusRing, focus_by_keyboard
from desktop.widgets.notice import Notice
from desktop.widgets.overlay import Overlay
from desktop.widgets.theme import apply_theme, layout, read_tokens
from desktop.widgets.toast import Toast

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import (
        QCloseEvent,
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QResizeEvent,
    )

    from desktop.store.settings import Settings
    from desktop.values import Problem
    from desktop.widgets.theme import Theme

_USUAL_SIZE: Final = (1280, 800)


class MainWindow(QMainWindow):
    """Rail, pages and status line.

    Signals:
        closing: The window is about to go; what is pending has been handed on.
        escape_pressed: Esc, with nothing in front that it could close.
        model_dropped: Path of a GGUF file or folder that was dropped on the window.
        models_held: Whether one is held over the window.
        model_page_asked: Id of an installed model that the banner is about.
        page_made: Id and page, when a page has just been made.

    Args:
        theme: The look at the start.
        settings: Geometry and widths from last time.
        column: The conversation of the chat page.
    """

    closing = Signal()
    escape_pressed = Signal()
    model_dropped = Signal(str)
    models_held = Signal(bool)
    model_page_asked = Signal(str)
    page_made = Signal(str, QWidget)

    def __init__(
        self,
        theme: Theme,
        settings: Settings,
        column: QWidget,
    ) -> None:
        super().__init__()
        self._theme = theme
        self.page_maker: Callable[[str, Theme], QWidget] | None = None
        """Makes the page of an id when it is first opened; set before another page is asked for."""
        self._undo: Callable[[], object] | None = None
        self.setObjectName("main_window")
        self.setWindowTitle("Glasshouse")
        self.setAcceptDrops(True)
        self.setMinimumSize(*read_tokens()["layout"]["minimum_window"])
        self.chat_list = ChatList(theme)
        self.side_panel = SidePanel(theme)
        self.column = column
        self.status = StatusLine(theme)
        self.chat_page = ChatPage(
            self.chat_list,
            column,
            self.side_panel,
            theme,
            settings.splitters.get("chat", ()),
        )
        self.rail = Rail(self._pages(), theme)
        self.rail.page_chosen.connect(self.open_page)
        self.stack = QStackedWidget()
        self.stack.setObjectName("pages")
        self._page_widgets: dict[str, QWidget] = {}
        self.banner = Notice(
            theme,
            name="banner",
            severity="bad",
            actions=(("model", self.tr("Open its page")),),
            closable=True,
        )
        self.banner.acted.connect(self._on_banner)
        self.banner.hide()
        self._banner_model, self._banner_passes = "", False
        self._build()
        self.ring = FocusRing(self, theme)
        self.dialogs = Overlay(self._body, theme, name="dialogs")
        self.toast = Toast(self._content, layout("status"), theme)
        self.toast.acted.connect(self._on_undo)
        self._restore(settings.window_geometry)
        self.open_page("chat")

    def set_theme_everywhere(self, theme: Theme) -> None:
        """Give a new theme to everything in the window."""
        self._theme = theme
        apply_theme(self, theme)

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    def open_page(self, page_id: str) -> QWidget:
        """Open a page, making it on its first time."""
        page = self._page_widgets.get(page_id) or self._new_page(page_id)
        self.side_panel.flush()
        if self._banner_passes and page is not self.stack.currentWidget():
            self._banner_box.hide()
        self.stack.setCurrentWidget(page)
        self.rail.set_current(page_id)
        return page

    def _new_page(self, page_id: str) -> QWidget:
        page: QWidget = self.chat_page
        if page_id != "chat" and self.page_maker is not None:
            page = self.page_maker(page_id, self._theme)
        self._page_widgets[page_id] = page
        self.stack.addWidget(page)
        self.page_made.emit(page_id, page)
        return page

    def current_page(self) -> str:
        """Return the id of the open page."""
        shown = self.stack.currentWidget()
        return next(name for name, page in self._page_widgets.items() if page is shown)

    def offer_undo(self, words: str, action: str, undo: Callable[[], object] | None) -> None:
        """Say what was done and offer the way back; ``None`` = there is none."""
        self._undo = undo
        self.toast.offer(words, action if undo is not None else "")

    def offer_way_on(self, words: str, action: str, follow: Callable[[], object]) -> None:
        """Say what has ended and offer where to go from there; Ctrl+Z does not take it."""
        self._undo = follow
        self.toast.offer(words, action, is_undo=False)

    def show_problem(self, problem: Problem) -> None:
        """Show trouble above the page: lasting trouble above every one."""
        text = " ".join(part for part in (problem.message, problem.hint) if part)
        self.banner.say(problem.title, text, "warn" if problem.model_id else "bad")
        self._banner_model, self._banner_passes = problem.model_id, problem.is_passing
        self.banner.show_action("model", shown=bool(problem.model_id))
        self._banner_box.show()
        self.banner.show()

    def _on_banner(self, _action: str) -> None:
        self._banner_box.hide()
        self.model_page_asked.emit(self._banner_model)

    def show_dialog(self, dialog: QWidget) -> None:
        """Show something in front of the whole window; Esc closes it, and then it is deleted."""
        self.dialogs.open_centred(dialog)
        # After the opening: that closes what stood there before, which must not take this with it.
        self.dialogs.closed.connect(dialog.deleteLater)

    def show_keys(self) -> None:
        """Open the list of keys, or close it."""
        if isinstance(self.dialogs.content, shortcuts.KeysDialog):
            self.dialogs.close_content()
            return
        dialog = shortcuts.KeysDialog(self._theme)
        dialog.close_button.clicked.connect(self.dialogs.close_content)
        self.show_dialog(dialog)

    def undo_last(self) -> None:
        """Take back what the toast offers to take back."""
        self.toast.undo()

    def take_model(self, path: str) -> None:
        """Take a file or folder as if it had been dropped here."""
        self.model_dropped.emit(path)

    def press_escape(self) -> None:
        """Close what is in front; where nothing is, ``escape_pressed`` says so."""
        if self.dialogs.content is not None:
            self.dialogs.close_content()
            return
        front = [one for one in self.findChildren(Overlay) if one.content is not None]
        if front:
            front[-1].close_content()
            return
        self.escape_pressed.emit()

    def step_region(self, by: int) -> None:
        """Put the keyboard on the next part of the window, or the previous one with -1."""
        parts = self._regions()
        focus = QApplication.focusWidget()
        here = next((n for n, part in enumerate(parts) if focus is part or _holds(part, focus)), -1)
        target = parts[(here + by) % len(parts)]
        if target is self.rail:
            self.rail.focus_current()
        elif target is self.chat_list:
            self.chat_list.focus_list()
        else:
            _focus_first(target)

    def _regions(self) -> tuple[QWidget, ...]:
        page = self.stack.currentWidget()
        if page is self.chat_page:
            return (self.rail, *self.chat_page.regions())
        return (self.rail, page) if page is not None else (self.rail,)

    def _pages(self) -> tuple[Page, ...]:
        return (
            Page("chat", self.tr("Chat"), "message-square", "Ctrl+1"),
            Page("inside", self.tr("Inside"), "scan-eye", "Ctrl+2"),
            Page("models", self.tr("Models"), "box", "Ctrl+3"),
            Page("downloads", self.tr("Downloads"), "download", "Ctrl+4"),
            Page("settings", self.tr("Settings"), "settings", "Ctrl+,", at_foot=True),
        )

    def _build(self) -> None:
        self._content = QFrame()
        self._content.setObjectName("content")
        self._content.setProperty("ground", "page")
        self._banner_box = QWidget()
        banner_row = QHBoxLayout(self._banner_box)
        banner_row.setContentsMargins(12, 10, 12, 10)
        banner_row.addWidget(self.banner)
        self._banner_box.hide()
        self.banner.dismissed.connect(self._banner_box.hide)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._banner_box)
        column.addWidget(self.stack, 1)
        column.addWidget(self.status)
        self._body = QWidget()
        self._body.setObjectName("body")
        row = QHBoxLayout(self._body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self._content, 1)
        self.setCentralWidget(self._body)

    def _restore(self, geometry: str) -> None:
        self.resize(*_USUAL_SIZE)
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode("ascii")))

    def geometry_text(self) -> str:
        """Return place and size as text for the settings."""
        return self.saveGeometry().toBase64().toStdString()

    def _on_undo(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what depends on the size."""
        super().resizeEvent(event)
        room = room_for(self.width())
        self.rail.set_narrow(narrow=room == "narrow")
        self.chat_page.set_room(room)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say whether a drop is welcome."""
        if dropped_models(event):
            event.acceptProposedAction()
            self.models_held.emit(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went away again."""
        super().dragLeaveEvent(event)
        self.models_held.emit(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what was dropped."""
        self.models_held.emit(False)
        for path in dropped_models(event):
            self.model_dropped.emit(path)
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what must outlast the window."""
        self.side_panel.flush()
        self.closing.emit()
        super().closeEvent(event)
        self.setUpdatesEnabled(False)  # what the engine still says must not paint a closed window


def dropped_models(event: QDropEvent) -> tuple[str, ...]:
    """Return the paths in a drop that may be models: GGUF files and folders."""
    paths = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return tuple(str(path) for path in paths if path.suffix.lower() == ".gguf" or path.is_dir())


def _holds(part: QWidget, focus: QWidget | None) -> bool:
    return focus is not None and part.isAncestorOf(focus)


def _focus_first(part: QWidget) -> None:
    reason = Qt.FocusReason.TabFocusReason
    target = part.focusProxy() or part
    if target.focusPolicy() & Qt.FocusPolicy.TabFocus:
        focus_by_keyboard(target, reason)
        return
    for child in part.findChildren(QWidget):
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisible():
            focus_by_keyboard(child, reason)
            return
