"""Transcript and composer together: what controllers say is shown, what a person does is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from desktop.values import AnswerStats, ChatDetail, EngineState, MessageView, Problem
from desktop.views.chat_column import ChatColumn
from desktop.widgets import fonts
from desktop.widgets.theme import Theme
from desktop.widgets.theme_manager import Appearance, ThemeManager
from inference.types import LoadOptions, ModelInfo, ModelKind, SamplingParams

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def message(name: str, text: str = "", chat: str = "one", **more: object) -> MessageView:
    role = "user" if name.startswith("u") else "assistant"
    return MessageView(name, chat, role, text, model_name="Model", **more)  # type: ignore[arg-type]


def chat(name: str, *messages: MessageView) -> ChatDetail:
    return ChatDetail(name, "Title", messages, "m", "", SamplingParams())


def engine(kind: ModelKind = "instruct", *, bundled: bool = True) -> EngineState:
    model = ModelInfo("m", "Starter", "/m", "gguf", kind=kind, bundled=bundled)
    return EngineState("ready", model)


def press(parent: QWidget, name: str) -> None:
    button = parent.findChild(QAbstractButton, name)
    assert button is not None, name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def words(parent: QWidget, name: str) -> str:
    label = parent.findChild(QLabel, name)
    assert label is not None, name
    return label.text()


@pytest.fixture
def column(qtbot: QtBot) -> ChatColumn:
    fonts.load_start_faces()
    column = ChatColumn(Theme.load("light"))
    qtbot.addWidget(column)
    column.resize(900, 640)
    column.set_engine(engine())
    column.open_chat(chat("one"))
    column.show()
    qtbot.waitExposed(column)
    return column


def test_an_empty_chat_offers_what_the_starter_model_can_do(
    column: ChatColumn, qtbot: QtBot
) -> None:
    assert "not for facts" in words(column, "welcome_text")
    assert not column.transcript.isVisible()
    with qtbot.waitSignal(column.send_requested) as sent:
        press(column, "suggestion_0")
    assert sent.args == ["Why is the sky blue?"]
    column.add_message(message("u1", "Why is the sky blue?"))
    assert column.transcript.isVisible()
    assert column.composer.text() == ""
    assert column.findChild(QWidget, "welcome").isHidden()  # type: ignore[union-attr]


def test_the_greeting_says_ready_only_when_the_model_is(column: ChatColumn) -> None:
    model = engine().model
    for status, is_ready in (("loading", False), ("ready", True), ("stopped", False)):
        column.set_engine(EngineState(status, model))
        assert ("is ready" in words(column, "welcome_title")) is is_ready
    column.set_engine(EngineState())
    assert words(column, "welcome_title") == "Choose a model to begin."


def test_what_was_not_taken_stays_in_the_composer(column: ChatColumn) -> None:
    column.composer.set_text("Hello there")
    QTest.keyClick(column.composer.field, Qt.Key.Key_Return)
    assert column.composer.text() == "Hello there"
    column.add_message(message("u1", "Hello there"))
    assert column.composer.text() == ""


def test_drafts_stay_with_their_chat(column: ChatColumn) -> None:
    column.composer.set_text("half a thought")
    column.open_chat(chat("two", message("u7", "x", "two")))
    assert column.composer.text() == ""
    column.composer.set_text("other")
    column.open_chat(chat("one"))
    assert column.composer.text() == "half a thought"
    column.open_chat(chat("two", message("u7", "x", "two")))
    assert column.composer.text() == "other"


def test_a_message_of_another_chat_is_not_shown(column: ChatColumn) -> None:
    column.open_chat(chat("one", message("u1", "Hi")))
    column.add_message(message("u9", "Elsewhere", "two"))
    assert column.transcript.message_ids() == ("u1",)


def test_an_answer_streams_stops_and_continues(column: ChatColumn, qtbot: QtBot) -> None:
    column.open_chat(chat("one", message("u1", "Hi")))
    column.add_message(message("a1", state="waiting"))
    column.set_answering(True)
    column.append_text("a1", "Hello ")
    column.append_text("a1", "you")
    shown = column.transcript.widget_of("a1")
    assert shown is not None
    assert shown.body.words() == "Hello you"
    with qtbot.waitSignal(column.stop_requested):
        QTest.keyClick(column.composer.field, Qt.Key.Key_Escape)
    column.change_message(message("a1", "Hello you", state="stopped"))
    column.set_answering(False)
    with qtbot.waitSignal(column.continue_requested) as asked:
        press(column, "continue_link")
    assert asked.args == ["a1"]
    assert not column.press_escape()


def test_an_edit_makes_a_request_and_gives_the_draft_back(column: ChatColumn, qtbot: QtBot) -> None:
    column.open_chat(chat("one", message("u1", "Frist"), message("a1", "Answer")))
    column.composer.set_text("a draft")
    column.transcript.edit_requested.emit("u1")
    assert column.composer.text() == "Frist"
    assert column.press_escape()
    assert column.composer.text() == "a draft"
    column.transcript.edit_requested.emit("u1")
    column.composer.set_text("First")
    with qtbot.waitSignal(column.edit_requested) as asked:
        QTest.keyClick(column.composer.field, Qt.Key.Key_Return)
    assert asked.args == ["u1", "First"]
    assert column.composer.text() == "a draft"


def test_a_base_model_is_explained_and_takes_text_to_continue(column: ChatColumn) -> None:
    column.set_engine(engine("base"))
    assert "does not answer" in words(column, "welcome_text")
    assert column.composer.field.accessibleName() == "Text to continue"
    column.open_chat(chat("two", message("u1", "Once", "two")))
    note = column.findChild(QWidget, "base_note")
    assert note is not None
    assert note.isVisible()
    column.set_engine(engine("instruct"))
    assert not note.isVisible()
    assert column.composer.field.accessibleName() == "Message Starter"


def test_without_a_model_send_says_to_choose_one(column: ChatColumn) -> None:
    column.set_engine(EngineState())
    column.composer.set_text("Hello")
    send = column.findChild(QAbstractButton, "send")
    assert send is not None
    assert not send.isEnabled()
    assert send.accessibleDescription() == "Choose a model first."
    assert not [
        b
        for b in column.findChildren(QAbstractButton)
        if "suggestion" in b.objectName() and not b.isHidden()
    ]


def test_stats_show_in_the_meter_and_stay_with_their_chat(column: ChatColumn) -> None:
    stats = AnswerStats(context_used=50, context_total=200)
    column.set_stats(stats)
    assert column.composer.meter.isVisible()
    column.set_engine(engine())  # the engine is ready again after its answer
    assert "50" in column.composer.meter.accessibleName()
    column.open_chat(chat("two", message("u1", "Hi", "two")))
    assert "50" not in column.composer.meter.accessibleName()
    column.open_chat(chat("one", message("u1"), message("a1", "Done", stats=stats)))
    assert "50" in column.composer.meter.accessibleName()


@pytest.mark.parametrize("width", [420, 640, 900, 1500])
def test_messages_and_composer_share_one_column_at_any_width(
    column: ChatColumn, qtbot: QtBot, width: int
) -> None:
    column.resize(width, 640)
    column.open_chat(chat("one", message("u1", "Go"), message("a1", "words " * 200)))
    qtbot.wait(30)
    shown = column.transcript.widget_of("a1")
    assert shown is not None
    left = shown.mapTo(column, shown.body.pos()).x() + 8 + shown.body.flow.left
    composer = column.composer.mapTo(column, column.composer.rect().topLeft()).x()
    assert abs(left - composer) <= 1
    assert column.composer.width() == min(640, width - 48)
    assert not column.transcript.horizontalScrollBar().isVisible()


def test_the_manager_s_theme_is_followed(qtbot: QtBot, qapp: QApplication) -> None:
    manager = ThemeManager(qapp, Appearance("light"))
    column = ChatColumn(manager)
    qtbot.addWidget(column)
    column.open_chat(chat("one", message("u1", "Hi")))
    column.resize(600, 400)
    column.show()
    manager.set_appearance(Appearance("dark"))
    qtbot.wait(30)
    dark = Theme.load("dark").page
    assert column.grab().toImage().pixelColor(3, 3) == dark
    manager.set_appearance(Appearance("light"))
    manager.deleteLater()


def test_a_model_that_rests_is_said_between_hairlines_and_comes_back(column: ChatColumn) -> None:
    line = column.findChild(QWidget, "rest_line")
    assert line is not None
    assert line.isHidden()
    model = engine().model
    column.set_engine(EngineState("none", model, rested_min=15))
    assert line.isVisible()
    assert line.accessibleName() == (
        "Starter was unloaded after 15\u00a0minutes without use. Your next message loads it again."
    )
    column.set_engine(engine())
    assert line.isHidden()


def test_a_smaller_way_leads_where_memory_ran_out(column: ChatColumn, qtbot: QtBot) -> None:
    options = LoadOptions("/m", "gguf", n_ctx=8192)
    problem = Problem(
        "No room.", "It is full.", offers=("load_smaller", "choose_model"), smaller=options,
        smaller_words="Load with 8,192 tokens",
    )  # fmt: skip
    model = engine().model
    column.set_engine(EngineState("stopped", model, problem=problem))
    button = column.findChild(QAbstractButton, "engine_note_load_smaller")
    assert button is not None
    assert button.text() == "Load with 8,192 tokens"
    assert button.property("kind") == "main"
    with qtbot.waitSignal(column.engine_offer_taken) as taken:
        press(column, "engine_note_load_smaller")
    assert taken.args == ["load_smaller"]
    column.set_engine(EngineState("stopped", model, problem=Problem("Other.", "Things.")))
    assert not button.isVisible()
