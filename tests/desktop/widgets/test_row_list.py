"""A list that scrolls without painting every row anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QStringListModel
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QStyledItemDelegate, QVBoxLayout, QWidget

from desktop.widgets.row_list import RowList
from desktop.widgets.theme import Theme, apply_theme

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme_manager import ThemeManager


class Counting(QStyledItemDelegate):
    """Notes which rows are painted."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def paint(self, painter: object, option: object, index: object) -> None:
        self.rows.append(index.row())  # type: ignore[attr-defined]
        super().paint(painter, option, index)  # type: ignore[arg-type]


def test_a_step_paints_only_the_rows_that_come_into_sight(
    qtbot: QtBot, themes: ThemeManager
) -> None:
    QCursor.setPos(1_000, 700)  # below the pointer Qt paints every row at each step
    view, delegate = RowList(themes.theme, name="rows", words="Rows"), Counting()
    model = QStringListModel([f"row {n}" for n in range(500)])
    view.setModel(model)
    view.setItemDelegate(delegate)
    box = QWidget()
    QVBoxLayout(box).addWidget(view)
    qtbot.addWidget(box)
    box.resize(300, 400)
    box.show()
    qtbot.waitUntil(lambda: len(delegate.rows) > 10)
    shown = len(set(delegate.rows))
    while delegate.rows:  # a busy computer paints the new window more than once
        delegate.rows.clear()
        qtbot.wait(150)
    view.verticalScrollBar().setValue(2 * view.sizeHintForRow(0))
    QApplication.processEvents()
    assert 0 < len(delegate.rows) < shown / 2


def test_the_ground_follows_the_theme(qtbot: QtBot, theme: Theme) -> None:
    view = RowList(theme, name="rows", words="Rows")
    qtbot.addWidget(view)
    view.resize(100, 100)
    view.show()
    dark = Theme.load("dark")
    apply_theme(view, dark)
    assert view.viewport().grab().toImage().pixelColor(50, 50) == dark.side
