"""The parts that voted for a word add up to its score; a click shows the words of one layer."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from desktop.widgets.charts.colour_map import signed_colour
from desktop.widgets.charts.push_lists import PushLists
from desktop.widgets.charts.update_bars import UpdateBars
from desktop.widgets.charts.vote_bars import VoteBars
from inference.inside.questions import AskNext, NextTokens
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

TEXT = "Once upon a time there was a"
PARTS = 4 * 2 + 2


@pytest.fixture(params=["starter-instruct", "starter-instruct-native"])
def seen(inside: Inside, request: pytest.FixtureRequest) -> Iterator[Inside]:
    """The layers of a text, with the starter model on either engine."""
    engines = inside.parts.engines

    def ready() -> bool:
        state = engines.state()
        return (
            state.status == "ready" and state.model is not None and state.model.id == request.param
        )

    if not ready():
        engines.load(request.param)
        inside.qtbot.waitUntil(ready, timeout=WAIT_MS)
    inside.look_at(TEXT)
    inside.page.open_view("layers")
    look(inside)
    yield inside
    inside.page.open_view("next_word")


def look(inside: Inside) -> None:
    inside.settle()
    lists: PushLists = inside.find(PushLists, "push_lists")
    inside.qtbot.waitUntil(lambda: lists.place_count() > 0, timeout=WAIT_MS)
    inside.settle()


def votes(inside: Inside) -> list[list[str]]:
    bars: VoteBars = inside.find(VoteBars, "vote_bars")
    return list(csv.reader(bars.csv_text().splitlines()))[1:]


def listed(inside: Inside) -> list[list[str]]:
    lists: PushLists = inside.find(PushLists, "push_lists")
    return list(csv.reader(lists.csv_text().splitlines()))[1:]


def scores(inside: Inside) -> tuple[NextTokens, npt.NDArray[np.float32]]:
    """Return what the model itself says of the place, and the scores of all tokens."""
    subject = inside.controller.subject()
    assert subject is not None
    asked = AskNext(subject.ids_before, top_n=3, all_logits=True)
    found: dict[object, NextTokens] = {}
    inside.controller.found.connect(found.__setitem__)
    inside.controller.ask(asked)
    inside.qtbot.waitUntil(lambda: asked in found, timeout=WAIT_MS)
    return found[asked], np.frombuffer(found[asked].logits, np.float32)


def test_at_the_end_of_a_text_the_bars_add_up_to_the_lead_of_the_leading_word(
    seen: Inside,
) -> None:
    rows = votes(seen)
    assert len(rows) == PARTS
    assert [row[0] for row in rows[:3]] == ["embedding", "attention", "forward"]
    next_tokens, numbers = scores(seen)
    best = next_tokens.top[0]
    lead = float(numbers[best.id] - numbers.mean())
    assert sum(float(row[4]) for row in rows) == pytest.approx(lead, abs=0.15)
    bars: VoteBars = seen.find(VoteBars, "vote_bars")
    assert f"“{best.text.strip()}”" in bars.sentence()
    assert "above the mean" in bars.accessibleDescription()


def test_within_a_text_the_bars_are_about_the_word_that_stands_there(seen: Inside) -> None:
    subject = seen.controller.subject()
    assert subject is not None
    seen.controller.choose(len(subject.tokens) - 2)
    look(seen)
    subject = seen.controller.subject()
    assert subject is not None
    here = subject.tokens[subject.chosen]
    _, numbers = scores(seen)
    lead = float(numbers[here.id] - numbers.mean())
    assert sum(float(row[4]) for row in votes(seen)) == pytest.approx(lead, abs=0.15)
    bars: VoteBars = seen.find(VoteBars, "vote_bars")
    assert f"“{here.text.strip()}”" in bars.sentence()


def test_a_click_on_a_layer_shows_the_words_that_its_parts_push(seen: Inside) -> None:
    updates: UpdateBars = seen.find(UpdateBars, "update_bars")
    lists: PushLists = seen.find(PushLists, "push_lists")
    asked: list[object] = []
    seen.page.asked.connect(asked.append)
    row = updates.height() // 4
    found = []
    for place in range(4):  # the last layer stands at the top
        seen.qtbot.mouseClick(
            updates, Qt.MouseButton.LeftButton, pos=QPoint(80, place * row + row // 2)
        )
        assert {(one[0], one[1]) for one in listed(seen)} == {
            ("attention", str(4 - place)),
            ("forward", str(4 - place)),
        }
        found.append(listed(seen))
    assert asked == []  # it was all known
    assert len({str(one) for one in found}) == 4
    for one in listed(seen):
        assert float(one[6]) - float(one[7]) == pytest.approx(float(one[8]), abs=1e-4)
        assert (float(one[8]) > 0) == (one[2] == "likelier")
    assert "layer 1 makes likelier" in lists.accessibleDescription()


def test_keys_choose_a_layer_or_what_belongs_to_none(seen: Inside) -> None:
    bars: VoteBars = seen.find(VoteBars, "vote_bars")
    bars.setFocus()
    seen.qtbot.keyClick(bars, Qt.Key.Key_Home)
    assert "of layer 4" in bars.accessibleDescription()
    seen.qtbot.keyClick(bars, Qt.Key.Key_Down)
    seen.qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert {one[1] for one in listed(seen)} == {"3"}
    seen.qtbot.keyClick(bars, Qt.Key.Key_End)
    seen.qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert {one[0] for one in listed(seen)} == {"embedding", "rest"}
    lists: PushLists = seen.find(PushLists, "push_lists")
    lists.setFocus()
    seen.qtbot.keyClick(lists, Qt.Key.Key_Home)
    seen.qtbot.keyClick(lists, Qt.Key.Key_Down)
    assert lists.mark == 4  # the second row
    assert "against the mean" in lists.accessibleDescription()


def test_the_chosen_layer_stays_at_another_place_and_along_the_text(seen: Inside) -> None:
    updates: UpdateBars = seen.find(UpdateBars, "update_bars")
    updates.place_chosen.emit(2)
    before = listed(seen)
    seen.controller.choose(3)
    look(seen)
    assert {one[1] for one in listed(seen)} == {"2"}
    assert listed(seen) != before
    seen.controller.choose(100_000)
    look(seen)
    assert listed(seen) == before


def test_both_figures_are_saved_as_pictures(seen: Inside, tmp_path: Path) -> None:
    for kind, name in ((VoteBars, "vote_bars"), (PushLists, "push_lists")):
        figure = seen.find(kind, name)
        for ending in ("png", "svg"):
            figure.save(tmp_path / f"{name}.{ending}")
            assert (tmp_path / f"{name}.{ending}").stat().st_size > 500


def test_the_least_vote_has_a_colour_of_its_side(seen: Inside) -> None:
    theme = seen.window.theme
    against, none, for_it = (signed_colour(theme, share) for share in (-0.01, 0.0, 0.01))
    assert len({against.name(), none.name(), for_it.name()}) == 3
    assert none == theme.diverging[len(theme.diverging) // 2]
    assert signed_colour(theme, -1.0) == theme.diverging[0]
    assert signed_colour(theme, 1.0) == theme.diverging[-1]
