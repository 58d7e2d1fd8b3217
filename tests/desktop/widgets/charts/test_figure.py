from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from desktop.widgets import formatting
from desktop.widgets.charts.block_stack import BlockStack
from desktop.widgets.charts.chance_bars import ChanceBars, ChanceRow, Chances
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.layer_lines import LayerLine, LayerLines
from desktop.widgets.charts.lens_grid import LensGrid
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.pieces import shown, spoken
from desktop.widgets.charts.point_map import MapPoint, PointMap
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.temperature_line import TemperatureLine
from desktop.widgets.charts.tensor_table import TensorTable
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.charts.update_bars import UpdateBars
from desktop.widgets.charts.vector_rows import VectorRows
from inference.library.anatomy import Block, Tensor
from inference.types import Candidate, TokenPiece

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme

PIECES = tuple(
    TokenPiece(n, text) for n, text in enumerate(("Once", " upon", " a", "\n", "x" * 90))
)


WEIGHTS = np.tril(np.random.default_rng(0).random((5, 5), np.float32))
WEIGHTS /= WEIGHTS.sum(axis=1, keepdims=True)
CANDIDATES = (Candidate(1, " a", logprob=-0.4), Candidate(2, " the", logprob=-1.5))
TENSORS = (Tensor("blk.0.q", (4, 8), "Q8_0", 32), Tensor("blk.0.norm", (4,), "F32", 4))
BLOCKS = (Block("embedding", TENSORS[1:]), Block("block 0", TENSORS), Block("output", TENSORS[:1]))


def _heat(theme: Theme) -> HeatMap:
    heat = HeatMap(theme, "heat", "Heat")
    heat.set_text(PIECES)
    heat.set_weights(WEIGHTS, (0, 0, 5, 5))
    heat.set_row(2)
    return heat


def _looks(theme: Theme) -> LookLines:
    looks = LookLines(theme, "looks", "Looks")
    looks.set_weights(PIECES, WEIGHTS, (0, 0, 5, 5))
    return looks


def _grid(theme: Theme) -> HeadGrid:
    grid = HeadGrid(theme, "grid", "Grid")
    grid.set_overview(np.stack([np.stack([WEIGHTS, WEIGHTS.T])] * 3))  # (3, 2, 5, 5)
    return grid


def _bars(theme: Theme) -> ChanceBars:
    bars = ChanceBars(theme, "bars", "Bars")
    a, b, c = TokenPiece(5, " a"), TokenPiece(6, "b"), TokenPiece(7, "c")
    rows = (ChanceRow(a, 0.6, 0.8, is_chosen=True), ChanceRow(b, 0.3, 0.2))
    bars.set_chances(Chances((*rows, ChanceRow(c, 0.1, 0.0)), 2, "top-p cuts", 9, 0.02))
    return bars


def _strip(theme: Theme) -> SurpriseStrip:
    strip = SurpriseStrip(theme, "strip", "Strip")
    strip.set_text(PIECES, (None, -0.5, -3.0, -0.1, -9.0))
    return strip


def _text(theme: Theme) -> TokenText:
    text = TokenText(theme, "text", "Text")
    text.set_text(PIECES, 1)
    return text


def _lens(theme: Theme) -> LensTable:
    lens = LensTable(theme, "lens", "Lens")
    lens.set_layers((CANDIDATES, CANDIDATES[::-1]), 2)
    return lens


def _lens_grid(theme: Theme) -> LensGrid:
    grid = LensGrid(theme, "lens_grid", "Lens along")
    grid.set_layers(
        (CANDIDATES, CANDIDATES[::-1], CANDIDATES),
        (TokenPiece(3, "Once"), TokenPiece(4, " upon")),
        (2, None),
    )
    return grid


def _updates(theme: Theme) -> UpdateBars:
    updates = UpdateBars(theme, "updates", "Updates")
    updates.set_layers(((1.0, 2.0, 5.0), (3.0, 0.5, 6.0)))
    return updates


def _tensors(theme: Theme) -> TensorTable:
    tensors = TensorTable(theme, "tensors", "Tensors")
    tensors.set_tensors(TENSORS)
    return tensors


def _stack(theme: Theme) -> BlockStack:
    stack = BlockStack(theme, "stack", "Stack")
    stack.set_blocks(BLOCKS)
    return stack


def _points(theme: Theme) -> PointMap:
    points = PointMap(theme, "points", "Points")
    spots = ((0.0, 0.0), (1.0, 0.2), (0.4, 0.9), (0.41, 0.9))
    named = tuple(MapPoint(f" w{n}", x, y, n == 0) for n, (x, y) in enumerate(spots))
    points.set_points(named, "Two directions.")
    return points


def _layer_lines(theme: Theme) -> LayerLines:
    lines = LayerLines(theme, "layers", "Layers")
    values = ((1.0, 0.4, 0.2), (1.0, -0.3, 0.1))
    lines.set_lines(tuple(LayerLine(f"l{n}", row, n) for n, row in enumerate(values)), "Turns.")
    return lines


def _shares(theme: Theme) -> ShareBars:
    shares = ShareBars(theme, "shares", "Shares")
    shares.set_rows(((" a", 0.5), (" b", 0.25), (" c", -0.1)))
    return shares


def _vectors(theme: Theme) -> VectorRows:
    vectors = VectorRows(theme, "vectors", "Vectors")
    words = (TokenPiece(1, " a"), TokenPiece(2, " b"))
    vectors.set_vectors(words, np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 12))
    return vectors


def _temperatures(theme: Theme) -> TemperatureLine:
    line = TemperatureLine(theme, "line", "Line")
    line.set_values((0.4, 1.0, 2.0))
    return line


MAKERS: dict[str, Callable[[Theme], Figure]] = {
    "bars": _bars,
    "strip": _strip,
    "text": _text,
    "heat": _heat,
    "looks": _looks,
    "grid": _grid,
    "lens": _lens,
    "lens_grid": _lens_grid,
    "updates": _updates,
    "tensors": _tensors,
    "stack": _stack,
    "points": _points,
    "layers": _layer_lines,
    "shares": _shares,
    "vectors": _vectors,
    "temperatures": _temperatures,
}
ARRAYS = {"heat": (5, 5), "grid": (3, 2, 5, 5), "vectors": (2, 12)}


@pytest.fixture(params=MAKERS)
def figure(request: pytest.FixtureRequest, qtbot: QtBot, theme: Theme) -> Figure:
    made = MAKERS[request.param](theme)
    qtbot.addWidget(made)
    made.resize(520, 420)
    made.show()
    return made


def test_keys_move_a_marker_that_is_read_out(figure: Figure, qtbot: QtBot) -> None:
    whole = figure.accessibleDescription()
    assert whole == figure.sentence() != ""
    qtbot.keyClick(figure, Qt.Key.Key_Home)
    assert figure.mark == 0
    assert figure.accessibleDescription() == figure.place_words(0) != whole
    qtbot.keyClick(figure, Qt.Key.Key_Right)
    assert figure.mark == 1
    qtbot.keyClick(figure, Qt.Key.Key_Down)
    steers = isinstance(figure, TemperatureLine)  # its up and down move a point
    assert steers or figure.mark > 1 or figure.place_count() == 2
    qtbot.keyClick(figure, Qt.Key.Key_End)
    assert figure.mark == figure.place_count() - 1
    with qtbot.waitSignal(figure.place_chosen) as chosen:
        qtbot.keyClick(figure, Qt.Key.Key_Return)
    assert chosen.args == [figure.place_count() - 1]


@pytest.mark.parametrize(
    "reason", [Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason]
)
def test_the_keyboard_is_seen_in_a_figure_from_whichever_side_it_came(
    figure: Figure, qtbot: QtBot, reason: Qt.FocusReason
) -> None:
    figure.activateWindow()
    qtbot.waitUntil(figure.isActiveWindow)
    figure.clearFocus()
    figure.setFocus(reason)
    assert figure.mark == 0
    figure.clearFocus()
    assert figure.mark == -1


def test_a_click_chooses_the_place_under_it(figure: Figure, qtbot: QtBot) -> None:
    spots = [(x, y) for y in range(2, figure.height(), 6) for x in range(2, 520, 6)]
    place = next(QPoint(*spot) for spot in spots if figure.place_at(QPoint(*spot)) == 1)
    with qtbot.waitSignal(figure.place_chosen) as chosen:
        qtbot.mouseClick(figure, Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [1]


def test_every_figure_leaves_as_picture_drawing_and_numbers(figure: Figure, tmp_path: Path) -> None:
    for ending in ("png", "svg", "csv", "npy"):
        figure.save(tmp_path / f"figure.{ending}")
    picture = QImage(str(tmp_path / "figure.png"))
    assert picture.width() == 2 * figure.width()
    colors = {picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, 200, 3)}
    assert len(colors) > 3
    assert "<svg" in (tmp_path / "figure.svg").read_text("utf-8")
    lines = (tmp_path / "figure.csv").read_text("utf-8")
    assert lines == figure.csv_text()
    numbers = np.load(io.BytesIO((tmp_path / "figure.npy").read_bytes()), allow_pickle=False)
    expected = ARRAYS.get(figure.objectName(), (len(figure.table()) - 1, len(figure.table()[0])))
    assert numbers.shape == expected


def test_a_figure_that_cannot_be_saved_says_why(figure: Figure, tmp_path: Path) -> None:
    for ending in ("png", "svg", "csv", "npy"):
        with pytest.raises(OSError, match="no such folder"):
            figure.save(tmp_path / "no such folder" / f"figure.{ending}")


def test_invisible_signs_are_shown() -> None:
    assert shown(" a\n") == "·a⏎"
    assert shown("") == "∅"
    assert shown(TokenPiece(31999, "")) == spoken(TokenPiece(31999, "")) == "id 31999"
    assert shown(TokenPiece(0, "<|im_end|>", special=True)) == "⟨im_end⟩"


def test_a_figure_whose_numbers_have_not_come_has_no_place_under_the_pointer(
    qtbot: QtBot, theme: Theme
) -> None:
    strip = SurpriseStrip(theme, "strip", "Strip")
    strip.set_text(PIECES, ())
    bars, text = ChanceBars(theme, "bars", "Bars"), TokenText(theme, "text", "Text")
    for empty in (strip, bars, text):
        qtbot.addWidget(empty)
        empty.resize(520, 240)
        empty.show()
        chosen: list[int] = []
        empty.place_chosen.connect(chosen.append)
        for x in range(1, 40, 3):
            qtbot.mouseMove(empty, QPoint(x, 20))
            qtbot.mouseClick(empty, Qt.MouseButton.LeftButton, pos=QPoint(x, 20))
        assert empty.mark == -1
        assert chosen == []


def test_the_pointer_over_a_long_text_paints_two_tokens_and_finds_each(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TokenText(theme, "text", "Text")
    words = ("a", " longer", " wörter", "\n", " 漢字", " x" * 30)
    text.set_text(tuple(TokenPiece(n, words[n % 6]) for n in range(600)), 4)
    qtbot.addWidget(text)
    text.resize(520, text.heightForWidth(520))
    text.show()
    qtbot.waitExposed(text)
    for place in range(0, 600, 7):
        assert text.place_at(text.place_rect(place).center()) in {place, -1}  # -1: on its number
        assert text.place_at(text.place_rect(place).topLeft() + QPoint(6, 6)) == place
    qtbot.wait(50)
    painted: list[int] = []
    paint = text._paint_place

    def counting(painter: QPainter, place: int, box: QRectF) -> None:
        painted.append(place)
        paint(painter, place, box)

    monkeypatch.setattr(text, "_paint_place", counting)
    text.set_mark(300)
    qtbot.waitUntil(lambda: 300 in painted)
    text.set_mark(301)
    qtbot.waitUntil(lambda: 301 in painted)
    assert len(painted) < 20


def test_scores_stand_beside_the_shares_they_were_made_into(qtbot: QtBot, theme: Theme) -> None:
    shares = ShareBars(theme, "scores", "Scores")
    qtbot.addWidget(shares)
    shares.set_rows(((" a", 0.5), (" b", 0.25)), ("9.3", "8.6"))
    assert shares.table() == (
        ("token", "score", "share"),
        (" a", "9.3", "0.5"),
        (" b", "8.6", "0.25"),
    )
    assert shares.place_words(1) == f"b: score 8.6, chance {formatting.chance(0.25)}"


@pytest.mark.parametrize("is_one", [True, False])
def test_numbers_of_many_small_heads_leave_each_other_room(
    qtbot: QtBot, theme: Theme, *, is_one: bool
) -> None:
    grid = HeadGrid(theme, "grid", "Grid")
    qtbot.addWidget(grid)
    grid.set_overview(np.ones((16, 32, 2, 2), np.float32))
    grid.set_chosen(6, 13, is_one=is_one)
    grid.resize(224, grid.heightForWidth(224))
    written: list[tuple[int, int]] = []
    grid._draw_number = (  # type: ignore[method-assign]  # the numbers are drawn one by one
        lambda _painter, axis, number, _step: written.append((axis, number))
    )
    grid.grab()
    step = grid._step(224)
    for axis, chosen, needed in ((0, 6, 14), (1, 13, 18)):
        numbers = [number for one, number in written if one == axis]
        assert chosen in numbers or not (is_one or axis == 0)
        assert len(numbers) > 4
        gaps = [(b - a) * step for a, b in pairwise(numbers)]
        assert min(gaps) >= needed


def test_every_head_of_a_wide_layer_is_seen_and_found(qtbot: QtBot, theme: Theme) -> None:
    grid = HeadGrid(theme, "grid", "Grid")
    qtbot.addWidget(grid)
    grid.set_overview(np.ones((3, 40, 2, 2), np.float32))
    grid.resize(224, grid.heightForWidth(224))
    for place in (0, 39, 119):
        box = grid._box(place, 224)
        assert grid.rect().toRectF().contains(box)
        assert grid.place_at(box.center().toPoint()) == place


def test_a_long_number_stands_clear_of_the_stroke_beside_it(qtbot: QtBot, theme: Theme) -> None:
    updates = UpdateBars(theme, "updates", "Updates")
    qtbot.addWidget(updates)
    updates.set_layers(((1.0, 2.0, 1_234_567.8),))
    updates.resize(480, 40)
    picture = updates.grab().toImage().copy(100, 3, 380, 20)
    ground = picture.pixelColor(0, 0)
    inked = [
        any(picture.pixelColor(x, y) != ground for y in range(picture.height()))
        for x in range(picture.width())
    ]
    stroke = inked.index(True)
    number = inked.index(True, stroke + 4)
    assert number - stroke > 6


def test_sentences_tell_what_is_in_a_figure(qtbot: QtBot, theme: Theme) -> None:
    points, stack, grid = PointMap(theme, "p", "P"), _stack(theme), _grid(theme)
    for figure in (points, stack, grid):
        qtbot.addWidget(figure)
    spots = (MapPoint(" cat", 0, 0), MapPoint(" sky", 9, 9), MapPoint(" dog", 1, 0))
    points.set_points(spots, "PCA.")
    assert points.sentence() == "3 words; nearest to each other are “cat” and “dog”. PCA."
    points.set_points(spots[:1], "PCA.")
    assert points.sentence() == "PCA."
    weights = sum(int(row[-1]) for row in stack.table()[1:])
    assert f"{stack.place_count()} parts with {formatting.parameters(weights)}" in stack.sentence()
    grid.set_chosen(2, 1, is_one=True)
    assert grid.sentence().endswith("layer 3, head 2 is chosen.")
    grid.set_chosen(2, 1, is_one=False)
    assert grid.sentence().endswith("layer 3 is chosen as a whole.")


def test_numbers_that_are_no_shares_are_exported_as_what_they_are(
    qtbot: QtBot, theme: Theme
) -> None:
    bits = ShareBars(theme, "bits", "Bits", unit="bits")
    qtbot.addWidget(bits)
    bits.set_rows((("a", 12.5),))
    assert bits.table() == (("token", "bits"), ("a", "12.5"))


def test_names_of_tensors_have_the_room_that_short_facts_leave(qtbot: QtBot, theme: Theme) -> None:
    table = TensorTable(theme, "tensors", "Tensors")
    qtbot.addWidget(table)
    facts = ("model.layers.0.post_attention_layernorm.weight", (256,), "F16", 256)
    table.set_tensors((Tensor(*facts), Tensor("model.layers.0.q", (128, 256), "F16", 32768)))
    name, *others = table._rooms(380, ("tensor", "shape", "type", "weights"))
    letters = QFontMetrics(theme.font("code_small"))
    assert name - 8 >= letters.horizontalAdvance("post_attention_layernorm")
    for room, words in zip(others, ("128 x 256", "F16", "32,768"), strict=True):
        assert room - 8 >= letters.horizontalAdvance(words)
    assert name + sum(others) == 380
