"""What the views show is of the text and the model in memory, also where both have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from desktop.views.inside.anatomy import AnatomyView
from desktop.views.inside.attention import AttentionView
from desktop.views.inside.change_controls import ChangeControls
from desktop.views.inside.lab import LabView
from desktop.views.inside.next_word import NextWordView
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.notice import Notice
from inference.inside.questions import AskAttention, AskNext
from inference.library.anatomy import anatomy
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop.inside import ReadAnatomy
    from desktop.values import MessageView
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo

TEXT = "Once upon a time there was a little cat"


@pytest.fixture
def own_model(inside: Inside) -> Iterator[ModelInfo]:
    """The model in memory, which comes back afterwards."""
    model = inside.parts.engines.state().model
    assert model is not None
    yield model
    load(inside, model)
    inside.page.open_view("next_word")


def load(inside: Inside, model: ModelInfo) -> None:
    engines = inside.parts.engines
    looked = inside.controller.subject() is not None
    engines.load(model.id)
    inside.qtbot.waitUntil(
        lambda: engines.state().status == "ready" and engines.state().model == model,
        timeout=WAIT_MS,
    )
    if looked:
        inside.settle()


def other_than(inside: Inside, model: ModelInfo) -> ModelInfo:
    """Return the base model of the same engine."""
    rows = [row.info for row in inside.parts.engines.models().rows]
    return next(
        one for one in rows if one.bundled and one.engine == model.engine and one.kind != model.kind
    )


def press(inside: Inside, name: str) -> None:
    inside.qtbot.mouseClick(inside.find(QAbstractButton, name), Qt.MouseButton.LeftButton)


def answered(inside: Inside, text: str) -> MessageView:
    chats = inside.parts.chats
    chats.new_chat()
    chats.send(text)
    return ended(inside)


def ended(inside: Inside) -> MessageView:
    chats = inside.parts.chats
    inside.qtbot.waitUntil(
        lambda: bool(chats.current().messages) and not chats.answering, timeout=WAIT_MS
    )
    return chats.current().messages[-1]


def look(inside: Inside, answer: MessageView, word: str) -> None:
    inside.parts.column.inside_requested.emit(answer.id, word, 0)
    inside.settle()


def test_an_answer_goes_on_with_an_unlikely_word_that_was_drawn(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.page.open_view("next_word")
    answer = answered(inside, "What is a token?")
    look(inside, answer, answer.text.split()[2])
    view = inside.page.open_view("next_word")
    assert isinstance(view, NextWordView)
    inside.settle()
    for name, value in (("temperature", 2.0), ("top_k", 0), ("top_p", 1.0), ("min_p", 0.0)):
        inside.find(QWidget, f"live_{name}_box").setValue(value)
    named = {one.id for one in view._found.top} if view._found is not None else set()
    go_on = inside.find(QWidget, "next_word_continue")
    for share in (1 - 2.0**-n for n in range(4, 50)):  # the tail; half letters offer nothing
        monkeypatch.setattr("random.random", lambda share=share: share)
        press(inside, "next_word_draw")
        inside.settle()
        drawn = next(row for row in inside.bars.chances().rows if row.is_chosen)
        if drawn.token.id not in named and not drawn.token.special and go_on.isVisible():
            break
    monkeypatch.undo()
    assert drawn.token.id not in named
    assert go_on.isVisible()
    subject = inside.controller.subject()
    assert subject is not None
    begun = "".join(one.text for one in subject.tokens[subject.answer_start : subject.chosen])
    press(inside, "next_word_continue")
    assert ended(inside).text.startswith(begun + drawn.token.text)
    inside.window.open_page("inside")


def test_going_on_with_another_word_leads_back_to_the_chat_it_is_of(inside: Inside) -> None:
    chats = inside.parts.chats
    answer = answered(inside, "What is a token?")
    of = chats.current().id
    look(inside, answer, answer.text.split()[1])
    chats.new_chat()
    chats.send("Hello")
    ended(inside)
    other = [message.id for message in chats.current().messages]
    assert chats.current().id != of
    inside.window.open_page("inside")
    inside.bars.place_chosen.emit(1)
    press(inside, "next_word_continue")
    assert chats.current().id == of
    new = ended(inside)
    assert new.id not in {answer.id, *other}
    assert len(chats.current().messages) == 2
    inside.window.open_page("inside")


def test_counting_that_was_given_up_can_be_asked_for_again(inside: Inside) -> None:
    inside.look_at(TEXT)
    inside.page.open_view("tokens")
    press(inside, "tokenizers_run")
    inside.page.open_view("layers")
    inside.settle()
    inside.page.open_view("tokens")
    assert inside.find(QAbstractButton, "tokenizers_run").isEnabled()
    inside.page.open_view("next_word")


def test_parts_that_were_not_read_to_the_end_are_asked_for_again(
    inside: Inside, theme: Theme, own_model: ModelInfo
) -> None:
    subject = inside.controller.subject()
    if subject is None:
        inside.look_at(TEXT)
        subject = inside.controller.subject()
    assert subject is not None
    view = AnatomyView(theme)
    inside.qtbot.addWidget(view)
    asked: list[ReadAnatomy] = []
    view.asked.connect(asked.append)
    view.show_subject(subject)
    view.take(asked[-1], anatomy(own_model))
    load(inside, other_than(inside, own_model))
    other = inside.controller.subject()
    assert other is not None
    view.show_subject(other)
    view.show_subject(other)  # another view was open meanwhile
    paths = [question.path for question in asked]
    assert paths == [own_model.path, other.model.path, other.model.path]


def test_another_model_has_no_head_chosen_and_wrote_nothing_yet(
    inside: Inside, own_model: ModelInfo
) -> None:
    inside.look_at(TEXT)
    lab = inside.page.open_view("lab")
    assert isinstance(lab, LabView)
    inside.find(QWidget, "lab_length").setValue(4)
    press(inside, "lab_run")
    inside.qtbot.waitUntil(
        lambda: inside.find(QWidget, "lab_measures").isVisible(), timeout=WAIT_MS
    )
    inside.settle()
    inside.controller.choose(3)
    told = inside.find(QLabel, "lab_told")
    assert "from another place" in told.text()
    press(inside, "lab_run")
    assert "from another place" not in told.text()
    inside.settle()
    attention = inside.page.open_view("attention")
    assert isinstance(attention, AttentionView)
    inside.settle()
    grid: HeadGrid = inside.find(HeadGrid, "attention_heads")
    inside.qtbot.waitUntil(lambda: grid.place_count() == 16, timeout=WAIT_MS)
    grid.place_chosen.emit(6)
    inside.settle()
    asked: list[object] = []
    inside.page.asked.connect(asked.append)
    load(inside, other_than(inside, own_model))
    first = next(one for one in asked if isinstance(one, AskAttention))
    assert first.heads == "mean"
    assert inside.find(QComboBox, "attention_how").currentData() == "mean"
    inside.page.open_view("lab")
    assert not inside.find(QWidget, "lab_measures").isVisible()
    inside.qtbot.waitUntil(lambda: inside.page.findChild(QLabel, "lab_text_greedy") is None)


def test_a_change_is_called_by_the_word_that_was_put_in(inside: Inside) -> None:
    inside.look_at(TEXT)
    inside.page.open_view("change")
    inside.settle()
    field: QLineEdit = inside.find(QLineEdit, "change_word")
    field.setText("dog")
    press(inside, "change_replace")
    inside.settle()
    field.setText("something else")
    side: ChangeControls = inside.find(ChangeControls, "change_controls")
    side._show_list()
    inside.qtbot.wait(1)
    assert inside.find(QAbstractButton, "change_edit").text().startswith("“dog” instead of")
    press(inside, "change_reset")
    field.clear()
    inside.page.open_view("next_word")


def test_what_was_refused_is_no_longer_said_once_there_is_an_answer(inside: Inside) -> None:
    inside.look_at(TEXT)
    inside.page.open_view("next_word")
    inside.settle()
    notice: Notice = inside.find(Notice, "inside_problem")
    inside.controller.ask(AskNext((), 1))
    inside.settle()
    assert notice.isVisible()
    inside.controller.ask(AskNext((1, 2), 1))
    inside.settle()
    assert not notice.isVisible()


def test_another_text_takes_the_chances_of_the_one_before_away(
    inside: Inside, theme: Theme
) -> None:
    inside.look_at(TEXT)
    subject = inside.controller.subject()
    assert subject is not None
    view = NextWordView(theme)
    inside.qtbot.addWidget(view)
    asked: list[object] = []
    view.asked.connect(asked.append)
    view.show_subject(subject)
    question = AskNext(subject.ids_before, top_n=40, all_logits=True)
    assert question in asked
    found = inside.controller._known[question]
    view.take(question, found)
    assert view._bars.place_count() == 14
    inside.look_at("Other words")
    other = inside.controller.subject()
    assert other is not None
    view.show_subject(other)
    assert view._bars.place_count() == 0
    view._on_settings(subject.source.request.sampling)  # a slider that moves meanwhile
    assert view._bars.place_count() == 0


def test_the_walk_through_opened_while_a_model_loads_keeps_the_text_that_is_looked_at(
    inside: Inside,
) -> None:
    inside.look_at(TEXT)
    inside.parts.engines.unload()
    inside.qtbot.waitUntil(lambda: inside.controller.subject() is None, timeout=WAIT_MS)
    inside.parts.engines.load_default()
    inside.page.open_view("walk")
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.source.title == TEXT
    inside.page.open_view("next_word")
