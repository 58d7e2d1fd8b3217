"""Dialogs in front of the window, and messages whose actions go while the pointer leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QWidget

from desktop.app import BugReporter
from desktop.store.settings import Settings
from desktop.values import MessageView
from desktop.views.bug_dialog import BugDialog
from desktop.views.chat_column import ChatColumn
from desktop.views.main_window import MainWindow
from desktop.widgets.transcript.message import MessageWidget

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme
    from desktop.widgets.theme_manager import ThemeManager


def shown(window: MainWindow) -> bool:
    """Delete what is due, then tell whether something stands in front that can be seen."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    content = window.dialogs.content
    return content is not None and content.isVisible()


def test_a_dialog_that_replaces_another_stays_and_closes(
    qtbot: QtBot, themes: ThemeManager, caplog: pytest.LogCaptureFixture
) -> None:
    window = MainWindow(themes.theme, Settings(), ChatColumn(themes.theme))
    qtbot.addWidget(window)
    window.show()
    reporter = BugReporter(window)
    window.show_keys()
    assert shown(window)
    reporter.take_failure(ValueError("something nobody expected"))
    qtbot.waitUntil(lambda: isinstance(window.dialogs.content, BugDialog))
    assert shown(window)
    window.press_escape()
    assert not shown(window)
    assert not window.dialogs.isVisible()
    window.show_keys()
    assert shown(window)
    assert "ValueError" in caplog.text


class LeavesWhenHidden(QObject):
    """Does what Qt does under a pointer: hiding a widget lets the pointer leave its parent."""

    def __init__(self, message: MessageWidget) -> None:
        super().__init__(message)
        self._message = message
        self.has_left = False

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide and not self.has_left:
            self.has_left = True
            QCoreApplication.sendEvent(self._message, QEvent(QEvent.Type.Leave))
        return False


def test_actions_that_go_while_the_pointer_leaves_go_once(qtbot: QtBot, theme: Theme) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    message = MessageWidget(MessageView("a", "chat", "assistant", "An answer."), theme, "", host)
    host.show()
    message.is_last = True
    message.on_focus_moved()
    line = message.findChild(QObject, "message_actions")
    assert line is not None
    pointer = LeavesWhenHidden(message)
    line.installEventFilter(pointer)
    message.is_last = False
    message.on_focus_moved()
    assert pointer.has_left
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert message.findChild(QObject, "message_actions") is None
