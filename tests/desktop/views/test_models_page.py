"""The Models page: tabs that are made when they are first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from desktop.values import Computer
from desktop.views.models_page import ModelsPage, Tab
from desktop.widgets.theme import Theme, apply_theme
from inference.library.machine import Gpu, Machine

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def made() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def page(qtbot: QtBot, theme: Theme, made: list[tuple[str, str]]) -> ModelsPage:
    def make(name: str, theme: Theme) -> QWidget:
        made.append((name, theme.name))
        return QLabel(name)

    tabs = tuple(
        Tab(name, name.title(), lambda theme, name=name: make(name, theme))  # type: ignore[misc]
        for name in ("first", "second")
    )
    page = ModelsPage(theme, tabs)
    qtbot.addWidget(page)
    page.resize(1208, 772)
    return page


def test_a_tab_is_made_when_it_is_first_opened_and_kept(
    page: ModelsPage, made: list[tuple[str, str]], qtbot: QtBot
) -> None:
    assert not made
    page.show()
    assert made == [("first", "light")]
    apply_theme(page, Theme.load("dark"))
    button = page.findChild(QWidget, "models_tab_second")
    assert button is not None
    with qtbot.waitSignal(page.tab_opened) as opened:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened.args == ["second"]
    assert page.current_tab() == "second"
    page.open_tab("first")
    page.open_tab("second")
    assert made == [("first", "light"), ("second", "dark")]


def test_arrow_keys_go_from_tab_to_tab(page: ModelsPage, qtbot: QtBot) -> None:
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    first = page.findChild(QWidget, "models_tab_first")
    assert first is not None
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Right)
    assert page.current_tab() == "second"


def test_ctrl_f_leads_to_the_search_field_of_the_open_tab(page: ModelsPage, qtbot: QtBot) -> None:
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    found: list[str] = []
    first = page.open_tab("first")
    first.focus_search = lambda: found.append("first")  # type: ignore[attr-defined]
    qtbot.keyClick(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert found == ["first"]
    page.open_tab("second")
    qtbot.keyClick(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert found == ["first"]


def test_the_page_says_when_it_is_seen(page: ModelsPage) -> None:
    seen: list[bool] = []
    page.seen.connect(seen.append)
    page.show()
    page.hide()
    assert seen == [True, False]


def test_the_header_says_what_is_free(page: ModelsPage) -> None:
    page.show()
    gpu = Gpu("CUDA: NVIDIA GeForce RTX 4060", 7_100_000_000, 8_000_000_000)
    machine = Machine(9_800_000_000, 16_000_000_000, (gpu,))
    page.strip.set_computer(Computer(machine, 118_400_000_000))
    assert page.strip.accessibleDescription().replace("\u00a0", " ").splitlines() == [
        "RTX 4060, 7.1 of 8 GB free",
        "Memory: 9.8 of 16 GB free",
        "Disk: 118 GB free",
    ]
