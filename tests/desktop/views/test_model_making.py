"""The part of a model's page that makes another version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QPushButton, QWidget

from desktop.controllers.making import Making
from desktop.values import InstalledModel, Problem
from desktop.views.model_making import ModelMaking
from desktop.widgets import formatting
from desktop.widgets.theme import Theme, apply_theme
from inference.types import ModelInfo

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

FOLDER = ModelInfo(
    "two", "Two", "/m/two", "native", parameters=1_000_000_000, quantization="bfloat16"
)
WHOLE = ModelInfo("one", "One", "/m/one.gguf", "gguf", parameters=1_000_000_000, quantization="F16")
REDUCED = ModelInfo(
    "less", "Less", "/m/less.gguf", "gguf", parameters=1_000_000_000, quantization="Q8_0"
)


@pytest.fixture
def making(qtbot: QtBot, theme: Theme) -> ModelMaking:
    part = ModelMaking(theme)
    apply_theme(part, theme)
    qtbot.addWidget(part)
    part.resize(700, 300)
    part.show_model(InstalledModel(FOLDER))
    part.show()
    return part


def find(part: QWidget, name: str) -> Any:
    found = part.findChild(QWidget, name)
    assert found is not None, name
    return found


def said(part: QWidget, name: str) -> str:
    found = find(part, name)
    assert isinstance(found, QLabel)
    return found.text()


def types(part: QWidget) -> list[str]:
    combo = find(part, "making_type")
    assert isinstance(combo, QComboBox)
    return [combo.itemText(index) for index in range(combo.count())]


def test_a_folder_can_also_become_a_file_as_it_is(making: ModelMaking) -> None:
    assert types(making)[:2] == ["BF16", "Q8_0"]
    assert find(making, "making_type").currentText() == "Q4_K_M"
    size = formatting.size(612_500_000)
    words = f"Good, as a GGUF file: about {size}, derived. This one stays as it is."
    assert find(making, "making_row_help").text() == words
    find(making, "making_type").setCurrentText("BF16")
    size = formatting.size(2_000_000_000)
    assert f"The original, as a GGUF file: about {size}" in find(making, "making_row_help").text()


def test_a_whole_file_can_become_smaller_and_a_reduced_one_offers_nothing(
    making: ModelMaking,
) -> None:
    making.show_model(InstalledModel(WHOLE))
    assert types(making)[0] == "Q8_0"
    assert making.isVisible()
    making.show_model(InstalledModel(REDUCED))
    assert not making.isVisible()


def test_the_choice_is_asked_for(making: ModelMaking, qtbot: QtBot) -> None:
    find(making, "making_type").setCurrentText("Q6_K")
    button = find(making, "making_make")
    assert isinstance(button, QPushButton)
    with qtbot.waitSignal(making.make_asked) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["Q6_K"]


def test_the_work_shows_how_far_it_is_and_can_be_stopped(making: ModelMaking, qtbot: QtBot) -> None:
    making.show_making(Making("two", "Q4_K_M", 0.42))
    bar = find(making, "making_progress")
    assert isinstance(bar, QProgressBar)
    assert bar.value() == 420
    assert said(making, "making_share") == formatting.percent(0.42)
    assert not find(making, "making_make").isVisible()
    with qtbot.waitSignal(making.cancel_asked):
        qtbot.mouseClick(find(making, "making_cancel"), Qt.MouseButton.LeftButton)
    making.show_making(Making("two", "Q4_K_M"))
    assert find(making, "making_make").isVisible()
    assert not bar.isVisible()
    assert not find(making, "making_result").isVisible()


def test_one_at_a_time(making: ModelMaking) -> None:
    making.show_making(Making("other", "Q4_K_M", 0.5))
    button = find(making, "making_make")
    assert button.isVisible()
    assert "another model" in button.toolTip()
    assert not find(making, "making_progress").isVisible()


def test_the_end_is_told_where_it_was_begun(making: ModelMaking) -> None:
    making.show_making(Making("two", "Q4_K_M", path="/m/two-Q4_K_M.gguf", notes=("A note.",)))
    assert said(making, "making_result_title") == "The new version is in the list."
    assert said(making, "making_result_text").endswith("two-Q4_K_M.gguf A note.")
    problem = Problem("It was not made.", "Too full.", "Free some.", can_retry=False)
    making.show_making(Making("two", "Q4_K_M", problem=problem))
    assert said(making, "making_result_title") == "It was not made."
    assert said(making, "making_result_text") == "Too full. Free some."
    making.show_model(InstalledModel(WHOLE))
    assert not find(making, "making_result").isVisible()
