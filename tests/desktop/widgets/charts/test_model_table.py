"""The table of models says what was measured, sorts by it, and is complete as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics

from desktop.evaluation import Row
from desktop.views.inside.evaluation_words import advice
from desktop.widgets.charts.model_cells import COLUMNS, cells_of, cost_words
from desktop.widgets.charts.model_table import ModelTable, _cut_to_lines
from inference.evaluation.families import Against
from inference.evaluation.result import Trouble
from tests.inference.evaluation.house import PARTS, info, result

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

LARGE = result("Tiny", "F16", memory=2_000_000_000)
SMALL = result("Tiny", "Q4_K_M", parts=[one + 1 for one in PARTS], memory=1_200_000_000)
DAMAGED = info("Broken", "Q8_0")
ROWS = (
    Row(LARGE.info, "done", result=LARGE),
    Row(DAMAGED, "trouble", trouble=Trouble(DAMAGED, "The file is damaged.", "Get it again.")),
    Row(SMALL.info, "done", result=SMALL),
    Row(info("Next", "Q8_0"), "running", "reading", 0.25),
)


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> ModelTable:
    made = ModelTable(theme, "table", "Models")
    qtbot.addWidget(made)
    made.resize(760, 300)
    made.set_rows(ROWS)
    return made


def test_each_row_is_told_with_its_figures_or_its_trouble(table: ModelTable, qtbot: QtBot) -> None:
    assert table.accessibleDescription().startswith("2 of 4 models measured; Tiny F16 expects")
    told = []
    for _ in ROWS:
        qtbot.keyClick(table, Qt.Key.Key_Down)
        told.append(table.accessibleDescription())
    assert "perplexity 7.39" in told[0]
    assert "memory 2.00\N{NO-BREAK SPACE}GB" in told[0]
    assert told[1] == "Broken, Q8_0, GGUF: The file is damaged. Get it again."
    assert "+1.0\N{NO-BREAK SPACE}% against F16" in told[2]
    assert "Reading the text, 25\N{NO-BREAK SPACE}%" in told[3]
    assert not table.picture().isNull()


def test_a_long_trouble_ends_with_a_whole_line_and_its_tooltip_has_all(
    qtbot: QtBot, theme: Theme
) -> None:
    words = "The file of this model ends too early. " * 6
    metrics = QFontMetrics(theme.font("small"))
    room = QSize(300, 38)
    cut = _cut_to_lines(metrics, words.strip(), room)
    wraps = Qt.TextFlag.TextWordWrap
    assert cut.endswith("…")
    assert words.startswith(cut.removesuffix("…"))
    assert metrics.boundingRect(QRect(0, 0, 300, 999), wraps, cut).height() <= room.height()
    longer = words[: len(cut) + 12]
    assert metrics.boundingRect(QRect(0, 0, 300, 999), wraps, longer).height() > room.height()
    assert _cut_to_lines(metrics, "The file is damaged.", room) == "The file is damaged."
    table = ModelTable(theme, "table", "Models")
    qtbot.addWidget(table)
    table.set_rows((Row(DAMAGED, "trouble", trouble=Trouble(DAMAGED, words, "Get it again.")),))
    table.set_mark(0)
    assert words in table.toolTip()


def test_a_perplexity_beyond_all_use_fits_into_its_cell(table: ModelTable) -> None:
    lost = result("Tiny", "Q2_K", parts=[20 * one for one in PARTS])
    assert lost.perplexity > 1e7
    assert cells_of(lost, None)[0] == ">\N{NO-BREAK SPACE}10\N{SUPERSCRIPT SEVEN}"
    table.set_rows((Row(lost.info, "done", result=lost),))
    assert "perplexity over 10,000,000" in table.place_words(0)
    assert table.sentence().endswith("Tiny Q2_K expects the text best.")


def test_a_head_sorts_the_best_first_and_rows_without_figures_come_last(
    table: ModelTable, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(table.sort_chosen) as chosen:
        at = QPoint(table.width() - 10, 10)
        qtbot.mouseClick(table, Qt.MouseButton.LeftButton, pos=at)
    assert chosen.args == [COLUMNS[-1]] == ["memory"]
    table.sort_by("memory")
    assert [row.info.id for row in table.rows[:2]] == [SMALL.info.id, LARGE.info.id]
    assert {row.result for row in table.rows[2:]} == {None}
    table.sort_by("perplexity")
    assert table.rows[0].info.id == LARGE.info.id
    table.sort_by("")
    assert table.rows == ROWS


def test_the_csv_has_every_figure_with_what_it_belongs_to(table: ModelTable) -> None:
    rows = list(csv.DictReader(io.StringIO(table.csv_text())))
    assert float(rows[0]["perplexity"]) == pytest.approx(LARGE.perplexity)
    assert rows[0]["increase against the largest"] == ""
    assert float(rows[2]["increase against the largest"]) == pytest.approx(0.0100, abs=1e-4)
    assert rows[2]["largest of its family"] == LARGE.info.id
    assert rows[2]["model sha256"] == SMALL.key.model
    assert rows[1]["trouble"] == "The file is damaged. Get it again."


@pytest.mark.parametrize(
    ("cost", "words"),
    [(0.0134, "+1.3 %"), (-0.00045, "-0.04 %"), (0.000031, "+0.003 %"), (12.0, "+1,200 %")],
)
def test_a_difference_that_is_told_from_chance_is_never_written_as_none(
    cost: float, words: str
) -> None:
    beside = Against(LARGE, cost, error=abs(cost) / 10, memory=1.0, size=1.0, speed=1.0)
    assert cost_words(beside).replace("\N{NO-BREAK SPACE}", " ") == words


def test_the_advice_is_a_sentence_with_what_it_costs_and_saves() -> None:
    (words,) = advice([LARGE, SMALL])
    assert words.replace("\N{NO-BREAK SPACE}", " ") == (
        "Take Tiny Q4_K_M: it costs 1 % of perplexity, and takes 60 % of the memory of Tiny F16."
    )
    dear = result("Tiny", "Q2_K", parts=[one * 1.1 for one in PARTS], memory=900_000_000)
    (words,) = advice([LARGE, dear])
    assert words.startswith("Stay with Tiny F16: Tiny Q2_K costs 22.1")
    other = result("Else", "F16", parts=[one + 3 for one in PARTS])
    assert "Of different models, Tiny F16 expects this text best" in advice([other, LARGE])[0]
    assert advice([LARGE]) == ()
