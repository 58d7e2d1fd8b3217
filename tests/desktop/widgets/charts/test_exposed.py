"""Figures paint what is exposed, and nothing looks different for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QRect, QRectF

from desktop.widgets.charts.beam_tree import BeamTreeFigure
from desktop.widgets.charts.lens_table import LensTable
from inference.types import BeamNode, BeamTree, Candidate
from tests.desktop.widgets.charts.test_figure import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage, QPainter
    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme


def _tree(theme: Theme) -> BeamTreeFigure:
    nodes = tuple(
        BeamNode(
            n,
            f" w{n}",
            parent=-1 if n < 8 else n - 8 - n % 8 + n % 4,
            logprob=-0.5,
            score=-float(n // 8),
            state="kept" if n % 8 < 4 else "pruned",
        )
        for n in range(8 * 40)
    )
    figure = BeamTreeFigure(theme, "tree", "Tree")
    figure.set_tree(BeamTree("one", nodes, 8 * 39, ()))
    return figure


def _lens(theme: Theme) -> LensTable:
    lens = LensTable(theme, "lens", "Lens")
    row = tuple(Candidate(n, f" w{n}", logprob=-0.5 * n) for n in range(5))
    lens.set_layers((row,) * 32, 2)
    return lens


ALL: dict[str, Callable[[Theme], Figure]] = {**MAKERS, "tree": _tree, "layers 32": _lens}


def _differing(one: QImage, other: QImage) -> float:
    """Return the share of pixels that differ; curves that are cut round a little otherwise."""
    assert one.size() == other.size()
    spots = [(x, y) for x in range(one.width()) for y in range(one.height())]
    apart = sum(abs(one.pixelColor(*s).lightness() - other.pixelColor(*s).lightness()) > 16
                for s in spots)  # fmt: skip
    return apart / len(spots)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_part_looks_as_it_does_in_the_whole(qtbot: QtBot, theme: Theme, name: str) -> None:
    figure = ALL[name](theme)
    qtbot.addWidget(figure)
    figure.resize(520, 420)
    figure.set_mark(1)
    figure.grab()
    qtbot.wait(30)  # what is painted in slices is there by now
    whole = figure.grab().toImage()
    for part in (QRect(0, 0, 90, 60), QRect(80, 30, 200, 41), QRect(301, 87, 99, 203)):
        assert _differing(figure.grab(part).toImage(), whole.copy(part)) < 0.002


@pytest.mark.parametrize(
    ("make", "paints"), [(_tree, "_draw_box"), (_lens, "_draw_cell")], ids=["tree", "lens"]
)
def test_a_marker_that_moves_paints_two_places_and_a_saved_picture_all(
    qtbot: QtBot,
    theme: Theme,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Theme], Figure],
    paints: str,
) -> None:
    figure = make(theme)
    qtbot.addWidget(figure)
    figure.resize(figure.sizeHint())
    figure.show()
    qtbot.waitExposed(figure)
    qtbot.wait(50)
    painted: list[object] = []
    paint = getattr(figure, paints)

    def counting(painter: QPainter, *what: object) -> None:
        painted.append(what)
        paint(painter, *what)

    monkeypatch.setattr(figure, paints, counting)
    figure.set_mark(11)
    qtbot.waitUntil(lambda: len(painted) > 0)
    figure.set_mark(12)
    qtbot.wait(50)
    assert len(painted) < 24
    painted.clear()
    figure.picture()
    assert len(painted) == figure.place_count()
    assert figure.exposed() == QRectF(figure.rect())
