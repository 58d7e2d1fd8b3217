"""The Tokens view in the real window: how pieces were built, and what the text costs elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from desktop.widgets.charts.frame import FigureFrame
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


MIXED = (
    "Once upon a time there was a small house at the edge of the forest. "
    "Es war einmal ein kleines Haus am Rande des Waldes. 从前森林边上有一座小房子。"
)


def test_tokens_are_counted_by_language_where_words_are_not_those_of_chinese(
    inside: Inside,
) -> None:
    open_tokens(inside)
    inside.look_at(MIXED)
    table: PlainTable = inside.find(PlainTable, "token_languages")
    inside.qtbot.waitUntil(lambda: len(table.rows()) > 2, timeout=WAIT_MS)
    rows = {row[0]: row[1:] for row in table.rows()}
    subject = inside.controller.subject()
    assert subject is not None
    assert {"English", "German", "Chinese"} <= rows.keys()
    assert sum(int(row[2]) for row in rows.values()) == len(subject.tokens)
    assert (rows["English"][0], rows["German"][0], rows["Chinese"][0]) == ("15", "10", "-")
    assert rows["Chinese"][3] == "-"
    frame = inside.find(FigureFrame, "token_languages_frame")
    said = " ".join(words.text() for words in frame.findChildren(QLabel))
    assert "py3langid" in said
    assert "Chinese: written without spaces" in said
    assert "derived" in frame.origin.accessibleName().lower()
    assert table.csv_text().startswith("language,words,letters,tokens,a word,letters a token\n")


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


def test_tokenizers_are_compared_by_language(inside: Inside) -> None:
    open_tokens(inside)
    inside.look_at(MIXED)
    inside.qtbot.mouseClick(inside.find(QWidget, "tokenizers_run"), Qt.MouseButton.LeftButton)
    table: PlainTable = inside.find(PlainTable, "tokenizers_languages")
    inside.qtbot.waitUntil(lambda: bool(table.rows()), timeout=WAIT_MS)
    heads, row = table.table()
    assert heads[0] == "tokenizer of"
    assert set(heads[1:]) == {"English, a word", "German, a word", "Chinese, a letter"}
    rates = dict(zip(heads[1:], map(float, row[1:]), strict=True))
    assert 1 <= rates["English, a word"] < rates["German, a word"]
    assert table.isVisible()
    inside.look_at(TEXT)
    assert not table.isVisible()
