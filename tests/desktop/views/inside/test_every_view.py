"""Every view answers about a word of a chat, with either engine: the starter model, as shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QLabel, QWidget

from desktop.widgets.charts.figure import Figure
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

FIGURES = {
    "next_word": ("next_word_bars", "next_word_strip"),
    "attention": ("attention_map", "attention_heads", "attention_row"),
    "layers": ("lens_table", "update_bars", "vote_bars", "push_lists"),
    "tokens": ("token_text", "token_kinds"),
    "embeddings": ("neighbours", "embedding_map", "context_lines"),
    "anatomy": ("block_stack", "tensor_table"),
    "lab": ("lab_bars", "beam_tree"),
    "change": ("change_before", "change_after"),
    "evaluation": ("evaluation_strip", "evaluation_words", "evaluation_hardest"),
}
PRESSED = {"lab": "lab_run", "evaluation": "evaluation_read"}
STEPS = 10
EMPTY = "Nothing to show yet."


@pytest.fixture(params=["starter-instruct", "starter-instruct-native"], scope="module")
def model(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def asked(inside: Inside, model: str) -> Iterator[Inside]:
    """A chat with the model, looked into at a word in the middle of its answer."""
    engines, chats = inside.parts.engines, inside.parts.chats

    def ready() -> bool:
        state = engines.state()
        return state.status == "ready" and state.model is not None and state.model.id == model

    if not ready():
        inside.page.open_view("next_word")
        engines.load(model)
        inside.qtbot.waitUntil(ready, timeout=WAIT_MS)
    messages = chats.current().messages
    if not messages or inside.controller.subject() is None or not _is_of(inside, model):
        chats.new_chat()
        chats.send("What is a token?")
        inside.qtbot.waitUntil(
            lambda: (
                bool(chats.current().messages) and chats.current().messages[-1].state == "complete"
            ),
            timeout=WAIT_MS,
        )
        answer = chats.current().messages[-1]
        inside.parts.column.inside_requested.emit(answer.id, answer.text.split()[3], 0)
        inside.settle()
    yield inside
    inside.page.open_view("next_word")


def _is_of(inside: Inside, model: str) -> bool:
    subject = inside.controller.subject()
    return subject is not None and subject.model.id == model and bool(subject.source.answer)


def _answered(inside: Inside, name: str) -> bool:
    figure: Figure = inside.find(Figure, name)
    return figure.isVisible() and figure.place_count() > 0


def test_the_figures_below_are_those_of_every_view(inside: Inside) -> None:
    assert {*FIGURES, "walk"} == set(inside.page._entries)


@pytest.mark.parametrize("view", FIGURES)
def test_a_view_answers(asked: Inside, view: str) -> None:
    assert _is_of(asked, asked.parts.engines.state().model.id)  # type: ignore[union-attr]
    asked.page.open_view(view)
    if view == "lab":
        asked.find(QAbstractSpinBox, "lab_length").setValue(4)
    if view in PRESSED:
        asked.qtbot.mouseClick(asked.find(QWidget, PRESSED[view]), Qt.MouseButton.LeftButton)
    for name in FIGURES[view]:
        asked.qtbot.waitUntil(lambda name=name: _answered(asked, name), timeout=WAIT_MS)
        figure: Figure = asked.find(Figure, name)
        assert figure.accessibleName()
        assert figure.accessibleDescription() not in {"", EMPTY, figure.accessibleName()}
        assert len(figure.table()) > 1
    assert not asked.find(QWidget, "inside_problem").isVisible()


def test_the_walk_through_reaches_its_last_step(asked: Inside) -> None:
    asked.page.open_view("walk")
    back = asked.find(QWidget, "walk_back")
    while back.isEnabled():
        asked.qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    seen = 0
    for step in range(1, STEPS + 1):
        assert f"Step {step} of {STEPS}" in asked.find(QLabel, "walk_number").text()
        asked.settle()
        figures = [one for one in asked.page.findChildren(Figure) if one.isVisible()]
        for figure in figures:
            asked.qtbot.waitUntil(lambda one=figure: one.place_count() > 0, timeout=WAIT_MS)
        seen += len(figures)
        assert not asked.find(QWidget, "inside_problem").isVisible()
        asked.qtbot.mouseClick(asked.find(QWidget, "walk_next"), Qt.MouseButton.LeftButton)
    assert seen >= 7
