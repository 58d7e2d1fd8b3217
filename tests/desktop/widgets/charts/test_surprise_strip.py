from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.widgets.charts.surprise_strip import SurpriseStrip
from inference.types import TokenPiece

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

PIECES = tuple(TokenPiece(n, text) for n, text in enumerate(("Once", " upon", " a")))


def test_uncertainty_stands_beside_surprise_and_is_drawn(qtbot: QtBot, theme: Theme) -> None:
    strip = SurpriseStrip(theme, "strip", "Strip")
    qtbot.addWidget(strip)
    strip.resize(400, 118)
    strip.set_text(PIECES, (None, -0.5, -3.0))
    plain = strip.picture().toImage()
    strip.set_text(PIECES, (None, -0.5, -3.0), (None, 2.25, 3.5))
    assert strip.table()[0][-1] == "entropy"
    assert [row[-1] for row in strip.table()[1:]] == ["", "2.25", "3.5"]
    assert "uncertainty before it 3.5 bits" in strip.place_words(2)
    assert strip.picture().toImage() != plain
