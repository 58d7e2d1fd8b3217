"""What goes in at the first step, whose it is, and how an answer of a chat goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QScrollArea

from desktop.inside import TextSource
from desktop.views.inside.walk import WalkView
from desktop.views.inside.walk_words import WalkWords
from desktop.widgets.charts.chance_bars import ChanceBars
from desktop.widgets.charts.pieces import spoken
from inference.types import GenerationRequest, Message
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from desktop.widgets.theme import Theme

_QUESTION = Message("user", "What is a token?")


def look_at_chat(inside: Inside, answer: str = "") -> WalkView:
    request = GenerationRequest("r", messages=(_QUESTION,))
    inside.look_at("Once upon a time")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    inside.controller.open(TextSource("A chat", request, answer=answer))
    inside.settle()
    return walk


def words(inside: Inside, name: str) -> list[str]:
    found = inside.page.findChildren(QLabel, name)
    return [one.text() for one in found if one.isVisible()]


def test_a_chat_shows_which_pieces_are_the_templates_and_which_the_persons(
    inside: Inside,
) -> None:
    walk = look_at_chat(inside, "A piece")
    walk.go_to(0)
    assert words(inside, "walk_said") == ["What is a token?", "A piece"]
    marks = words(inside, "walk_marks")
    assert marks == ["⟨endoftext⟩⟨im_start⟩user⏎", "⟨im_end⟩⏎⟨im_start⟩assistant⏎"]
    assert not words(inside, "walk_text")
    named = [one for one in inside.page.findChildren(QLabel, "walk_said") if one.isVisible()]
    assert named[0].accessibleName() == "You: What is a token?"
    told = [inside.find(QLabel, f"walk_words_{place}").text() for place in range(3)]
    assert "chat template" in told[2]
    walk.go_to(1)
    assert "are not words of the chat" in inside.find(QLabel, "walk_words_2").text()
    inside.look_at("Once upon a time")
    walk.go_to(0)
    assert words(inside, "walk_text") == ["Once upon a time"]
    assert not words(inside, "walk_said")
    assert not inside.find(QLabel, "walk_words_2").isVisible()


def test_a_piece_appended_to_an_answer_leaves_it_a_chat(inside: Inside) -> None:
    walk = look_at_chat(inside)
    before = inside.controller.subject()
    assert before is not None
    walk.go_to(9)
    inside.settle()
    begun = inside.find(QLabel, "walk_again").text()
    assert begun
    assert "user" not in begun
    inside.find(QAbstractButton, "walk_append").click()
    inside.settle()
    after = inside.controller.subject()
    assert after is not None
    assert after.source.request.messages == (_QUESTION,)
    assert after.source.answer == begun
    assert after.ids[: len(before.ids)] == before.ids
    assert len(after.ids) > len(before.ids)
    walk.go_to(0)
    assert words(inside, "walk_said")[-1] == begun.strip()


def test_a_piece_that_ends_the_answer_is_not_appended_and_says_why(inside: Inside) -> None:
    walk = look_at_chat(inside)
    walk.go_to(9)
    inside.settle()
    append = inside.find(QAbstractButton, "walk_append")
    for _ in range(120):
        if not append.isEnabled():
            break
        append.click()
        inside.settle()
    assert "mark, not a word" in append.accessibleDescription()
    assert "mark, not a word" in inside.find(QLabel, "walk_why_not").text()
    assert inside.find(QLabel, "walk_again").text().endswith("⟩")


def test_a_long_chat_shows_its_end_and_says_how_much_stands_before(
    inside: Inside, theme: Theme
) -> None:
    look_at_chat(inside)
    subject = inside.controller.subject()
    assert subject is not None
    said = tuple(Message("user", f"{n}. " + "word " * 300) for n in range(20))
    text = "".join(f"<user>{one.content.strip()}</user>" for one in said)
    piece = msgspec.structs.replace(subject.tokens[0], text=text, special=False)
    source = TextSource("t", GenerationRequest("r", messages=said))
    view = WalkWords(theme)
    inside.qtbot.addWidget(view)
    view.show_subject(replace(subject, source=source, tokens=(piece,), answer_start=1, chosen=1))
    labels = [one.text() for one in view.findChildren(QLabel)]
    assert any("27 parts of this chat stand before" in one for one in labels)
    longest = max(len(one) for one in labels if not one.startswith("<user>"))
    assert longest < 700
    assert any("…" in one for one in labels)


def test_the_piece_that_was_drawn_is_said_beside_its_row(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    walk.go_to(8)
    inside.settle()
    told = inside.find(QLabel, "walk_drawn")
    assert not told.isVisible()
    draw = inside.find(QAbstractButton, "walk_draw")
    draw.click()
    bars = inside.find(ChanceBars, "walk_choice")
    (drawn,) = [row for row in bars.chances().rows if row.is_chosen]
    assert told.isVisible()
    assert spoken(drawn.token) in told.text()
    assert draw.accessibleDescription() == told.text()
    inside.look_at("Once upon a time there was a")
    assert not told.isVisible()
    inside.page.open_view("next_word")


def test_page_keys_scroll_a_step_and_the_next_one_begins_at_its_top(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    before = inside.window.size()
    inside.window.resize(720, 520)
    walk.go_to(8)
    inside.settle()
    walk.focus_first()
    bar = inside.find(QScrollArea, "walk_scroll").verticalScrollBar()
    inside.qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=WAIT_MS)
    following = inside.find(QAbstractButton, "walk_next")
    inside.qtbot.keyClick(following, Qt.Key.Key_PageDown)
    assert bar.value() > 0
    inside.qtbot.keyClick(following, Qt.Key.Key_PageUp)
    assert bar.value() == 0
    bar.setValue(bar.maximum())
    inside.qtbot.keyClick(following, Qt.Key.Key_Space)
    inside.settle()
    title = inside.find(QLabel, "walk_name")
    area = inside.find(QScrollArea, "walk_scroll")
    assert title.mapTo(area, QPoint(0, 0)).y() > 0
    inside.window.resize(before)
    inside.page.open_view("next_word")
