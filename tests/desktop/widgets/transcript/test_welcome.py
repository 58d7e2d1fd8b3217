"""Suggestions stand in a row where they fit, whatever stood there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QBoxLayout

from desktop.values import EngineState
from desktop.widgets.controls import Button
from desktop.widgets.transcript.welcome import Suggestions
from inference.types import ModelInfo

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme
    from inference.types import ModelKind


def test_another_models_suggestions_stand_in_a_row_at_once(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    shown = Suggestions(theme)
    qtbot.addWidget(shown)
    kinds: tuple[ModelKind, ...] = ("instruct", "base")
    for kind in kinds:
        model = ModelInfo(f"starter-{kind}", "Starter", str(tmp_path), "gguf", kind, bundled=True)
        shown.show_engine(EngineState("ready", model))
        if kind == "instruct":
            wanted = sum(one.sizeHint().width() + 8 for one in shown.findChildren(Button))
            shown.resize(wanted + 60, 40)
    layout = shown.layout()
    assert isinstance(layout, QBoxLayout)
    assert layout.direction() == QBoxLayout.Direction.LeftToRight
    assert layout.count() == 3
