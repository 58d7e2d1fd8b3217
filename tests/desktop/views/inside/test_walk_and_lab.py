"""The walk-through and the decoding lab, with the starter model in its engine process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import psutil
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QWidget,
)

from desktop.views.inside.walk import WalkView
from desktop.widgets.charts.beam_tree import BeamTreeFigure
from desktop.widgets.charts.chance_bars import ChanceBars
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.token_strip import TokenStrip
from inference.inside.decodings import RunDecodings
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_lab_writes_in_every_way_and_shows_cuts_and_the_tree(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    inside.page.open_view("lab")
    inside.find(QAbstractSpinBox, "lab_length").setValue(6)
    inside.qtbot.mouseClick(inside.find(QWidget, "lab_run"), Qt.MouseButton.LeftButton)
    tree: BeamTreeFigure = inside.find(BeamTreeFigure, "beam_tree")
    run = inside.find(QAbstractButton, "lab_run")
    assert "being written" in run.accessibleDescription()
    inside.qtbot.waitUntil(run.isEnabled, timeout=WAIT_MS)
    inside.settle()
    for name, figures in (
        (name, inside.find(QLabel, f"lab_figures_{name}").text()) for name in ("greedy", "top_p")
    ):
        assert "distinct-1" in figures, name
        assert "distinct-2" in figures
        assert "of 3 repeated" in figures
    assert "Li et al. 2016" in inside.find(QLabel, "lab_measures").text()
    texts = {
        name: inside.find(QLabel, f"lab_text_{name}").text()
        for name in ("greedy", "beam", "contrastive", "top_k", "top_p", "min_p", "cool")
    }
    assert "contrastive" in texts["contrastive"]  # the GGUF engine refuses it by name
    assert not inside.find(QWidget, "lab_way_contrastive").isEnabled()
    assert all(text for text in texts.values())
    assert len(tree.table()) == tree.place_count() + 1
    assert "given up" in tree.sentence()
    bars: ChanceBars = inside.find(ChanceBars, "lab_bars")
    inside.find(QAbstractButton, "lab_way_top_k").click()
    inside.settle()
    assert sum(row.is_chosen for row in bars.chances().rows) == 1
    strip: TokenStrip = inside.find(TokenStrip, "lab_steps")
    before = bars.chances()
    strip.place_chosen.emit(3)
    inside.settle()
    inside.qtbot.waitUntil(lambda: bars.chances() != before, timeout=WAIT_MS)
    drawn = [row for row in bars.chances().rows if row.is_chosen]
    assert drawn[0].drawn > 0  # what was drawn is never cut


def test_another_model_does_not_wait_for_the_lab_to_end(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    inside.page.open_view("lab")
    inside.settle()
    found: list[object] = []
    inside.controller.found.connect(lambda question, _found: found.append(question))
    inside.find(QAbstractSpinBox, "lab_length").setValue(128)
    inside.qtbot.mouseClick(inside.find(QWidget, "lab_run"), Qt.MouseButton.LeftButton)
    assert inside.controller.busy
    inside.parts.engines.load("starter-base")
    inside.qtbot.waitUntil(lambda: model_id(inside) == "starter-base", timeout=WAIT_MS)
    inside.settle()
    assert sum(isinstance(question, RunDecodings) for question in found) < 8
    assert inside.find(QAbstractButton, "lab_run").isEnabled()  # not waiting for what was given up
    inside.parts.engines.load("starter-instruct")
    inside.qtbot.waitUntil(lambda: model_id(inside) == "starter-instruct", timeout=WAIT_MS)
    inside.settle()


def model_id(inside: Inside) -> str:
    subject = inside.controller.subject()
    return "" if subject is None else subject.model.id


def test_the_lab_can_be_stopped_and_keeps_what_is_written(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    inside.page.open_view("lab")
    inside.settle()
    inside.find(QAbstractSpinBox, "lab_length").setValue(64)
    run, stop = (inside.find(QAbstractButton, f"lab_{name}") for name in ("run", "stop"))
    assert stop.isHidden()
    run.click()
    assert not stop.isHidden()
    greedy = []

    def first_is_there() -> bool:
        greedy[:] = inside.window.findChildren(QLabel, "lab_text_greedy")
        progress = inside.find(QLabel, "lab_progress").text()
        return bool(greedy) and "of 8" in progress and not progress.startswith("Greedy")

    inside.qtbot.waitUntil(first_is_there, timeout=WAIT_MS)
    stop.click()
    assert stop.isHidden()
    assert run.isEnabled()
    inside.settle()
    assert greedy[-1].text()
    assert not inside.window.findChildren(QLabel, "lab_text_min_p")
    assert inside.find(ChanceBars, "lab_bars").chances().rows  # its steps can be looked at


def test_the_walk_through_is_finished_with_tab_and_space_alone(inside: Inside) -> None:
    """From the page as it first opens, by somebody who knows two keys."""
    keys = inside.qtbot
    inside.window.activateWindow()  # loading may have taken that from it
    keys.waitUntil(inside.window.isActiveWindow, timeout=WAIT_MS)
    if inside.controller.subject() is not None:  # left by another test
        walk_view = inside.page.open_view("walk")
        assert isinstance(walk_view, WalkView)
        walk_view.go_to(0)
        inside.page.open_view("next_word")
        inside.settle()
        inside.find(QAbstractButton, "inside_own").click()
    else:
        inside.page.focus_text()
    walk = inside.find(QAbstractButton, "inside_walk_start")
    press_until(inside, Qt.Key.Key_Tab, walk.hasFocus)
    keys.keyClick(walk, Qt.Key.Key_Space)
    inside.settle()
    seen, told = [], []
    for _ in range(10):
        inside.settle()
        focus = QApplication.focusWidget()
        assert focus is inside.find(QAbstractButton, "walk_next")
        seen.append(inside.find(QLabel, "walk_name").text())
        told.append(focus.accessibleDescription())
        assert seen[-1] in told[-1]
        keys.keyClick(focus, Qt.Key.Key_Space)
    inside.settle()
    assert len(set(seen)) == 10
    assert told[9].startswith("Step 10 of 10. Append, and again.")
    assert "2,048 pieces" in told[1]
    subject = inside.controller.subject()
    assert subject is not None
    assert f"Your text is {len(subject.ids_before)} pieces" in told[1]
    assert "⟨endoftext⟩, is not yours" in told[1]
    assert "4 times" in told[6]
    assert not any("{" in words for words in told)
    assert inside.find(QLabel, "walk_name").text() == "Base against instruct"
    assert inside.find(QAbstractButton, "walk_back").hasFocus()  # the end; nothing is lost


def press_until(inside: Inside, key: Qt.Key, reached: Callable[[], bool]) -> None:
    for _ in range(60):
        if reached():
            return
        inside.qtbot.keyClick(QApplication.focusWidget() or inside.window, key)
    raise AssertionError("the keyboard does not get there")


def test_each_step_opens_the_view_that_shows_more_at_the_same_place(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    subject = inside.controller.subject()
    assert subject is not None
    opened = []
    for step in range(1, 10):
        walk.go_to(step)
        inside.settle()
        more = inside.find(QAbstractButton, "walk_more")
        named = more.text()
        more.click()
        inside.settle()
        view = inside.page.current_view()
        opened.append(view)
        title = inside.find(QLabel, "inside_title").text()
        assert title in named
        assert inside.controller.subject().chosen == subject.chosen  # type: ignore[union-attr]  it is there
        focus = inside.window.focusWidget()
        assert focus is not None, view
        assert focus.isVisible()
        if view == "attention":
            assert inside.find(QComboBox, "attention_layer").currentText() == "3"
        inside.page.open_view("walk")
        inside.settle()
    assert set(opened) == {"tokens", "embeddings", "attention", "layers", "next_word", "lab"}


def test_the_walk_through_shows_figures_of_each_step_and_appends_a_piece(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    walk.go_to(0)
    inside.settle()
    first = inside.find(QLabel, "walk_name").text()
    seen = [first]
    for _ in range(9):
        focus = QApplication.focusWidget() or inside.window
        inside.qtbot.keyClick(focus, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        inside.settle()
        seen.append(inside.find(QLabel, "walk_name").text())
    assert len(set(seen)) == 10
    assert inside.find(QLabel, "walk_number").text() == "Step 10 of 10"
    assert inside.find(LensTable, "walk_lens").place_count() == 4 * 3
    assert inside.find(ShareBars, "walk_looks").place_count() == 6
    told = {one.text() for one in inside.page.findChildren(QLabel)}
    assert any("“Once upon a time there was a little ___”" in words for words in told)
    scores = inside.find(ShareBars, "walk_scores").table()
    assert scores[0] == ("token", "score", "share")
    assert all(row[0].isprintable() and float(row[1]) for row in scores[1:])
    assert inside.find(ChanceBars, "walk_choice").place_count() == 10
    text = inside.find(QLabel, "walk_again").text()
    assert text.startswith("Once upon a time there was a little")
    assert len(text) > len("Once upon a time there was a little")
    inside.find(QAbstractButton, "walk_append").click()

    def appended() -> bool:
        subject = inside.controller.subject()
        return subject is not None and subject.source.request.text == text

    inside.qtbot.waitUntil(appended, timeout=WAIT_MS)
    inside.settle()


def test_the_last_chapter_sets_base_beside_instruct(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    walk.go_to(10)
    inside.settle()
    mine: ShareBars = inside.find(ShareBars, "walk_mine")
    other: ShareBars = inside.find(ShareBars, "walk_other")
    inside.qtbot.waitUntil(lambda: mine.place_count() == 7, timeout=WAIT_MS)
    before = mine.table()
    inside.find(QAbstractButton, "walk_pair").click()
    inside.qtbot.waitUntil(
        lambda: other.place_count() == 7 and mine.table() != before, timeout=WAIT_MS
    )
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.model.id == "starter-base"
    inside.parts.engines.load("starter-instruct")
    inside.qtbot.waitUntil(
        lambda: (
            (inside.parts.engines.state().model or subject.model).id == "starter-instruct"
            and inside.parts.engines.state().status == "ready"
        ),
        timeout=WAIT_MS,
    )
    inside.settle()
    inside.page.open_view("next_word")


def test_an_engine_that_dies_on_the_way_is_named_and_one_press_goes_on(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    walk.go_to(3)
    inside.settle()
    (engine,) = (
        child
        for child in psutil.Process().children(recursive=True)
        if "inference.host.server" in child.cmdline()
    )
    engine.kill()
    again = inside.find(QAbstractButton, "inside_load_again")
    inside.qtbot.waitUntil(again.isVisible, timeout=WAIT_MS)
    assert "stopped" in inside.find(QLabel, "inside_nothing").text()
    again.click()
    inside.settle()
    assert inside.find(QLabel, "walk_name").text() == "Numbers with a place"
    assert not again.isVisible()
    inside.page.open_view("next_word")


def test_quick_and_thinking_stand_side_by_side_where_the_template_has_the_switch(
    inside: Inside,
) -> None:
    inside.look_at("Once upon a time there was a little")
    walk = inside.page.open_view("walk")
    assert isinstance(walk, WalkView)
    steps: QListView = inside.find(QListView, "walk_steps")
    inside.settle()
    assert steps.isRowHidden(11)  # the starter models do not think
    walk.go_to(11)
    assert inside.find(QLabel, "walk_name").text() == "Base against instruct"
    engines = inside.parts.engines
    info = inside.controller.subject().model  # type: ignore[union-attr]  it is there
    plain = engines.default_options(info)
    engines.load(info.id, msgspec.structs.replace(plain, chat_template=_SWITCHED))
    inside.qtbot.waitUntil(lambda: not steps.isRowHidden(11), timeout=WAIT_MS)
    inside.settle()
    walk.go_to(11)
    assert inside.find(QLabel, "walk_name").text() == "Quick against thinking"
    field = inside.find(QLineEdit, "walk_question")
    assert field.isVisible()
    field.setText("What is a token?")
    ask = inside.find(QAbstractButton, "walk_ask_twice")
    ask.click()
    assert not ask.isEnabled()
    inside.qtbot.waitUntil(ask.isEnabled, timeout=WAIT_MS)
    quick, slow = (
        {part: inside.find(QLabel, f"walk_{name}_{part}").text() for part in _PARTS}
        for name in ("quick", "thinking")
    )
    assert "tokens in" in quick["figures"]
    assert "tokens in" in slow["figures"]
    assert quick["answer"]
    assert not quick["thought"]
    assert slow["thought"].startswith("Thought: ")
    engines.load(info.id, plain)
    inside.qtbot.waitUntil(lambda: steps.isRowHidden(11), timeout=WAIT_MS)
    inside.settle()
    inside.page.open_view("next_word")


_PARTS = ("figures", "thought", "answer")
_SWITCHED = (
    "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\\n' }}{% if enable_thinking %}{{ '<think>' }}{% endif %}{% endif %}"
)
