"""The whole window on folders of its own, for tests of where models are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QWidget

from desktop import app as application
from inference.paths import AppPaths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

_W = TypeVar("_W", bound=QWidget)


class Keeping:
    """A window with a real library; no engine is started unless a model is loaded."""

    def __init__(self, qtbot: QtBot, dressed_app: object, root: Path) -> None:
        names = ("data", "config", "cache", "models", "log")
        self.paths = AppPaths(*(root / "app" / name for name in names))
        self.qtbot = qtbot
        self.parts = application.build(dressed_app, self.paths)  # type: ignore[arg-type]  the app
        self.window = self.parts.window
        qtbot.addWidget(self.window)

    def show(self, page: str = "chat") -> None:
        self.window.show()
        self.window.open_page(page)
        self.qtbot.waitExposed(self.window)

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=20_000)

    def find(self, kind: type[_W], name: str) -> _W:
        found = self.window.findChild(kind, name)
        assert isinstance(found, kind), name
        return found

    def has(self, name: str) -> bool:
        found = self.window.findChild(QWidget, name)
        return found is not None and found.isVisible()

    def ids(self) -> list[str]:
        models = self.parts.engines.shelf.models
        return [info.id for info in models if not info.bundled]

    def lists(self, *ids: str) -> None:
        self.until(lambda: self.ids() == list(ids))

    def close(self) -> None:
        self.window.close()
        self.parts.close()
