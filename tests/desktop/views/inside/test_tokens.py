"""The Tokens view in the real window: how pieces were built, and what the text costs elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.widgets.charts.merge_steps import MergeSteps
from desktop.widgets.charts.plain_table import PlainTable
from desktop.widgets.charts.token_text import TokenText
from tests.desktop.views.inside.house import WAIT_MS, Inside

TEXT = "Rainbows and \u0436 rain, 2026"


def open_tokens(inside: Inside) -> None:
    inside.page.open_view("tokens")
    inside.look_at(TEXT)
    inside.settle()


def test_choosing_a_piece_shows_the_merges_that_built_it(inside: Inside) -> None:
    open_tokens(inside)
    subject = inside.controller.subject()
    assert subject is not None
    steps: MergeSteps = inside.find(MergeSteps, "merge_steps")
    seen = 0
    for place, piece in enumerate(subject.tokens):
        if piece.special or len(piece.text) < 3:
            continue
        inside.find(TokenText, "token_text").place_chosen.emit(place)
        inside.settle()
        inside.qtbot.waitUntil(lambda p=piece: _ends_in(steps, p.text), timeout=WAIT_MS)
        assert "merge" in steps.place_words(1)
        assert steps.csv_text().startswith("step,symbols,order\n")
        seen += 1
    assert seen


def _ends_in(steps: MergeSteps, text: str) -> bool:
    last = steps.place_count() - 1
    return last > 0 and steps.place_words(last).startswith(text.replace(" ", "\u00b7"))


def test_tokens_are_counted_by_writing_and_by_word(inside: Inside) -> None:
    open_tokens(inside)
    kinds: PlainTable = inside.find(PlainTable, "token_kinds")
    subject = inside.controller.subject()
    assert subject is not None
    counts = {row[0]: int(row[1]) for row in kinds.rows()}
    assert sum(counts.values()) == len(subject.tokens)
    assert counts["Latin"] > 2
    words: PlainTable = inside.find(PlainTable, "token_words")
    costs = [int(row[1]) for row in words.rows()]
    assert costs == sorted(costs, reverse=True)
    assert "Rainbows" in words.sentence()


def test_the_same_text_is_counted_with_every_installed_tokenizer(inside: Inside) -> None:
    open_tokens(inside)
    inside.qtbot.mouseClick(inside.find(QWidget, "tokenizers_run"), Qt.MouseButton.LeftButton)
    table: PlainTable = inside.find(PlainTable, "tokenizers_table")
    inside.qtbot.waitUntil(lambda: bool(table.rows()), timeout=WAIT_MS)
    subject = inside.controller.subject()
    assert subject is not None
    plain = [piece for piece in subject.tokens if not piece.special]
    assert int(table.rows()[0][1]) == len(plain)  # the starters share one tokenizer
    assert len(table.rows()) == 1
    shown: TokenText = inside.find(TokenText, "tokenizers_text")
    assert shown.place_count() == len(plain)
    assert not inside.find(QWidget, "tokenizers_run").isVisible()
    inside.look_at("Other words")
    assert inside.find(QWidget, "tokenizers_run").isVisible()
    assert not table.isVisible()
