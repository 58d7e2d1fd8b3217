"""The walk-through and the decoding lab, with the starter model in its engine process."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QWidget,
)

from desktop.inside import RunDecodings
from desktop.views.inside.walk import WalkView
from desktop.widgets.charts.beam_tree import BeamTreeFigure
from desktop.widgets.charts.chance_bars import ChanceBars
from desktop.widgets.charts.lens_table import LensTable
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.token_strip import TokenStrip
from tests.desktop.views.inside.house import WAIT_MS, Inside


def test_the_lab_writes_in_every_way_and_shows_cuts_and_the_tree(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a")
    inside.page.open_view("lab")
    inside.find(QAbstractSpinBox, "lab_length").setValue(6)
    inside.qtbot.mouseClick(inside.find(QWidget, "lab_run"), Qt.MouseButton.LeftButton)
    tree: BeamTreeFigure = inside.find(BeamTreeFigure, "beam_tree")
    inside.qtbot.waitUntil(lambda: tree.place_count() > 0, timeout=WAIT_MS)
    inside.settle()
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
    assert not any(isinstance(question, RunDecodings) for question in found)
    inside.parts.engines.load("starter-instruct")
    inside.qtbot.waitUntil(lambda: model_id(inside) == "starter-instruct", timeout=WAIT_MS)
    inside.settle()


def model_id(inside: Inside) -> str:
    subject = inside.controller.subject()
    return "" if subject is None else subject.model.id


def test_the_walk_through_can_be_gone_with_keys_and_appends_a_piece(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    inside.page.open_view("walk")
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
