"""One run of Change and see says where it ended; the other may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QLabel

from desktop.views.inside.change_run import RunColumn
from desktop.widgets.charts.share_bars import ShareBars
from inference.inside.questions import ScoredToken, WrittenStep

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def step(token: int, text: str, *, special: bool = False) -> WrittenStep:
    top = (ScoredToken(token, text, special, logit=1.0, logprob=-0.1),)
    return WrittenStep(token, text, special, temperature=0.0, entropy_bits=1.0, top=top)


STEPS = (step(5, " rain"), step(6, " fell"), step(0, "<|im_end|>", special=True))


@pytest.fixture
def column(qtbot: QtBot, theme: Theme) -> RunColumn:
    made = RunColumn(theme, "change_after", "Changed")
    qtbot.addWidget(made)
    return made


def words(column: RunColumn, name: str) -> str:
    label = column.findChild(QLabel, name)
    assert label is not None
    return label.text()


def test_a_run_that_ended_says_at_which_step_and_stays_at_its_last(column: RunColumn) -> None:
    column.show_written(STEPS, " rain fell", is_ended=True)
    assert "ends at step 3" in words(column, "change_after_onward")
    assert words(column, "change_after_text") == "rain fell"
    assert "⟨im_end⟩" in column.show_step(3)
    assert column.show_step(4) == column.show_step(9) == "Changed: ended at step 3."
    bars = column.findChild(ShareBars, "change_after")
    assert bars is not None
    assert "⟨im_end⟩" in bars.sentence()


def test_a_run_that_ends_at_once_or_goes_on_says_so(column: RunColumn) -> None:
    column.show_written(STEPS[2:], "", is_ended=True)
    assert words(column, "change_after_onward") == "It ends here."
    column.show_written(STEPS[:2], " rain fell", is_ended=False)
    assert words(column, "change_after_onward") == "It goes on:"
