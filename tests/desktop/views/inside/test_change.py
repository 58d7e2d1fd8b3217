"""Change and see, with the starter model in its native form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

from desktop.widgets.charts.share_bars import ShareBars
from desktop.widgets.charts.temperature_line import TemperatureLine
from desktop.widgets.token_strip import TokenStrip
from tests.desktop.views.inside.house import WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desktop.views.inside.house import Inside


@pytest.fixture
def native(inside: Inside) -> Iterator[Inside]:
    """The same weights through PyTorch; the GGUF form comes back afterwards."""
    engines = inside.parts.engines

    def ready(name: str) -> bool:
        state = engines.state()
        return state.status == "ready" and state.model is not None and state.model.id == name

    engines.load("starter-instruct-native")
    inside.qtbot.waitUntil(lambda: ready("starter-instruct-native"), timeout=WAIT_MS)
    yield inside
    inside.page.open_view("next_word")
    engines.load("starter-instruct")
    inside.qtbot.waitUntil(lambda: ready("starter-instruct"), timeout=WAIT_MS)


def sentence(inside: Inside) -> str:
    text: str = inside.find(QLabel, "change_sentence").text()
    return text


def test_a_layer_that_is_off_shows_beside_the_unchanged_run(native: Inside) -> None:
    native.look_at("Once upon a time there was a little")
    native.page.open_view("change")
    before: ShareBars = native.find(ShareBars, "change_before")
    after: ShareBars = native.find(ShareBars, "change_after")
    native.qtbot.waitUntil(lambda: before.place_count() == 8, timeout=WAIT_MS)
    native.settle()
    assert before.table() == after.table()
    assert "Nothing is changed" in sentence(native)
    same = native.find(QLabel, "change_before_text").text()
    assert native.find(QLabel, "change_after_text").text() == same != ""
    kind: QComboBox = native.find(QComboBox, "change_kind")
    kind.setCurrentIndex(kind.findData("block"))
    kind.activated.emit(kind.currentIndex())
    native.find(QComboBox, "change_layer").setCurrentIndex(2)
    native.find(QAbstractButton, "change_add").click()
    native.qtbot.waitUntil(lambda: "bits" in sentence(native), timeout=WAIT_MS)
    assert after.table() != before.table()
    native.find(QAbstractButton, "change_0").click()  # on again
    native.qtbot.waitUntil(lambda: "Nothing is changed" in sentence(native), timeout=WAIT_MS)
    assert after.table() == before.table()


def test_heads_and_looks_can_be_switched_off_and_words_put_in(native: Inside) -> None:
    native.look_at("The little cat sat on the")
    native.page.open_view("change")
    heads: QComboBox = native.find(QComboBox, "change_head")
    native.qtbot.waitUntil(lambda: heads.count() == 4, timeout=WAIT_MS)
    native.settle()
    native.find(QAbstractButton, "change_add").click()  # head 1 of layer 1
    native.qtbot.waitUntil(lambda: "bits" in sentence(native), timeout=WAIT_MS)
    with_head = sentence(native)
    kind: QComboBox = native.find(QComboBox, "change_kind")
    kind.setCurrentIndex(kind.findData("edge"))
    kind.activated.emit(kind.currentIndex())
    native.find(QComboBox, "change_target").setCurrentIndex(2)
    native.find(QAbstractButton, "change_add").click()
    native.qtbot.waitUntil(lambda: sentence(native) != with_head, timeout=WAIT_MS)
    native.find(QAbstractButton, "change_reset").click()
    native.qtbot.waitUntil(lambda: "Nothing is changed" in sentence(native), timeout=WAIT_MS)
    place = native.find(QComboBox, "change_place")
    assert place.currentText().endswith("·the")  # the latest token that is read
    place.setCurrentIndex(3)
    field = native.find(QLineEdit, "change_word")
    field.setText("dog")
    native.find(QAbstractButton, "change_replace").click()
    native.qtbot.waitUntil(lambda: "bits" in sentence(native), timeout=WAIT_MS)


def test_a_line_of_temperatures_steers_each_step_beside_the_unchanged_run(inside: Inside) -> None:
    inside.look_at("Once upon a time there was a little")
    inside.page.open_view("change")
    inside.settle()
    shape: QComboBox = inside.find(QComboBox, "change_shape")
    line: TemperatureLine = inside.find(TemperatureLine, "change_temperatures")
    assert not line.isVisible()
    shape.setCurrentIndex(shape.findData("hot"))
    shape.activated.emit(shape.currentIndex())
    step: QLabel = inside.find(QLabel, "change_step")
    inside.qtbot.waitUntil(lambda: "temperature 1.6" in step.text(), timeout=WAIT_MS)
    assert "temperature 0.7" in step.text()  # the unchanged run's, of the text's own settings
    assert "only what is drawn" in sentence(inside)
    before: ShareBars = inside.find(ShareBars, "change_before")
    after: ShareBars = inside.find(ShareBars, "change_after")
    assert float(after.table()[1][1]) < float(before.table()[1][1])  # hotter is flatter
    strip: TokenStrip = inside.find(TokenStrip, "change_after_steps")
    strip.setFocus()
    for _ in range(4):
        inside.qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert "Step 5 of 16" in step.text()
    assert "temperature 0.2" in step.text()
    written = inside.find(QLabel, "change_after_text").text()
    line.setFocus()
    inside.qtbot.keyClick(line, Qt.Key.Key_Home)
    for _ in range(20):
        inside.qtbot.keyClick(line, Qt.Key.Key_Down)
    assert line.values()[0] == 0
    assert shape.currentData() == "own"
    inside.qtbot.waitUntil(lambda: "Changed: “" in step.text(), timeout=WAIT_MS)
    inside.qtbot.waitUntil(lambda: "is the likeliest" in step.text(), timeout=WAIT_MS)
    inside.settle()
    inside.find(QAbstractButton, "change_draw").click()
    inside.settle()
    again = inside.find(QLabel, "change_after_text")
    inside.qtbot.waitUntil(lambda: again.text() not in {written, "…"}, timeout=WAIT_MS)
    inside.find(QAbstractButton, "change_reset").click()
    inside.qtbot.waitUntil(lambda: "Nothing is changed" in sentence(inside), timeout=WAIT_MS)
    inside.settle()
    inside.page.open_view("next_word")


def test_a_gguf_model_takes_other_words_and_offers_the_form_that_parts_can_be_switched_off_in(
    inside: Inside,
) -> None:
    inside.look_at("The little cat sat on the")
    inside.page.open_view("change")
    inside.settle()
    assert "native form" in inside.find(QLabel, "change_gguf").text()
    assert not inside.find(QAbstractButton, "change_add").isEnabled()
    place: QComboBox = inside.find(QComboBox, "change_place")
    place.setCurrentIndex(3)
    inside.find(QLineEdit, "change_word").setText("dog")
    inside.find(QAbstractButton, "change_replace").click()
    inside.qtbot.waitUntil(lambda: "bits" in sentence(inside), timeout=WAIT_MS)
    edit = inside.find(QAbstractButton, "change_edit")
    assert "“dog” instead of" in edit.text()
    edit.click()
    inside.qtbot.waitUntil(lambda: "Nothing is changed" in sentence(inside), timeout=WAIT_MS)
    inside.settle()
    inside.find(QAbstractButton, "change_native").click()
    engines = inside.parts.engines

    def native() -> bool:
        subject = inside.controller.subject()
        return subject is not None and subject.model.id == "starter-instruct-native"

    inside.qtbot.waitUntil(native, timeout=WAIT_MS)
    inside.settle()
    assert inside.find(QAbstractButton, "change_add").isEnabled()
    assert inside.find(QLabel, "change_gguf").isHidden()
    inside.page.open_view("next_word")
    engines.load("starter-instruct")
    inside.qtbot.waitUntil(lambda: not native() and not inside.controller.busy, timeout=WAIT_MS)
    inside.settle()
