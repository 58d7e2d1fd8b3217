"""The composer: Enter, lines, drafts, reasons, Stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QInputMethodEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from desktop.widgets import fonts
from desktop.widgets.composer import Composer
from desktop.widgets.theme import Theme

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@pytest.fixture
def composer(qtbot: QtBot) -> Composer:
    fonts.load_start_faces()
    composer = Composer(Theme.load("light"))
    qtbot.addWidget(composer)
    composer.resize(640, composer.sizeHint().height())
    composer.show()
    qtbot.waitExposed(composer)
    return composer


def button(composer: Composer, name: str) -> QAbstractButton:
    found = composer.findChild(QAbstractButton, name)
    assert found is not None
    return found


def test_enter_sends_and_shift_enter_starts_a_line(composer: Composer, qtbot: QtBot) -> None:
    QTest.keyClicks(composer.field, "one")
    QTest.keyClick(composer.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(composer.field, "two")
    with qtbot.waitSignal(composer.send_requested) as sent:
        QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert sent.args == ["one\ntwo"]
    assert composer.text() == "one\ntwo"  # it stays until it was taken
    composer.take("one\ntwo")
    assert composer.text() == ""


def test_send_says_why_it_is_off(composer: Composer, qtbot: QtBot) -> None:
    send = button(composer, "send")
    assert not send.isEnabled()
    assert send.toolTip() == send.accessibleDescription() == "Write something first."
    with qtbot.assertNotEmitted(composer.send_requested):
        QTest.keyClick(composer.field, Qt.Key.Key_Return)
    composer.set_text("hello")
    assert send.isEnabled()
    composer.set_off_reason("Choose a model first.")
    assert not send.isEnabled()
    assert send.accessibleDescription() == "Choose a model first."


def test_stop_takes_the_place_of_send_while_an_answer_comes(
    composer: Composer, qtbot: QtBot
) -> None:
    composer.set_text("next")
    composer.set_answering(True)
    assert not button(composer, "send").isVisible()
    with qtbot.assertNotEmitted(composer.send_requested):
        QTest.keyClick(composer.field, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.stop_requested):
        QTest.mouseClick(button(composer, "stop"), Qt.MouseButton.LeftButton)
    composer.set_answering(False)
    assert button(composer, "send").isVisible()
    assert composer.text() == "next"


def test_the_field_grows_from_one_to_ten_lines(composer: Composer) -> None:
    line = composer.field.height()
    composer.set_text("a\nb\nc")
    assert composer.field.height() == 3 * line
    composer.set_text("\n".join("word" for _ in range(40)))
    assert composer.field.height() == 10 * line
    composer.set_text("word " * 60)
    assert line < composer.field.height() < 10 * line
    composer.set_text("")
    assert composer.field.height() == line


def test_undo_brings_typed_words_back_but_not_an_earlier_draft(composer: Composer) -> None:
    composer.set_text("draft")
    QTest.keySequence(composer.field, QKeySequence(QKeySequence.StandardKey.Undo))
    assert composer.text() == "draft"
    composer.field.selectAll()
    QTest.keyClick(composer.field, Qt.Key.Key_Delete)
    assert composer.text() == ""
    QTest.keySequence(composer.field, QKeySequence(QKeySequence.StandardKey.Undo))
    assert composer.text() == "draft"


def test_composed_letters_are_committed_as_text(composer: Composer) -> None:
    composer.field.setFocus()
    pending = QInputMethodEvent("に", [])
    QApplication.sendEvent(composer.field, pending)
    assert composer.text() == ""
    composer.field.viewport().grab()
    commit = QInputMethodEvent()
    commit.setCommitString("日本")
    QApplication.sendEvent(composer.field, commit)
    assert composer.text() == "日本"


def test_pasted_text_comes_without_its_looks(composer: Composer) -> None:
    data = QMimeData()
    data.setHtml("<h1>Big</h1>")
    data.setText("Big\nsmall")
    composer.field.insertFromMimeData(data)
    assert composer.text() == "Big\nsmall"
    assert composer.field.height() == 52


def test_the_meter_says_how_much_of_the_context_is_used(composer: Composer) -> None:
    assert not composer.meter.isVisible()
    composer.meter.set_use(1912, 8192)
    assert composer.meter.isVisible()
    assert "1" in composer.meter.accessibleName()
    wide = composer.meter.sizeHint().width()
    composer.resize(400, composer.height())
    assert composer.meter.sizeHint().width() < wide


def test_the_picker_stands_in_the_row_and_in_the_order_of_tab(composer: Composer) -> None:
    picker = QPushButton("Model")
    composer.set_picker(picker)
    composer.set_text("x")
    composer.show()
    composer.field.setFocus()
    assert picker.x() < composer.width() / 2
    QTest.keyClick(composer.field, Qt.Key.Key_Tab)
    assert composer.text() == "x"  # Tab moves on instead of writing
    assert composer.field.nextInFocusChain() is not None
    assert picker.parent() is composer
