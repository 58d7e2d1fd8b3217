"""The chip that names the model, and the list it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.values import EngineState, InstalledModel, Models
from desktop.widgets.model_picker import ModelPicker, ModelPopup
from inference.types import ModelInfo

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def info(model_id: str, **facts: str) -> ModelInfo:
    return ModelInfo(model_id, f"Model {model_id}", "/m", "gguf", quantization="Q8_0", **facts)


@pytest.fixture
def picker(qtbot: QtBot, theme: Theme) -> ModelPicker:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(700, 600)
    column = QVBoxLayout(window)
    column.addStretch(1)
    picker = ModelPicker(theme)
    column.addWidget(picker)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    rows = (
        InstalledModel(info("a", kind="base")),
        InstalledModel(info("b", kind="instruct")),
        InstalledModel(info("broken", problem="The file is cut short.")),
    )
    picker.set_models(Models(rows))
    picker._window_kept = window  # keeps the parent alive for the test
    return picker


def popup(picker: ModelPicker) -> ModelPopup:
    found = picker.window().findChild(ModelPopup)
    assert isinstance(found, ModelPopup)
    return found


def press(qtbot: QtBot, key: Qt.Key) -> None:
    qtbot.keyClick(QApplication.focusWidget(), key)


def test_arrows_choose_and_enter_takes(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open_list()
    press(qtbot, Qt.Key.Key_Down)
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        press(qtbot, Qt.Key.Key_Return)
    assert chosen.args == ["b"]
    assert not popup(picker).isVisible()


def test_typing_narrows_the_list_to_what_matches(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open_list()
    qtbot.keyClicks(QApplication.focusWidget(), "instruct")
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        press(qtbot, Qt.Key.Key_Return)
    assert chosen.args == ["b"]


def test_a_model_that_cannot_be_loaded_is_not_taken(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open_list()
    qtbot.keyClicks(QApplication.focusWidget(), "broken")
    with qtbot.assertNotEmitted(picker.model_chosen):
        press(qtbot, Qt.Key.Key_Return)


def test_escape_closes_the_list_and_the_chip_has_the_keyboard_again(
    picker: ModelPicker, qtbot: QtBot
) -> None:
    picker.setFocus()
    picker.open_list()
    press(qtbot, Qt.Key.Key_Escape)
    assert picker.hasFocus()
    assert not popup(picker).isVisible()


def test_the_list_lies_inside_the_window(picker: ModelPicker) -> None:
    picker.open_list()
    shown = popup(picker)
    assert picker.window().rect().contains(shown.ground().translated(shown.pos()))


@pytest.mark.parametrize(
    ("state", "name", "form"),
    [
        (EngineState(), "Model: Choose a model", ""),
        (EngineState("ready", info("a", kind="base")), "Model: Model a", "Base, Q8_0"),
        (EngineState("loading", info("a"), progress=0.38), "Model: Model a", "38\u00a0%"),
        (EngineState("stopped", info("a")), "Model: Model a", "stopped"),
    ],
)
def test_the_chip_says_the_state(
    picker: ModelPicker, state: EngineState, name: str, form: str
) -> None:
    picker.set_engine(state)
    assert (picker.accessibleName(), picker.accessibleDescription()) == (name, form)


def test_escape_on_the_chip_gives_up_loading(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.set_engine(EngineState("loading", info("a")))
    with qtbot.waitSignal(picker.cancel_asked):
        qtbot.keyClick(picker, Qt.Key.Key_Escape)


def test_a_list_without_a_match_says_so(picker: ModelPicker, qtbot: QtBot) -> None:
    picker.open_list()
    words = popup(picker).findChild(QWidget, "model_nothing")
    assert words is not None
    assert not words.isVisible()
    qtbot.keyClicks(QApplication.focusWidget(), "rhubarb")
    assert words.isVisible()
    qtbot.keyClick(
        QApplication.focusWidget(), Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier
    )
    assert not words.isVisible()


def test_a_short_name_leaves_room_for_the_form(picker: ModelPicker) -> None:
    picker.set_engine(EngineState("ready", ModelInfo("x", "x", "/x", "gguf", quantization="F32")))
    picker.resize(picker.sizeHint())
    short = picker.grab().toImage()
    picker.set_engine(EngineState("ready", ModelInfo("x", "x", "/x", "gguf", quantization="Q80")))
    picker.resize(picker.sizeHint())
    assert picker.grab().toImage() != short
