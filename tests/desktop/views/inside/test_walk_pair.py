"""Base against instruct: where the other half is, which one is missing, and what is offered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from desktop.controllers.pairs import Fetchable, OtherHalf
from desktop.inside import TextSource
from desktop.views.discover_page import DiscoverPage
from desktop.views.inside.walk import WalkView
from desktop.views.inside.walk_pair import WalkPair
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.controls import Button
from inference.inside.questions import AskNext, NextTokens
from inference.types import GenerationRequest, Message
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from desktop.inside import Subject
    from desktop.widgets.theme import Theme
    from inference.types import ModelInfo

_TEXT = "Once upon a time there was a little"
_BUTTONS = ("walk_pair", "walk_pair_alone", "walk_pair_find", "walk_pair_starter")


class Chapter:
    """The chapter beside a model that is not the starter, with a text the starter has read."""

    def __init__(self, inside: Inside, theme: Theme) -> None:
        inside.look_at(_TEXT)
        subject = inside.controller.subject()
        assert subject is not None
        self.starter = subject.model
        self.mine = msgspec.structs.replace(
            subject.model, id="mine", name="Prose 20M Chat", bundled=False
        )
        self.base = msgspec.structs.replace(self.mine, id="base", name="Prose 20M", kind="base")
        self.subject: Subject = replace(subject, model=self.mine)
        self.half = OtherHalf()
        self.asked_of: list[str] = []
        self.view = WalkPair(theme, self._half_of)
        inside.qtbot.addWidget(self.view)

    def _half_of(self, model: ModelInfo) -> OtherHalf:
        self.asked_of.append(model.id)
        return self.half

    def show(self, half: OtherHalf) -> None:
        self.half = half
        self.view.show_subject(self.subject)

    def button(self, name: str) -> Button:
        found = self.view.findChild(Button, name)
        assert found is not None
        return found

    def offered(self) -> set[str]:
        return {name for name in _BUTTONS if not self.button(name).isHidden()}

    def note(self) -> str:
        found = self.view.findChild(QLabel, "walk_pair_note")
        assert found is not None
        return found.text()


@pytest.fixture
def chapter(inside: Inside, theme: Theme) -> Chapter:
    return Chapter(inside, theme)


def test_an_installed_half_is_named_and_one_press_reads_the_same_words_with_it(
    chapter: Chapter, inside: Inside
) -> None:
    chapter.show(OtherHalf(chapter.base, starter=chapter.starter))
    assert chapter.asked_of == ["mine"]
    assert chapter.offered() == {"walk_pair"}
    read = chapter.button("walk_pair")
    assert "base model" in read.text()
    assert "Prose 20M" in read.accessibleDescription()
    with inside.qtbot.waitSignal(chapter.view.model_asked) as asked:
        read.click()
    assert asked.args == ["base"]


def test_a_half_that_is_not_here_is_named_and_the_starter_pair_is_offered_instead(
    chapter: Chapter, inside: Inside
) -> None:
    get = Fetchable("Qwen3 0.6B", "base", "Q8_0", "x", "catalog:qwen3-0.6b")
    chapter.show(OtherHalf(fetchable=get, starter=chapter.starter))
    assert "Qwen3 0.6B (Base, Q8_0)" in chapter.note()
    assert chapter.offered() == {"walk_pair_find", "walk_pair_starter"}
    with inside.qtbot.waitSignal(chapter.view.found_asked) as found:
        chapter.button("walk_pair_find").click()
    assert found.args == [get]
    with inside.qtbot.waitSignal(chapter.view.model_asked) as asked:
        chapter.button("walk_pair_starter").click()
    assert asked.args == [chapter.starter.id]


def test_a_model_without_a_pair_is_said_to_have_none(chapter: Chapter) -> None:
    chapter.show(OtherHalf(starter=chapter.starter))
    assert "No base model" in chapter.note()
    assert "Prose 20M Chat" in chapter.note()
    assert chapter.offered() == {"walk_pair_starter"}


def test_what_one_half_said_stands_beside_the_other_for_the_same_words_only(
    chapter: Chapter, inside: Inside
) -> None:
    found: list[NextTokens] = []
    inside.controller.found.connect(lambda _question, finding: found.append(finding))
    inside.controller.ask(AskNext(chapter.subject.ids_before, 20, all_logits=False))
    inside.qtbot.waitUntil(lambda: bool(found), timeout=WAIT_MS)
    chapter.show(OtherHalf(chapter.base))
    chapter.view.show_next(found[-1])
    other = chapter.view.findChild(ShareBars, "walk_other")
    name = chapter.view.findChild(QLabel, "walk_other_name")
    assert other is not None
    assert name is not None
    assert other.parentWidget().isVisibleTo(chapter.view) is False
    here = chapter.subject
    chapter.half = OtherHalf(chapter.mine)
    chapter.view.show_subject(replace(here, model=chapter.base))
    assert other.isVisibleTo(chapter.view)
    assert other.place_count() == 7
    assert name.text() == "Prose 20M Chat · Instruct"
    chapter.view.show_subject(replace(here, model=chapter.base, chosen=here.chosen - 1))
    assert not other.isVisibleTo(chapter.view)


def test_a_chat_is_read_by_both_as_the_last_message_alone(chapter: Chapter, inside: Inside) -> None:
    messages = (
        Message("user", "Hello"),
        Message("assistant", "Hello."),
        Message("user", "Why is the sky blue?"),
    )
    source = TextSource("A chat", GenerationRequest("x", messages=messages), answer="It")
    chapter.subject = replace(chapter.subject, source=source)
    chapter.show(OtherHalf(chapter.base, starter=chapter.starter))
    assert chapter.offered() == {"walk_pair_alone"}
    assert "chat" in chapter.note()
    with inside.qtbot.waitSignal(chapter.view.words_asked) as asked:
        chapter.button("walk_pair_alone").click()
    assert asked.args == ["Why is the sky blue?"]


def test_the_keyboard_is_on_the_same_button_after_another_model_has_read(inside: Inside) -> None:
    inside.look_at(_TEXT)
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    walk.go_to(10)
    inside.settle()
    read = inside.find(Button, "walk_pair")
    for wanted in ("starter-base", "starter-instruct"):
        read.setFocus(Qt.FocusReason.TabFocusReason)
        inside.qtbot.keyClick(read, Qt.Key.Key_Space)
        inside.qtbot.waitUntil(lambda wanted=wanted: _model(inside) == wanted, timeout=WAIT_MS)
        inside.settle()
        inside.qtbot.waitUntil(lambda: QApplication.focusWidget() is read, timeout=WAIT_MS)
    inside.page.open_view("next_word")


def _model(inside: Inside) -> str:
    subject = inside.controller.subject()
    return "" if subject is None else subject.model.id


def test_the_page_of_the_missing_half_opens_in_discover_at_its_kind_and_version(
    inside: Inside,
) -> None:
    inside.look_at(_TEXT)
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    name, key = "quantfactory-smollm2-135m-q8_0", "catalog:smollm2-135m"
    walk.found_asked.emit(Fetchable("SmolLM2 135M", "base", "Q8_0", name, key))
    page = inside.find(DiscoverPage, "discover_page")
    table = page.detail.table
    inside.qtbot.waitUntil(lambda: table.items.row_of(name) >= 0, timeout=WAIT_MS)
    assert page.isVisible()
    assert page.items.row_of(key) == page.view.currentIndex().row() > 0
    assert table.currentIndex().row() == table.items.row_of(name)
    inside.window.open_page("inside")
    inside.page.open_view("next_word")
