"""Figures of many parts are painted in slices on the screen, and at once into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.slow_picture import SlowPicture
from inference.types import TokenPiece

if TYPE_CHECKING:
    from PySide6.QtCore import QSize
    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme

RANDOM = np.random.default_rng(4)
TOKENS = 64


def _lines(theme: Theme) -> LookLines:
    pieces = tuple(TokenPiece(n, f" word{n}") for n in range(TOKENS))
    lines = LookLines(theme, "lines", "Lines")
    lines.set_threshold(0.005)
    weights = np.tril(RANDOM.random((TOKENS, TOKENS), np.float32))
    lines.set_weights(pieces, weights / weights.sum(1, keepdims=True), (0, 0, TOKENS, TOKENS))
    return lines


def _grid(theme: Theme) -> HeadGrid:
    grid = HeadGrid(theme, "grid", "Grid")
    grid.set_overview(RANDOM.random((24, 32, 48, 48), np.float32))
    return grid


@pytest.fixture(params=[_lines, _grid])
def figure(request: pytest.FixtureRequest, qtbot: QtBot, theme: Theme) -> Figure:
    made: Figure = request.param(theme)
    qtbot.addWidget(made)
    made.resize(900, 1500)
    made.show()
    return made


def _slow(figure: Figure) -> SlowPicture[object]:
    return next(value for value in vars(figure).values() if isinstance(value, SlowPicture))


def _at_once(figure: Figure) -> QImage:
    """Return what an export shows, on the screen's ground."""
    image = figure.grab().toImage()
    image.fill(figure.theme.page)
    painter = QPainter(image)
    figure.draw(painter, figure.size())
    painter.end()
    return image


def _on_screen(figure: Figure) -> QImage:
    image = QImage(figure.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(figure.theme.page)
    figure.render(image, renderFlags=figure.RenderFlag(0))
    return image


def test_the_screen_ends_with_what_a_file_has(figure: Figure, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: _slow(figure).is_complete and not _slow(figure)._picture.isNull())
    screen, whole = _on_screen(figure), _at_once(figure)
    screen = screen.convertToFormat(QImage.Format.Format_RGB32)
    whole = whole.convertToFormat(QImage.Format.Format_RGB32)
    one = np.frombuffer(screen.constBits(), np.uint8).astype(int)
    other = np.frombuffer(whole.constBits(), np.uint8).astype(int)
    assert one.shape == other.shape
    apart = np.abs(one - other)  # half-transparent colours are rounded once more, line by line
    assert apart.max() <= 24
    assert apart.mean() < 0.5


def test_no_turn_of_the_event_loop_paints_it_all(
    figure: Figure, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = _slow(figure)
    counts: list[int] = []
    paint, paint_slice = slow._paint, slow._paint_slice

    def painting(painter: QPainter, size: QSize, part: object) -> None:
        counts[-1] += 1
        paint(painter, size, part)

    def slicing() -> None:
        counts.append(0)
        paint_slice()

    monkeypatch.setattr("desktop.widgets.charts.slow_picture._SLICE_S", 0.0)
    monkeypatch.setattr(slow, "_paint", painting)
    monkeypatch.setattr(slow, "_paint_slice", slicing)
    slow.forget()
    figure.update()
    qtbot.waitUntil(lambda: bool(counts) and slow.is_complete)
    assert sum(counts) == len(list(slow._parts()))
    assert max(counts) == 1
    counts.clear()
    figure.set_mark(3)  # the pointer moves: what is painted stays
    figure.set_mark(-1)
    figure.repaint()
    assert counts == []


def test_what_has_changed_is_painted_anew(figure: Figure, qtbot: QtBot, theme: Theme) -> None:
    slow = _slow(figure)
    qtbot.waitUntil(lambda: slow.is_complete and not slow._picture.isNull())
    before = slow._picture.toImage()
    if isinstance(figure, LookLines):
        figure.set_threshold(0.03)
    else:
        assert isinstance(figure, HeadGrid)
        seen = _on_screen(figure)
        figure.set_chosen(3, 7, is_one=True)  # a frame on top: the pictures stay
        assert _on_screen(figure) != seen
        assert slow._picture.toImage() == before
        figure.set_overview(RANDOM.random((24, 32, 48, 48), np.float32))
    figure.repaint()
    qtbot.waitUntil(lambda: slow.is_complete)
    assert slow._picture.toImage() != before
    figure.resize(700, 1500)
    figure.set_theme(theme)
    figure.repaint()
    qtbot.waitUntil(lambda: slow.is_complete)
    assert slow._picture.width() == round(figure.width() * figure.devicePixelRatioF())
