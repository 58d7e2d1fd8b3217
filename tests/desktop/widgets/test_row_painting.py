"""Words in rows: cut as Qt cuts them, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

from desktop.widgets import row_painting
from desktop.widgets.row_painting import cut_to

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

WORDS = "1,111 A model with a name that is far too long for its row"


@pytest.mark.parametrize("width", [0, 12, 80, 4_000])
def test_a_text_is_cut_as_qt_cuts_it_the_first_time_and_later(
    qtbot: QtBot, theme: Theme, width: int
) -> None:
    assert qtbot is not None
    for font in (theme.font("body"), theme.font("small"), theme.font("small", tabular=True)):
        metrics = QFontMetrics(font)
        wanted = metrics.elidedText(WORDS, Qt.TextElideMode.ElideRight, width)
        taken = min(width, metrics.horizontalAdvance(wanted))
        assert cut_to(WORDS, font, width) == (wanted, taken)
        assert cut_to(WORDS, font, width) == (wanted, taken)


def test_what_is_remembered_stays_small(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qtbot is not None
    monkeypatch.setattr(row_painting, "_MOST_CUTS", 10)
    for number in range(50):
        cut_to(f"{number}", theme.font("body"), 100)
        assert len(row_painting._cuts) <= 10
