"""Quick against thinking: what is shown before, meanwhile and afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from desktop.inside import ChatRun, RunChat
from desktop.views.inside.walk_thinking import WalkThinking
from desktop.widgets.charts.origin import OriginLabel
from desktop.widgets.controls import Button

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """These tests need no model in memory."""


@pytest.fixture
def chapter(qtbot: QtBot, theme: Theme) -> WalkThinking:
    made = WalkThinking(theme)
    made.show_model("one")
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def seen(chapter: WalkThinking, name: str) -> str:
    found = chapter.findChild(QLabel, f"walk_{name}")
    assert found is not None
    return found.text() if found.isVisible() else ""


def ask(chapter: WalkThinking) -> Button:
    found = chapter.findChild(Button, "walk_ask_twice")
    assert found is not None
    return found


def test_no_figure_is_announced_before_there_is_one(chapter: WalkThinking) -> None:
    labels = chapter.findChildren(OriginLabel)
    assert len(labels) == 2  # each answer carries its own
    assert not any(one.isVisible() for one in labels)
    ask(chapter).click()
    assert all(one.isVisible() for one in labels)


def test_an_empty_question_is_not_asked_and_the_button_says_why(
    chapter: WalkThinking, qtbot: QtBot
) -> None:
    field = chapter.findChild(QLineEdit, "walk_question")
    assert field is not None
    field.clear()
    assert not ask(chapter).isEnabled()
    assert "question" in ask(chapter).accessibleDescription()
    with qtbot.assertNotEmitted(chapter.asked):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    field.setText("What is a token?")
    assert ask(chapter).isEnabled()


def test_the_keyboard_goes_to_the_question_while_it_is_answered(
    chapter: WalkThinking, qtbot: QtBot
) -> None:
    ask(chapter).setFocus()
    qtbot.keyClick(ask(chapter), Qt.Key.Key_Space)
    assert not ask(chapter).isEnabled()
    assert QApplication.focusWidget() is chapter.findChild(QLineEdit, "walk_question")


def test_both_answers_stand_directly_below_their_figures(
    chapter: WalkThinking, qtbot: QtBot
) -> None:
    asked: list[RunChat] = []
    chapter.asked.connect(asked.append)
    ask(chapter).click()
    chapter.show_run(asked[0], ChatRun("", "Nine.", 3, 0.2))
    chapter.show_run(asked[1], ChatRun("All but 9. " * 40, "", 484, 12.0, is_cut=True))
    assert [one.thinking for one in asked] == [False, True]
    assert seen(chapter, "quick_answer") == "Nine."
    assert "cut off" in seen(chapter, "thinking_figures")
    assert seen(chapter, "thinking_answer").startswith("No answer yet")
    assert not seen(chapter, "quick_thought")
    qtbot.waitUntil(lambda: ask(chapter).isEnabled())
    figures, answer = (
        chapter.findChild(QWidget, f"walk_quick_{part}") for part in ("figures", "answer")
    )
    assert figures is not None
    assert answer is not None
    assert 0 < answer.geometry().top() - figures.geometry().bottom() < 16


def test_a_run_that_cannot_go_on_is_told_where_it_would_stand(chapter: WalkThinking) -> None:
    asked: list[RunChat] = []
    chapter.asked.connect(asked.append)
    ask(chapter).click()
    chapter.show_run(asked[0], ChatRun("", "Nine.", 3, 0.2))
    chapter.show_run(asked[1], ChatRun("", "", 0, 0.0, problem="The engine stopped."))
    assert seen(chapter, "thinking_figures") == "The engine stopped."
    assert seen(chapter, "quick_answer") == "Nine."
    assert ask(chapter).isEnabled()


def test_another_model_does_not_stand_behind_what_the_first_one_wrote(
    chapter: WalkThinking,
) -> None:
    asked: list[RunChat] = []
    chapter.asked.connect(asked.append)
    ask(chapter).click()
    chapter.show_run(asked[0], ChatRun("", "Nine.", 3, 0.2))
    chapter.show_model("one")
    assert seen(chapter, "quick_answer") == "Nine."
    chapter.show_model("two")
    assert not seen(chapter, "quick_answer")
    assert ask(chapter).isEnabled()


def test_what_is_given_up_in_the_middle_is_not_said_to_be_written(chapter: WalkThinking) -> None:
    asked: list[RunChat] = []
    chapter.asked.connect(asked.append)
    ask(chapter).click()
    assert "written" in seen(chapter, "quick_figures")
    chapter.end()
    assert not any(one.isVisible() for one in chapter.findChildren(OriginLabel))
    ask(chapter).click()
    chapter.show_run(asked[-1], ChatRun("", "Nine.", 2, 0.1, False, ""))
    chapter.end()  # the thinking one is under way
    assert "2 tokens" in seen(chapter, "quick_figures")
    assert not seen(chapter, "thinking_figures")
    assert ask(chapter).isEnabled()
