"""The Attention view in the real window, with the starter model in its engine process."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from desktop.views.inside.attention_bar import AttentionBar, Choice
from desktop.widgets.charts.head_grid import HeadGrid
from desktop.widgets.charts.heat_map import HeatMap
from desktop.widgets.charts.look_lines import LookLines
from desktop.widgets.charts.product_rows import ProductRows
from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.inputs import Slider
from tests.desktop.views.inside.house import WAIT_MS, Inside


def test_attention_shows_a_head_a_token_s_looks_and_a_part_of_the_text(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 6)
    inside.page.open_view("attention")
    inside.settle()
    heat: HeatMap = inside.find(HeatMap, "attention_map")
    grid: HeadGrid = inside.find(HeadGrid, "attention_heads")
    row: ShareBars = inside.find(ShareBars, "attention_row")
    inside.qtbot.waitUntil(lambda: row.place_count() == 6, timeout=WAIT_MS)
    assert grid.place_count() == 16
    assert heat.window_shown[2:] == (32, 32)
    grid.place_chosen.emit(6)  # layer 2, head 3
    inside.settle()
    assert inside.find(QComboBox, "attention_how").currentData() == "one"
    assert inside.find(QComboBox, "attention_layer").currentText() == "2"
    assert inside.find(QComboBox, "attention_head").currentText() == "3"
    sums = [sum(float(cell) for cell in line[1:]) for line in heat.table()[1:]]
    assert all(0 < total <= 1.0001 for total in sums)
    heat.mouseDoubleClickEvent(None)  # type: ignore[arg-type]  it does not look at it
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    total = len(subject.tokens)
    assert heat.window_shown == (0, 0, total, total)
    whole = [sum(float(cell) for cell in line[1:]) for line in heat.table()[1:]]
    assert whole == pytest.approx([1.0] * total, abs=1e-3)
    heat.setFocus()
    inside.qtbot.keyClick(heat, Qt.Key.Key_Down)
    inside.qtbot.keyClick(heat, Qt.Key.Key_Return)
    now = inside.controller.subject()
    assert now is not None
    assert now.chosen == 1
    assert "→" in heat.accessibleDescription()
    how = inside.find(QComboBox, "attention_how")
    how.activated.emit(how.findData("rollout"))
    inside.settle()
    assert heat.place_count() == total * total
    inside.page.open_view("next_word")


def test_lines_tell_where_each_token_looks(inside: Inside) -> None:
    inside.look_at("One two three four five")
    inside.page.open_view("attention")
    inside.settle()
    inside.qtbot.mouseClick(
        inside.find(QWidget, "attention_shape_lines"), Qt.MouseButton.LeftButton
    )
    lines: LookLines = inside.find(LookLines, "attention_lines")
    subject = inside.controller.subject()
    assert subject is not None
    inside.qtbot.waitUntil(lambda: lines.place_count() == len(subject.tokens), timeout=WAIT_MS)
    few = len(lines.table())
    inside.find(Slider, "attention_threshold").setValue(50)
    assert 1 < len(lines.table()) < few
    lines.set_mark(3)
    assert "looks at" in lines.accessibleDescription()
    inside.page.open_view("next_word")


def test_lines_show_single_tokens_of_a_long_text_and_leave_the_heat_map_its_part(
    inside: Inside,
) -> None:
    inside.look_at("The sky is blue because air scatters blue light. " * 9)
    inside.page.open_view("attention")
    inside.settle()
    heat: HeatMap = inside.find(HeatMap, "attention_map")
    lines: LookLines = inside.find(LookLines, "attention_lines")
    subject = inside.controller.subject()
    assert subject is not None
    total = len(subject.tokens)
    assert total > 64
    inside.qtbot.mouseClick(inside.find(QWidget, "attention_whole"), Qt.MouseButton.LeftButton)
    inside.qtbot.waitUntil(lambda: heat.window_shown == (0, 0, total, total), timeout=WAIT_MS)
    inside.qtbot.mouseClick(inside.find(QWidget, "attention_closer"), Qt.MouseButton.LeftButton)
    half = round(total / 2)
    inside.qtbot.waitUntil(lambda: heat.window_shown[2:] == (half, half), timeout=WAIT_MS)
    inside.qtbot.mouseClick(inside.find(QWidget, "attention_whole"), Qt.MouseButton.LeftButton)
    inside.qtbot.mouseClick(
        inside.find(QWidget, "attention_shape_lines"), Qt.MouseButton.LeftButton
    )
    inside.qtbot.waitUntil(lambda: lines.place_count() == 48, timeout=WAIT_MS)
    assert lines.first == total - 48
    inside.qtbot.mouseClick(inside.find(QWidget, "attention_shape_map"), Qt.MouseButton.LeftButton)
    inside.page.open_view("next_word")


def test_all_heads_are_shown_large_and_a_chosen_one_opens(inside: Inside) -> None:
    inside.look_at("The sky is blue")
    inside.page.open_view("attention")
    inside.settle()
    inside.qtbot.mouseClick(inside.find(QWidget, "attention_shape_all"), Qt.MouseButton.LeftButton)
    grid: HeadGrid = inside.find(HeadGrid, "attention_all_heads")
    heat: HeatMap = inside.find(HeatMap, "attention_map")
    inside.qtbot.waitUntil(lambda: grid.place_count() == 16, timeout=WAIT_MS)
    assert heat.isHidden() or not heat.isVisible()
    grid.setFocus()
    inside.qtbot.keyClick(grid, Qt.Key.Key_End)
    inside.qtbot.keyClick(grid, Qt.Key.Key_Return)
    inside.settle()
    assert heat.isVisible()
    assert inside.find(QComboBox, "attention_layer").currentText() == "4"
    assert inside.find(QComboBox, "attention_head").currentText() == "4"
    inside.page.open_view("next_word")


def test_the_attention_sink_is_measured_over_the_whole_text(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters")
    inside.page.open_view("attention")
    inside.settle()
    habits = inside.find(QLabel, "attention_habits")
    inside.qtbot.waitUntil(lambda: "attention sink" in habits.text(), timeout=WAIT_MS)
    assert "Over the whole text" in habits.text()
    how = inside.find(QComboBox, "attention_how")
    how.activated.emit(how.findData("rollout"))
    inside.qtbot.waitUntil(habits.isHidden, timeout=WAIT_MS)
    how.activated.emit(how.findData("mean"))
    inside.qtbot.waitUntil(lambda: not habits.isHidden(), timeout=WAIT_MS)
    inside.page.open_view("next_word")


def test_the_shortest_text_has_attention_too(inside: Inside) -> None:
    inside.look_at("a")
    inside.page.open_view("attention")
    inside.settle()
    heat: HeatMap = inside.find(HeatMap, "attention_map")
    subject = inside.controller.subject()
    assert subject is not None
    total = len(subject.tokens)
    assert total == 2
    inside.qtbot.waitUntil(lambda: heat.place_count() == total * total, timeout=WAIT_MS)
    summary = inside.find(QLabel, "attention_summary")
    inside.qtbot.waitUntil(lambda: "on itself" in summary.text(), timeout=WAIT_MS)
    inside.page.open_view("next_word")


def test_scores_show_what_the_looks_of_a_token_are_made_of(inside: Inside) -> None:
    inside.look_at("The sky is blue because air scatters light")
    inside.page.open_view("attention")
    inside.settle()
    inside.qtbot.mouseClick(
        inside.find(QWidget, "attention_shape_scores"), Qt.MouseButton.LeftButton
    )
    scores: ProductRows = inside.find(ProductRows, "attention_scores")
    how = inside.find(QComboBox, "attention_how")
    assert how.currentData() == "one"  # an average has no scores
    subject = inside.controller.subject()
    assert subject is not None
    total = len(subject.tokens)

    def shown() -> int:
        return len(scores.table()) - 1

    inside.qtbot.waitUntil(lambda: shown() == total, timeout=WAIT_MS)
    row: ShareBars = inside.find(ShareBars, "attention_row")
    inside.settle()
    best = max(float(line[2]) for line in scores.table()[1:])
    assert best == pytest.approx(float(row.table()[1][1]), abs=1e-5)
    inside.controller.choose(3)
    inside.qtbot.waitUntil(lambda: shown() == 4, timeout=WAIT_MS)
    how.activated.emit(how.findData("mean"))
    inside.settle()
    assert not scores.isVisible()
    assert inside.find(HeatMap, "attention_map").isVisible()
    inside.page.open_view("next_word")


def test_in_a_narrow_place_the_shapes_go_into_a_second_line_and_can_be_read(inside: Inside) -> None:
    inside.page.open_view("attention")
    inside.settle()
    bar: AttentionBar = inside.window.findChild(AttentionBar)
    bar.choose(Choice("one", 1, 1))
    shapes = inside.find(QWidget, "attention_shape")
    how = inside.find(QWidget, "attention_how")
    before = inside.window.size()
    for width, same_line in ((1600, True), (980, False)):
        inside.window.resize(width, 700)
        inside.qtbot.waitUntil(lambda wide=width: inside.window.width() == wide)
        inside.settle()
        tops = [widget.mapTo(bar, QPoint(0, 0)).y() for widget in (how, shapes)]
        assert (abs(tops[0] - tops[1]) < 8) is same_line
        assert shapes.width() >= shapes.sizeHint().width()
        assert shapes.mapTo(bar, QPoint(0, 0)).y() + shapes.height() <= bar.height()
    inside.window.resize(before)
    inside.page.open_view("next_word")
