"""The look for tests of widgets and views: the real theme on the real application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QLocale

from desktop.widgets import fonts
from desktop.widgets.theme import Theme
from desktop.widgets.theme_manager import Appearance, ThemeManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication


@pytest.fixture(autouse=True)
def english_numbers() -> Iterator[None]:
    """Group thousands as the application does; "C" groups none."""
    before = QLocale()
    QLocale.setDefault(QLocale("en_US"))
    yield
    QLocale.setDefault(before)


@pytest.fixture(scope="session")
def dressed_app(qapp: QApplication) -> QApplication:
    """The application in our style."""
    qapp.setStyle("Fusion")
    fonts.load_start_faces()
    return qapp


@pytest.fixture
def themes(dressed_app: QApplication) -> Iterator[ThemeManager]:
    """A manager of its own for each test; light at first."""
    manager = ThemeManager(dressed_app, Appearance(choice="light"))
    yield manager
    dressed_app.setStyleSheet("")
    manager.deleteLater()


@pytest.fixture
def theme(dressed_app: QApplication) -> Theme:
    """The light look without the cost of a style sheet."""
    assert dressed_app is not None
    return Theme.load("light")
