"""The column of messages: few widgets, a reading position that stays, states that say a way on."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from desktop.values import AnswerStats, MessageView, Problem
from desktop.widgets.controls import Button
from desktop.widgets.theme import Theme, apply_theme
from desktop.widgets.transcript.notes import StatusLine
from desktop.widgets.transcript.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    View = Callable[..., MessageView]

LONG = "Some words of an answer that fill a line or two.\n\n" * 12


@pytest.fixture
def column(qtbot: QtBot, theme: Theme) -> Transcript:
    column = Transcript(theme)
    qtbot.addWidget(column)
    column.resize(900, 600)
    column.show()
    qtbot.waitExposed(column)
    return column


def chat(view: View, pairs: int) -> tuple[MessageView, ...]:
    return tuple(
        made
        for n in range(pairs)
        for made in (view(f"u{n}", f"Question {n}"), view(f"a{n}", f"Answer {n}. {LONG}"))
    )


def press(parent: QWidget, name: str) -> None:
    button = parent.findChild(QAbstractButton, name)
    assert button is not None, name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def settle(qtbot: QtBot) -> None:
    qtbot.wait(30)


def test_a_chat_of_500_messages_opens_fast_at_its_end_with_few_widgets(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    messages = chat(view, 250)
    column.show_messages(messages[:4])
    start = perf_counter()
    column.show_messages(messages)
    column.repaint()
    assert perf_counter() - start < 1.5  # 0.1 s on a quiet computer
    assert column.widget_of("a249") is not None
    assert column.widget_of("a0") is None
    bar = column.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    for share in (0.7, 0.4, 0.1, 0.0):
        bar.setValue(round(bar.maximum() * share))
        settle(qtbot)
        assert len(column.findChildren(QWidget)) < 150
    assert column.widget_of("u0") is not None


def test_the_column_follows_the_stream_at_its_end(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    column.show_messages((*chat(view, 3), view("a9", state="streaming")))
    for _ in range(30):
        column.append_text("a9", "More words of this long paragraph. ")
    settle(qtbot)
    bar = column.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_the_reading_position_is_not_stolen_by_the_stream(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    column.show_messages((*chat(view, 3), view("a9", state="streaming")))
    settle(qtbot)
    bar = column.verticalScrollBar()
    bar.setValue(bar.maximum() - 300)
    settle(qtbot)
    read = column.widget_of("a2")
    assert read is not None
    before, value = read.y(), bar.value()
    for _ in range(200):
        column.append_text("a9", "More words of this long paragraph. ")
    settle(qtbot)
    assert (read.y(), bar.value()) == (before, value)
    jump = column.findChild(QAbstractButton, "jump_to_end")
    assert jump is not None
    assert jump.isVisible()
    press(column, "jump_to_end")
    assert bar.value() == bar.maximum()
    assert not jump.isVisible()
    column.append_text("a9", "The end.")
    assert column.is_following


def test_scrolling_up_through_messages_never_shown_moves_evenly(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    messages = chat(view, 30)
    short = tuple(replace(m, text="| a |\n|---|\n" * 9) if m.id == "a20" else m for m in messages)
    column.show_messages(short)
    settle(qtbot)
    bar = column.verticalScrollBar()
    for _ in range(60):
        seen = {
            m.id: w.mapTo(column.viewport(), QPoint(0, 0)).y()
            for m in short
            if (w := column.widget_of(m.id)) is not None and w.isVisible()
        }
        bar.setValue(bar.value() - 100)
        for name, y in seen.items():
            widget = column.widget_of(name)
            inside = 0 <= y <= 400
            if widget is not None and inside and bar.value() > 200:
                assert abs(widget.mapTo(column.viewport(), QPoint(0, 0)).y() - y - 100) <= 2


def test_streamed_text_is_what_the_finished_message_shows(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    text = "# Title\n\n- one\n- two\n\n```py\nx = 1\n```\n\nEnd **bold**."
    column.show_messages((view("u1", "Go"), view("a1", state="waiting")))
    for start in range(0, len(text), 5):
        column.append_text("a1", text[start : start + 5])
    streamed = column.widget_of("a1")
    assert streamed is not None
    body = streamed.body
    column.change_message(view("a1", text, stats=AnswerStats(completion_tokens=20)))
    assert column.widget_of("a1") is streamed
    assert streamed.body is body
    assert body.words() == "Title\n\n- one\n- two\n\nx = 1\n\nEnd bold."
    assert body.accessibleDescription() == body.words()
    assert "Model" in body.accessibleName()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"state": "waiting"}, "Waiting to start"),
        ({"state": "reading"}, "Reading your message"),
        (
            {"state": "reading", "reading_done": 3120, "reading_total": 6944},
            "3,120 of 6,944",
        ),
        ({"state": "stopped", "text": "Half"}, "You stopped here."),
        ({"state": "failed", "text": "one two three"}, "These 3 words are kept."),
        (
            {"text": "Cut", "stats": AnswerStats(256, finish_reason="length")},
            "Ended by the length limit of 256 tokens.",
        ),
        (
            {"text": "Cut", "stats": AnswerStats(9, 0, 0, 1015, 1024, 1024, "length")},
            "Ended here: the context of 1,024 tokens is full.",
        ),
    ],
)
def test_states_are_said_in_words(
    column: Transcript, view: View, more: dict[str, object], words: str
) -> None:
    column.show_messages((view("u1", "Go"), view("a1", **more)))
    status = column.findChild(StatusLine)
    assert status is not None
    assert words in status.accessibleName()


def test_a_failed_answer_keeps_its_text_says_why_and_offers_a_way_on(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    problem = Problem("The engine stopped.", "The chat is untouched.", "Try again.", "signal 6")
    column.show_messages((view("u1"), view("a1", "Kept text", state="failed", problem=problem)))
    widget = column.widget_of("a1")
    assert widget is not None
    assert widget.body.words() == "Kept text"
    labels = {label.text() for label in widget.findChildren(QLabel)}
    assert {"The engine stopped.", "The chat is untouched. Try again."} <= labels
    detail = widget.findChild(QLabel, "problem_detail")
    assert detail is not None
    assert not detail.isVisible()
    closed = widget.height()
    press(widget, "problem_fold")
    qtbot.waitUntil(lambda: widget.height() > closed)
    assert detail.isVisible()
    press(widget, "problem_copy")
    assert QGuiApplication.clipboard().text() == "signal 6"
    with qtbot.waitSignal(column.retry_requested) as asked:
        press(widget, "retry")
    assert asked.args == ["a1"]


def test_an_answer_ended_by_its_length_goes_on_while_there_is_context(
    column: Transcript, view: View
) -> None:
    cut = AnswerStats(256, 0, 0, 10, 266, 1024, "length")
    column.show_messages((view("u1"), view("a1", "One", stats=cut)))
    link = column.findChild(QAbstractButton, "continue_link")
    assert link is not None
    assert link.isVisible()
    full = replace(cut, context_used=1024)
    column.change_message(view("a1", "One", stats=full))
    assert not link.isVisible()
    column.change_message(view("a1", "One", stats=cut))
    column.add_message(view("u2", "On"))
    column.add_message(view("a2", "Two"))
    assert not link.isVisible()  # what comes after it would no longer follow from it


def test_a_problem_offers_what_can_help(column: Transcript, view: View, qtbot: QtBot) -> None:
    problem = Problem(
        "Too long.", "It is.", "", " ", can_retry=False, offers=("larger_context", "new_chat"),
        larger_context=8192,
    )  # fmt: skip
    column.show_messages((view("u1"), view("a1", state="failed", problem=problem)))
    widget = column.widget_of("a1")
    assert widget is not None
    names = [button.objectName() for button in widget.findChildren(Button)]
    assert names == ["offer_larger_context", "offer_new_chat"]  # no empty fold either
    with qtbot.waitSignal(column.offer_taken) as asked:
        press(widget, "offer_larger_context")
    assert asked.args == ["a1", "larger_context"]


def test_the_last_answer_offers_its_actions_and_names_its_message(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    stats = AnswerStats(
        completion_tokens=318, tokens_per_s=41.2, drafted_tokens=8, accepted_tokens=6
    )
    column.show_messages((view("u1", "Go"), view("a1", "Done", version=2, versions=2, stats=stats)))
    widget = column.widget_of("a1")
    assert widget is not None
    press(widget, "message_copy")
    assert QGuiApplication.clipboard().text() == "Done"
    with qtbot.waitSignal(column.again_requested) as again:
        press(widget, "message_again")
    with qtbot.waitSignal(column.continue_requested) as more:
        press(widget, "message_continue")
    with qtbot.waitSignal(column.version_requested) as version:
        press(widget, "version_earlier")
    assert (again.args, more.args, version.args) == (["a1"], ["a1"], ["a1", -1])
    later = widget.findChild(QAbstractButton, "version_later")
    assert later is not None
    assert not later.isEnabled()
    assert later.toolTip() == later.accessibleDescription() == "This is the last version."
    words = widget.findChild(QLabel, "stats")
    assert words is not None
    said = words.text().replace("\u00a0", " ")
    assert said == "318 tokens · 41.2 tokens/s · 75 % of guesses taken"


def test_code_is_copied_as_written_and_its_buttons_come_and_go(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    text = "```py\nx = 1\n\ty = 2\n```\n\n" + LONG * 3
    column.show_messages((view("u1"), view("a1", text)))
    widget = column.widget_of("a1")
    assert widget is not None
    assert widget.findChild(QAbstractButton, "code_copy") is None
    column.verticalScrollBar().setValue(0)
    press(widget, "code_copy")
    assert QGuiApplication.clipboard().text() == "x = 1\n\ty = 2"
    copy = widget.findChild(QAbstractButton, "code_copy")
    assert copy is not None
    assert copy.text() == "Copied"
    assert copy.width() == copy.sizeHint().width()  # the word is not cut
    assert copy.accessibleName() == "Copy Python code"


def test_words_are_chosen_by_mouse_and_keys(column: Transcript, view: View, qtbot: QtBot) -> None:
    column.show_messages((view("u1", "Go"), view("a1", "First words here.\n\nSecond part.")))
    widget = column.widget_of("a1")
    assert widget is not None
    body = widget.body
    left = round(8 + body.flow.left)
    QTest.mouseDClick(body, Qt.MouseButton.LeftButton, pos=QPoint(left + 50, 12))
    assert body.selected_text() == "words"
    QTest.keyClick(body, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert body.selected_text() == "words "
    QTest.keyClick(body, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(body, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "First words here.\n\nSecond part."
    QTest.keyClick(body, Qt.Key.Key_Escape)
    assert not body.has_selection()


def test_a_completion_continues_the_text_of_the_person(column: Transcript, view: View) -> None:
    answer = view("a1", " there was", is_completion=True)
    column.show_messages((view("u1", "Once upon a time"), answer))
    widget = column.widget_of("a1")
    assert widget is not None
    assert widget.body.words() == "Once upon a time there was"
    assert column.widget_of("u1") is None
    plain = replace(answer, is_completion=False)
    column.change_message(plain)
    assert column.widget_of("u1") is not None
    shown = column.widget_of("a1")
    assert shown is not None
    assert shown.body.words() == "there was"


def test_another_branch_keeps_the_widgets_of_messages_that_stay(
    column: Transcript, view: View
) -> None:
    column.show_messages((view("u1", "Go"), view("a1", "One")))
    kept = column.widget_of("u1")
    column.show_branch((view("u1", "Go"), view("a2", "Two", version=2, versions=2)))
    assert column.widget_of("u1") is kept
    assert column.message_ids() == ("u1", "a2")


def test_another_theme_restyles_without_rebuilding(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    column.show_messages(chat(view, 2))
    before = column.widget_of("a1")
    assert before is not None
    pieces = list(before.body.flow.pieces)
    dark = Theme.load("dark")
    apply_theme(column, dark)
    settle(qtbot)
    assert column.widget_of("a1") is before
    assert before.body.flow.pieces == pieces
    image = column.viewport().grab().toImage()
    assert image.pixelColor(2, 2) == dark.page
    light = sum(
        image.pixelColor(x, y).lightness() > 150
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    )
    assert light > 200  # the words are light now


def test_every_control_has_a_name_for_people_and_one_for_tests(
    column: Transcript, view: View
) -> None:
    problem = Problem("Title", "Text", "Hint", "detail")
    column.show_messages(
        (
            view("u1", "Go"),
            view("a1", "```\n" + "c" * 300 + "\n```", state="stopped", version=1, versions=2),
            view("u2", "Go"),
            view("a2", "x", state="failed", problem=problem),
        )
    )
    buttons = [b for b in column.findChildren(QAbstractButton) if b.isVisible()]
    assert len(buttons) > 6
    assert [b.objectName() for b in buttons if not b.accessibleName() or not b.objectName()] == []


def test_tab_goes_through_words_code_and_actions_from_top_to_bottom(
    column: Transcript, view: View, qtbot: QtBot
) -> None:
    code = "Words\n\n```py\nx = 1\n```"
    column.show_messages((view("u1", "Go"), view("a1", code), view("u2", "On"), view("a2", code)))
    first = column.widget_of("u1")
    assert first is not None
    column.activateWindow()
    first.body.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(first.body.hasFocus)
    seen = []
    for _ in range(12):
        QTest.keyClick(column.window(), Qt.Key.Key_Tab)
        focused = column.window().focusWidget()
        assert focused is not None
        seen.append(focused.objectName())
    answer = ["message_body", "code_copy", "code_save", "message_copy", "message_again"]
    answer.append("message_inside")
    assert seen[:2] == ["message_copy", "message_edit"]
    assert seen[2:8] == answer
    assert seen[8:11] == ["message_body", "message_copy", "message_edit"]


@pytest.mark.parametrize("is_completion", [False, True])
def test_an_answer_that_had_ended_goes_on_within_its_last_word(
    column: Transcript, view: View, is_completion: bool
) -> None:
    stopped = view("a1", "One **tw", state="stopped", is_completion=is_completion)
    column.show_messages((view("u1", ""), stopped))
    column.change_message(replace(stopped, state="reading"))
    column.append_text("a1", "o** three")
    column.change_message(replace(stopped, state="streaming", text="One **two** three"))
    column.append_text("a1", " four")
    column.change_message(replace(stopped, state="complete", text="One **two** three four"))
    widget = column.widget_of("a1")
    assert widget is not None
    expected = "One **two** three four" if is_completion else "One two three four"
    assert widget.body.words() == expected
    assert widget.body.geometry().height() >= 26
