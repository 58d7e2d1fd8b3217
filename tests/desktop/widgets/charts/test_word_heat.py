"""Words on grounds: easy to read on every one of them, in order, reached by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from desktop.widgets.charts.word_heat import WordHeat, ground_of
from desktop.widgets.theme import Theme
from inference.inside.words import Word
from tests.desktop.widgets.test_theme import NAMES, contrast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import ThemeName

WORDS = (
    Word("Once", 0, 1, None),
    Word(" upon", 1, 3, 2.5),
    Word(" a", 3, 4, 0.2),
    Word("\n\ntime", 4, 5, 14.0),
)


@pytest.fixture
def heat(qtbot: QtBot, theme: Theme) -> WordHeat:
    made = WordHeat(theme, "heat", "Heat")
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.set_words(WORDS)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_words_are_easy_to_read_on_every_ground(name: ThemeName) -> None:
    theme = Theme.load(name)
    for step in range(101):
        assert contrast(ground_of(theme, step / 5, 20.0), theme.text) >= 4.5, step
    assert ground_of(theme, 99.0, 20.0) == ground_of(theme, 20.0, 20.0)


def test_keys_go_from_word_to_word_and_each_is_told(heat: WordHeat, qtbot: QtBot) -> None:
    assert "most unexpected is “time” with 14.0 bits" in heat.accessibleDescription()
    qtbot.keyClick(heat, Qt.Key.Key_Home)
    assert "not scored" in heat.accessibleDescription()
    qtbot.keyClick(heat, Qt.Key.Key_Right)
    assert "“upon”: 2.5 bits, chance 17.7" in heat.accessibleDescription()
    with qtbot.waitSignal(heat.place_chosen) as chosen:
        qtbot.keyClick(heat, Qt.Key.Key_Return)
    assert chosen.args == [1]
    assert heat.table()[2] == ("1", " upon", "2.5")


def test_lines_break_where_the_text_does_and_the_pointer_finds_words(heat: WordHeat) -> None:
    boxes = [heat.box_of(place) for place in range(4)]
    assert boxes[0].top() == boxes[1].top() == boxes[2].top()
    assert boxes[3].top() - boxes[0].top() > 50  # two line ends
    for place, box in enumerate(boxes):
        assert heat.place_at(box.center().toPoint()) == place
    assert not heat.picture().isNull()
