"""A large matrix on few pixels: no strong look is lost, and what cannot be seen is hatched."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent

from desktop.widgets.charts.colour_map import colour_of
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.mip import pooled
from inference.types import TokenPiece

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

TOTAL = 2048
PIECES = tuple(TokenPiece(n, f" {n}") for n in range(TOTAL))


@given(
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    seed=st.integers(0, 99),
)
def test_each_pooled_cell_is_the_maximum_of_what_it_stands_for(
    shape: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    whole = np.random.default_rng(seed).random(shape, np.float32)
    small = pooled(whole, *size)
    rows, columns = (min(have, want) for have, want in zip(shape, size, strict=True))
    assert small.shape == (rows, columns)
    expected = np.zeros((rows, columns), np.float32)
    for row in range(shape[0]):
        for column in range(shape[1]):
            cell = row * rows // shape[0], column * columns // shape[1]
            expected[cell] = max(expected[cell], whole[row, column])
    np.testing.assert_array_equal(small, expected)


@pytest.fixture
def heat(qtbot: QtBot, theme: Theme) -> HeatMap:
    made = HeatMap(theme, "heat", "Heat")
    qtbot.addWidget(made)
    made.resize(420, 400)
    made.set_text(PIECES)
    made.show()
    return made


def _weights(cells: int) -> np.ndarray:
    """Nothing but a single strong look, far from the diagonal."""
    weights = np.zeros((cells, cells), np.float32)
    weights[300, 41] = 1.0
    return weights


def test_a_single_strong_look_among_512_cells_is_seen_on_fewer_pixels(
    heat: HeatMap, theme: Theme
) -> None:
    heat.set_weights(_weights(512), (0, 0, TOTAL, TOTAL))
    picture = heat.grab().toImage()
    strong = colour_of(theme, 1.0).rgb()
    found = [
        (x, y)
        for y in range(picture.height())
        for x in range(picture.width())
        if picture.pixel(x, y) == strong
    ]
    assert 1 <= len(found) <= 4
    place = heat.place_at(QPoint(*found[0]))
    row, column = divmod(place, 512)
    assert abs(row - 300) <= 2
    assert abs(column - 41) <= 2
    assert heat.place_words(300 * 512 + 41) == (
        "Tokens 1201 to 1204 → 165 to 168: at most 100.0\N{NO-BREAK SPACE}%"
    )
    assert "cannot look ahead" in heat.place_words(41 * 512 + 300)


def test_the_part_shown_at_first_has_room_for_its_words_in_a_low_window(heat: HeatMap) -> None:
    heat.set_weights(np.eye(32, dtype=np.float32), (0, 0, 32, 32))
    heat.resize(600, heat.sizeHint().height())
    picture = heat.grab().toImage()
    ground = picture.pixel(1, 1)
    beside = {picture.pixel(x, y) for x in range(20, 84) for y in range(90, 400)}
    assert beside - {ground}


def test_small_steps_of_a_touch_pad_add_up_to_one_zoom(heat: HeatMap, qtbot: QtBot) -> None:
    heat.set_weights(_weights(512), (0, 0, TOTAL, TOTAL))
    asked: list[object] = []
    heat.window_wanted.connect(asked.append)

    def turn(y: int) -> None:
        spot = QPointF(250, 250)
        event = QWheelEvent(
            spot,
            spot,
            QPoint(),
            QPoint(0, y),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        heat.wheelEvent(event)

    for _ in range(11):
        turn(10)
    assert asked == []
    turn(10)
    assert len(asked) == 1
    top, left, rows, columns = asked[0]  # type: ignore[misc]  # a window
    assert (rows, columns) == (1024, 1024)
    assert 0 < top < 1024
    assert 0 <= left < 1024


def test_zoom_keeps_to_the_text_and_comes_back_to_all_of_it(heat: HeatMap) -> None:
    heat.set_weights(_weights(512)[:32, :32], (2016, 2016, 32, 32))
    heat.set_row(2040)
    asked: list[object] = []
    heat.window_wanted.connect(asked.append)
    heat.zoom(0.5)
    heat.zoom(2.0)
    heat.show_all()
    assert asked == [(2032, 2032, 16, 16), (1984, 1984, 64, 64), (0, 0, TOTAL, TOTAL)]


def test_lines_are_not_drawn_where_a_cell_stands_for_several_tokens(
    qtbot: QtBot, theme: Theme
) -> None:
    lines = LookLines(theme, "lines", "Lines")
    qtbot.addWidget(lines)
    lines.set_weights(PIECES, _weights(512), (0, 0, TOTAL, TOTAL))
    assert lines.place_count() == 0
    lines.set_weights(PIECES, np.eye(48, dtype=np.float32), (2000, 2000, 48, 48))
    assert lines.place_count() == 48
    assert lines.table()[1] == (" 2000", " 2000", "1")


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_cells_are_equally_wide_on_every_screen(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch, ratio: float
) -> None:
    heat = HeatMap(theme, "heat", "Heat")
    qtbot.addWidget(heat)
    heat.set_text(tuple(TokenPiece(n, f"w{n}") for n in range(13)))
    heat.set_weights(np.full((13, 13), 0.8, np.float32), (0, 0, 13, 13))
    heat.resize(500, 430)
    monkeypatch.setattr(heat, "devicePixelRatioF", lambda: ratio)
    image = QImage(heat.size() * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(theme.page)
    painter = QPainter(image)
    heat.draw(painter, heat.size())
    painter.end()
    cell = heat._cell(heat.size())
    y, gap = int((74 + 12.5 * cell) * ratio), theme.page.rgb()
    end = int((90 + 13 * cell) * ratio)
    edges = [x for x in range(int(96 * ratio), end) if image.pixel(x, y) == gap]
    starts = [x for x in edges if x - 1 not in edges]
    assert len(starts) == 12
    assert {after - before for before, after in pairwise(starts)} == {round(cell * ratio)}
