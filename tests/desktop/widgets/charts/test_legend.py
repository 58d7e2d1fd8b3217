"""A legend has room for all its lines, however narrow its figure is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.widgets.charts.frame import FigureFrame
from desktop.widgets.charts.legend import Legend
from desktop.widgets.charts.update_bars import UpdateBars

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


@pytest.mark.parametrize("width", [260, 480, 900])
def test_no_line_of_a_legend_is_cut_in_a_figures_frame(
    qtbot: QtBot, theme: Theme, width: int
) -> None:
    entries = (
        ("blue", "added by attention"),
        ("gold", "added by the feed-forward part"),
        ("tick", "length of the vector after it"),
    )
    legend = Legend(theme, entries)
    bars = UpdateBars(theme, "bars", "Bars")
    bars.set_layers(((1.0, 2.0, 3.0),))
    frame = FigureFrame(bars, theme, "What each layer adds", origin="measured", legend=legend)
    qtbot.addWidget(frame)
    frame.resize(width, 400)
    frame.show()
    assert legend.height() == legend.heightForWidth(legend.width())
    assert legend.geometry().bottom() < bars.geometry().top()
