"""The application with the starter model in its engine process, for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from desktop.controllers.inside import InsideController
from desktop.views.inside.page import InsidePage
from desktop.widgets.charts.chance_bars import ChanceBars

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop import app as application

WAIT_MS = 30_000


class Inside:
    """The application with the starter model loaded and the Inside page open."""

    def __init__(self, qtbot: QtBot, parts: application.Parts) -> None:
        self.qtbot, self.parts, self.window = qtbot, parts, parts.window
        page = self.window.open_page("inside")
        assert isinstance(page, InsidePage)
        self.page = page
        controller = self.window.findChild(InsideController)
        assert controller is not None
        self.controller: InsideController = controller

    def find(self, kind: type[Any], name: str) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def settle(self) -> None:
        def idle() -> bool:
            return self.controller.subject() is not None and not self.controller.busy

        self.qtbot.waitUntil(idle, timeout=WAIT_MS)

    def look_at(self, text: str) -> None:
        self.find(QLineEdit, "inside_own_text").setText(text)
        self.qtbot.keyClick(self.find(QLineEdit, "inside_own_text"), Qt.Key.Key_Return)
        self.settle()

    @property
    def bars(self) -> ChanceBars:
        bars: ChanceBars = self.find(ChanceBars, "next_word_bars")
        return bars
