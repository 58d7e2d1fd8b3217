"""Votes: every bar that is there can be seen, however small, in either look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.widgets.charts.vote_bars import VoteBars
from desktop.widgets.theme import Theme
from inference.inside.pushes import Vote, Votes
from inference.types import TokenPiece
from tests.desktop.widgets.test_theme import NAMES, contrast

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import ThemeName

VOTES = Votes(
    TokenPiece(5, " a"),
    None,
    (
        Vote("embedding", -1, 0.0, None, 0.0),
        Vote("attention", 0, -0.01, None, 0.0),
        Vote("forward", 0, 5.0, None, 0.0),
        Vote("rest", -1, 0.0, None, 0.0),
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_vote_is_seen_and_none_is_drawn_where_there_is_none(
    qtbot: QtBot, name: ThemeName
) -> None:
    theme = Theme.load(name)
    bars = VoteBars(theme, "votes", "Votes")
    qtbot.addWidget(bars)
    bars.set_votes(VOTES)
    bars.resize(640, bars.sizeHint().height())
    image = bars.picture().toImage()
    outline, middle = theme.control, image.width() // 2

    def outlined(row: int, columns: range) -> int:
        rows = range(2 * bars._top(row), 2 * (bars._top(row) + 24))
        return sum(image.pixelColor(x, y) == outline for y in rows for x in columns)

    assert contrast(outline, theme.page) >= 3.0
    assert outlined(0, range(116, middle)) > 10  # attention of layer 1: -0.01
    assert outlined(0, range(middle, image.width())) > 100
    assert outlined(1, range(image.width())) == 0
