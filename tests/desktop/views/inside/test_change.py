"""Change and see, with the starter model in its native form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

from desktop.widgets.charts.share_bars import ShareBars
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
    native.find(QComboBox, "change_place").setCurrentIndex(3)
    field = native.find(QLineEdit, "change_word")
    field.setText("dog")
    native.find(QAbstractButton, "change_replace").click()
    native.qtbot.waitUntil(lambda: "bits" in sentence(native), timeout=WAIT_MS)


def test_a_gguf_model_says_why_nothing_can_be_switched_off(inside: Inside) -> None:
    inside.look_at("Once upon a time")
    inside.page.open_view("change")
    assert "native form" in sentence(inside)
    assert not inside.find(QAbstractButton, "change_add").isEnabled()
    inside.page.open_view("next_word")
