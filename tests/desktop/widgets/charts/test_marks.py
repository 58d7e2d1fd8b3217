"""Where the keys and the pointer are in a figure, and what a figure says of itself meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QEnterEvent, QTextDocument
from PySide6.QtWidgets import QApplication

from desktop.widgets import formatting
from desktop.widgets.charts.point_map import MapPoint, PointMap
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.update_bars import UpdateBars
from inference.types import TokenPiece
from tests.desktop.widgets.charts.test_figure import MAKERS

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme

OWN_MARK = {"temperatures", "looks"}
"""The marked point is larger and filled; of the marked token alone the lines are shown."""


def _shown(qtbot: QtBot, figure: Figure) -> None:
    qtbot.addWidget(figure)
    figure.resize(520, 420)
    figure.show()
    figure.activateWindow()
    qtbot.waitUntil(figure.isActiveWindow)


def _count(figure: Figure, theme: Theme) -> int:
    """Return how many pixels have the colour of the ring."""
    image = figure.grab().toImage()
    wanted = theme.focus.rgb()
    return sum(
        image.pixel(x, y) == wanted for y in range(image.height()) for x in range(image.width())
    )


@pytest.mark.parametrize("name", sorted(set(MAKERS) - OWN_MARK))
def test_where_the_keys_are_is_seen_in_every_figure(qtbot: QtBot, theme: Theme, name: str) -> None:
    figure = MAKERS[name](theme)
    _shown(qtbot, figure)
    figure.clearFocus()
    before = _count(figure, theme)
    figure.setFocus(Qt.FocusReason.TabFocusReason)
    assert figure.mark == 0
    assert _count(figure, theme) > before + 10


def test_a_row_that_is_chosen_shows_the_keys_too(qtbot: QtBot, theme: Theme) -> None:
    bars = UpdateBars(theme, "bars", "Bars")
    bars.set_layers(((1.0, 2.0, 5.0), (3.0, 0.5, 6.0)))
    bars.set_chosen(1)  # the row at the top
    _shown(qtbot, bars)
    bars.clearFocus()
    bars.setFocus(Qt.FocusReason.TabFocusReason)
    assert _count(bars, theme) > 200


@pytest.mark.parametrize("name", MAKERS)
def test_to_a_screen_reader_every_figure_is_a_chart(qtbot: QtBot, theme: Theme, name: str) -> None:
    figure = MAKERS[name](theme)
    qtbot.addWidget(figure)
    found = QAccessible.queryAccessibleInterface(figure)
    assert found.role() == QAccessible.Role.Chart
    assert found.text(QAccessible.Text.Name) == figure.accessibleName()
    assert found.text(QAccessible.Text.Description) == figure.sentence()


def test_what_is_no_figure_keeps_its_role(qtbot: QtBot, theme: Theme) -> None:
    figure = MAKERS["shares"](theme)
    qtbot.addWidget(figure)
    button = QAccessible.queryAccessibleInterface(QApplication.instance())
    assert button.role() == QAccessible.Role.Application


def test_the_pointer_takes_its_marker_along_and_the_keys_keep_theirs(
    qtbot: QtBot, theme: Theme
) -> None:
    bars = MAKERS["shares"](theme)
    _shown(qtbot, bars)
    bars.clearFocus()
    qtbot.mouseMove(bars, QPoint(60, 30))
    assert bars.mark == 1
    QApplication.sendEvent(bars, QEvent(QEvent.Type.Leave))
    assert bars.mark == -1
    assert bars.accessibleDescription() == bars.sentence()
    bars.setFocus()
    qtbot.keyClick(bars, Qt.Key.Key_End)
    QApplication.sendEvent(bars, QEnterEvent(QPointF(), QPointF(), QPointF()))
    QApplication.sendEvent(bars, QEvent(QEvent.Type.Leave))
    assert bars.mark == 2


def test_a_press_that_is_drawn_away_opens_nothing(qtbot: QtBot, theme: Theme) -> None:
    bars = MAKERS["shares"](theme)
    qtbot.addWidget(bars)
    bars.resize(520, 420)
    chosen: list[int] = []
    bars.place_chosen.connect(chosen.append)
    qtbot.mousePress(bars, Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
    qtbot.mouseRelease(bars, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    assert chosen == []
    qtbot.mousePress(bars, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    qtbot.mouseRelease(bars, Qt.MouseButton.LeftButton, pos=QPoint(90, 62))
    assert chosen == [2]


def test_a_token_that_looks_like_markup_is_told_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    bars = ShareBars(theme, "shares", "Shares")
    qtbot.addWidget(bars)
    bars.set_rows((("<b>a & b</b>", 0.5), ("plain &lt;", 0.25)))
    bars.set_mark(0)
    told = QTextDocument()
    told.setHtml(bars.toolTip())
    assert told.toPlainText() == bars.place_words(0).replace(formatting.NBSP, " ")
    assert bars.accessibleDescription() == bars.place_words(0)
    bars.set_mark(1)
    assert bars.toolTip() == bars.place_words(1)


def test_what_a_figure_says_is_found_once_and_anew_when_it_changes(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = PointMap(theme, "points", "Points")
    qtbot.addWidget(points)
    looked: list[int] = []
    nearest = PointMap._nearest

    def counting(self: PointMap) -> tuple[int, int] | None:
        looked.append(1)
        return nearest(self)

    monkeypatch.setattr(PointMap, "_nearest", counting)
    points.set_points((MapPoint("a", 0, 0), MapPoint("b", 1, 0), MapPoint("c", 5, 5)), "")
    for place in (0, -1, 1, -1):
        points.set_mark(place)
    assert len(looked) == 1
    points.set_points((MapPoint("a", 0, 0), MapPoint("b", 1, 0)), "Now two.")
    assert "Now two." in points.accessibleDescription()


def test_the_pointer_never_moves_what_a_long_strip_shows_and_keys_do(
    qtbot: QtBot, theme: Theme
) -> None:
    strip = SurpriseStrip(theme, "strip", "Strip")
    _shown(qtbot, strip)
    strip.set_text(tuple(TokenPiece(n, f"w{n}") for n in range(900)), (-1.0,) * 900)
    strip.set_chosen(450)
    spot = QPoint(300, 50)
    place = strip.place_at(spot)
    assert place > 450
    for x in (300, 302, 304, 300):
        qtbot.mouseMove(strip, QPoint(x, 50))
    assert strip.mark == strip.place_at(spot) == place
    with qtbot.waitSignal(strip.place_chosen) as chosen:
        qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=spot)
    assert chosen.args == [place]
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert strip.mark == 899
    assert any(strip.place_at(QPoint(x, 50)) == 899 for x in range(0, 520, 2))
