"""One application for each file: loading costs more than looking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop import app as application
from inference.paths import AppPaths
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot


@pytest.fixture(scope="module")
def loaded(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[application.Parts]:
    """One application for all tests here: loading costs more than looking."""
    folder = tmp_path_factory.mktemp("inside")
    names = ("data", "config", "cache", "models", "log")
    parts = application.build(qapp, AppPaths(*(folder / name for name in names)))
    parts.window.show()
    yield parts
    parts.window.close()
    parts.close()
    qapp.setStyleSheet("")


@pytest.fixture
def inside(qtbot: QtBot, loaded: application.Parts) -> Inside:
    loaded.window.show()
    loaded.window.activateWindow()
    qtbot.waitUntil(loaded.window.isActiveWindow, timeout=WAIT_MS)
    if loaded.engines.state().status != "ready":
        loaded.engines.load_default()
    qtbot.waitUntil(lambda: loaded.engines.state().status == "ready", timeout=WAIT_MS)
    return Inside(qtbot, loaded)


@pytest.fixture(autouse=True)
def nothing_left_behind(inside: Inside) -> None:
    """The application of this module stays; its end is looked at by the tests of the app."""
    del inside
