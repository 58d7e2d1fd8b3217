"""An engine that ends by itself while it is looked into: why, what is kept, and how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QLabel, QLineEdit, QWidget

from desktop.widgets.charts.chance_bars import ChanceBars
from desktop.widgets.token_strip import TokenStrip
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "Once upon a time there was a little"


def end_engine(inside: Inside) -> None:
    (engine,) = (
        child
        for child in psutil.Process().children(recursive=True)
        if "inference.host.server" in child.cmdline()
    )
    engine.kill()


def gone(inside: Inside) -> Callable[[], bool]:
    return lambda: inside.parts.engines.state().status == "stopped"


def test_the_page_says_why_the_engine_is_gone_and_another_text_loads_it_again(
    inside: Inside,
) -> None:
    inside.look_at(TEXT)
    end_engine(inside)
    inside.qtbot.waitUntil(gone(inside), timeout=WAIT_MS)
    words = inside.find(QLabel, "inside_nothing").text()
    assert "Glasshouse Starter Instruct" in words
    assert "memory ran out" in words
    inside.find(QLineEdit, "inside_own_text").setText("The sun was")
    inside.find(QAbstractButton, "inside_look").click()
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.source.request.text == "The sun was"


def test_the_lab_keeps_the_ways_that_were_written_when_the_engine_ended(inside: Inside) -> None:
    inside.look_at(TEXT)
    inside.page.open_view("lab")
    inside.settle()
    inside.find(QAbstractSpinBox, "lab_length").setValue(128)
    run = inside.find(QAbstractButton, "lab_run")
    run.click()
    progress = inside.find(QLabel, "lab_progress")
    inside.qtbot.waitUntil(lambda: "2 of 8" in progress.text(), timeout=WAIT_MS)
    end_engine(inside)
    inside.qtbot.waitUntil(gone(inside), timeout=WAIT_MS)
    inside.find(QAbstractButton, "inside_load_again").click()
    inside.settle()
    assert inside.find(QLabel, "lab_text_greedy").text()
    assert not inside.window.findChildren(QLabel, "lab_text_min_p")
    assert inside.find(QWidget, "lab_measures").isVisible()
    strip: TokenStrip = inside.find(TokenStrip, "lab_steps")
    bars: ChanceBars = inside.find(ChanceBars, "lab_bars")
    assert strip.isVisible()
    assert sum(row.is_chosen for row in bars.chances().rows) == 1
    inside.find(QAbstractSpinBox, "lab_length").setValue(4)
    run.click()
    inside.qtbot.waitUntil(
        lambda: bool(inside.window.findChildren(QLabel, "lab_text_min_p")), timeout=WAIT_MS
    )
    inside.settle()
    inside.page.open_view("next_word")


def test_the_lab_lets_look_at_what_was_written_before_its_page_was_left(inside: Inside) -> None:
    inside.look_at(TEXT)
    inside.page.open_view("lab")
    inside.settle()
    inside.find(QAbstractSpinBox, "lab_length").setValue(128)
    inside.find(QAbstractButton, "lab_run").click()
    progress = inside.find(QLabel, "lab_progress")
    inside.qtbot.waitUntil(lambda: "2 of 8" in progress.text(), timeout=WAIT_MS)
    inside.page.open_view("tokens")
    inside.settle()
    inside.page.open_view("lab")
    inside.settle()
    assert inside.find(QAbstractButton, "lab_stop").isHidden()
    assert inside.find(TokenStrip, "lab_steps").isVisible()
    inside.page.open_view("next_word")
