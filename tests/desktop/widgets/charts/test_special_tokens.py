"""A special token is written in one way wherever a token is shown; exports keep its own text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from desktop.widgets.charts.beam_tree import BeamTreeFigure
from desktop.widgets.charts.chance_bars import ChanceBars, Chances, chance_rows
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.lens_grid import LensGrid
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.pieces import shown, spoken, written
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.charts.surprise_strip import SurpriseStrip
from desktop.widgets.charts.token_text import TokenText
from desktop.widgets.charts.vector_rows import VectorRows
from desktop.widgets.token_strip import TokenStrip
from inference.inside.questions import NextTokens, ScoredToken
from inference.inside.stages import Sorted
from inference.types import BeamNode, BeamTree, Candidate, SamplingParams, TokenPiece

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from desktop.widgets.charts.figure import Figure
    from desktop.widgets.theme import Theme

RAW: Final = "<|im_end|>"
SEEN: Final = "⟨im_end⟩"
END: Final = TokenPiece(1, RAW, special=True)
PIECES: Final = (END, TokenPiece(0, " rain"))
EVEN: Final = np.full((2, 2), 0.5, np.float32)


def _bars(theme: Theme) -> ChanceBars:
    logits = np.array([0.5, 2.0, 1.0], np.float32)
    order = np.array([1, 2, 0], np.uint32)
    top = ScoredToken(1, RAW, special=True, logit=2.0, logprob=-0.5)
    found = NextTokens((top,), 1.0, logits.tobytes(), order.tobytes())
    stages = Sorted.found_in(found).stages(SamplingParams(temperature=1.0))
    bars = ChanceBars(theme, "bars", "Bars")
    bars.set_chances(Chances(chance_rows(stages, found.top, 3, 0)))
    return bars


def _shares(theme: Theme) -> ShareBars:
    shares = ShareBars(theme, "shares", "Shares")
    shares.set_rows(((END, 0.75), (" rain", 0.25)), ("1.0", "0.1"))
    return shares


def _strip(theme: Theme) -> SurpriseStrip:
    strip = SurpriseStrip(theme, "strip", "Strip")
    strip.set_text(PIECES, (-3.0, -0.5))
    return strip


def _text(theme: Theme) -> TokenText:
    text = TokenText(theme, "text", "Text")
    text.set_text(PIECES, 1)
    return text


def _heat(theme: Theme) -> HeatMap:
    heat = HeatMap(theme, "heat", "Heat")
    heat.set_text(PIECES)
    heat.set_weights(EVEN, (0, 0, 2, 2))
    return heat


def _looks(theme: Theme) -> LookLines:
    looks = LookLines(theme, "looks", "Looks")
    looks.set_weights(PIECES, EVEN, (0, 0, 2, 2))
    return looks


def _lens(theme: Theme) -> LensTable:
    lens = LensTable(theme, "lens", "Lens")
    lens.set_layers(((Candidate(1, RAW, special=True, logprob=-0.4),),), None)
    return lens


def _lens_grid(theme: Theme) -> LensGrid:
    grid = LensGrid(theme, "grid", "Grid")
    grid.set_layers(((Candidate(0, " rain", logprob=-0.4),),), (END,), (None,))
    return grid


def _beams(theme: Theme) -> BeamTreeFigure:
    node = BeamNode(1, RAW, special=True, parent=-1, logprob=-0.1, score=-0.1, state="finished")
    tree = BeamTreeFigure(theme, "tree", "Tree")
    tree.set_tree(BeamTree("q", (node,), 0, ()))
    return tree


def _vectors(theme: Theme) -> VectorRows:
    vectors = VectorRows(theme, "vectors", "Vectors")
    vectors.set_vectors(PIECES, EVEN)
    return vectors


@pytest.mark.parametrize(
    "maker",
    [_bars, _shares, _strip, _text, _heat, _looks, _lens, _lens_grid, _beams, _vectors],
)
def test_a_special_token_stands_in_brackets_in_every_figure(
    maker: Callable[[Theme], Figure], theme: Theme, qtbot: QtBot
) -> None:
    figure = maker(theme)
    qtbot.addWidget(figure)
    said = figure.sentence() + figure.place_words(0)
    assert SEEN in said
    assert RAW not in said
    assert RAW in {cell for row in figure.table() for cell in row}
    assert SEEN not in figure.csv_text()


def test_the_strip_of_a_page_says_it_alike(theme: Theme, qtbot: QtBot) -> None:
    strip = TokenStrip(theme, "strip")
    qtbot.addWidget(strip)
    strip.set_text(PIECES, 0)
    assert SEEN in strip.accessibleDescription()
    assert RAW not in strip.accessibleDescription()


def test_text_that_looks_like_a_special_token_stays_as_it_was_written() -> None:
    typed = TokenPiece(7, RAW)
    assert (shown(typed), spoken(typed), written(typed)) == (RAW, RAW, RAW)
    assert (shown(END), spoken(END), written(END)) == (SEEN, SEEN, RAW)


def test_part_of_a_letter_is_shown_and_said_as_its_bytes() -> None:
    half = Candidate(9, "\ufffd", raw=b"\xf0\x9f", logprob=-1.0)
    assert shown(half) == spoken(half) == "F0 9F"
