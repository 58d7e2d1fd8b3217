from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from desktop.widgets.charts.chance_bars import ChanceBars, ChanceRow, Chances
from desktop.widgets.charts.pieces import shown, shown_piece
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.token_text import TokenText
from inference.types import TokenPiece

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme

PIECES = tuple(
    TokenPiece(n, text) for n, text in enumerate(("Once", " upon", " a", "\n", "x" * 90))
)


def _figures(theme: Theme) -> dict[str, Figure]:
    bars = ChanceBars(theme, "bars", "Bars")
    rows = (ChanceRow(5, " a", 0.6, 0.8, is_chosen=True), ChanceRow(6, "b", 0.3, 0.2))
    bars.set_chances(Chances((*rows, ChanceRow(7, "c", 0.1, 0.0)), 2, "top-p cuts", 9, 0.02))
    strip = SurpriseStrip(theme, "strip", "Strip")
    strip.set_text(PIECES, (None, -0.5, -3.0, -0.1, -9.0))
    text = TokenText(theme, "text", "Text")
    text.set_text(PIECES, 1)
    return {"bars": bars, "strip": strip, "text": text}


@pytest.fixture(params=["bars", "strip", "text"])
def figure(request: pytest.FixtureRequest, qtbot: QtBot, theme: Theme) -> Figure:
    made = _figures(theme)[request.param]
    qtbot.addWidget(made)
    made.resize(520, 240)
    made.show()
    return made


def test_keys_move_a_marker_that_is_read_out(figure: Figure, qtbot: QtBot) -> None:
    whole = figure.accessibleDescription()
    assert whole == figure.sentence() != ""
    qtbot.keyClick(figure, Qt.Key.Key_Right)
    assert figure.mark == 0
    assert figure.accessibleDescription() == figure.place_words(0) != whole
    qtbot.keyClick(figure, Qt.Key.Key_End)
    assert figure.mark == figure.place_count() - 1
    with qtbot.waitSignal(figure.place_chosen) as chosen:
        qtbot.keyClick(figure, Qt.Key.Key_Return)
    assert chosen.args == [figure.place_count() - 1]


def test_a_click_chooses_the_place_under_it(figure: Figure, qtbot: QtBot) -> None:
    spots = [(x, y) for y in range(2, figure.height(), 6) for x in range(2, 520, 6)]
    from PySide6.QtCore import QPoint

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
    assert len(numbers) == len(figure.table()) - 1


def test_a_figure_that_cannot_be_saved_says_why(figure: Figure, tmp_path: Path) -> None:
    for ending in ("png", "svg", "csv", "npy"):
        with pytest.raises(OSError, match="no such folder"):
            figure.save(tmp_path / "no such folder" / f"figure.{ending}")


def test_invisible_signs_are_shown() -> None:
    assert shown(" a\n") == "·a⏎"
    assert shown("") == "∅"
    assert shown_piece(TokenPiece(0, "<|im_end|>", special=True)) == "⟨im_end⟩"


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
    paint = text._paint_piece

    def counting(painter: QPainter, index: int, piece: TokenPiece, box: QRectF) -> None:
        painted.append(index)
        paint(painter, index, piece, box)

    monkeypatch.setattr(text, "_paint_piece", counting)
    text.set_mark(300)
    qtbot.waitUntil(lambda: 300 in painted)
    text.set_mark(301)
    qtbot.waitUntil(lambda: 301 in painted)
    assert len(painted) < 20
