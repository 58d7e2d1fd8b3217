"""Settings as the window changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop.controllers.settings import SettingsController
from desktop.store.settings import Settings, SettingsFile

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_a_change_is_told_and_written_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "settings.json")
    controller = SettingsController(file)
    with qtbot.waitSignal(controller.changed) as changed:
        controller.update(theme="dark", splitters={"chat": (200, 500)})
    assert changed.args[0].theme == "dark"
    assert file.load() == controller.settings() == changed.args[0]
    with qtbot.assertNotEmitted(controller.changed):
        controller.update(theme="dark")


def test_a_wrong_value_is_a_bug_and_changes_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    del qtbot
    controller = SettingsController(SettingsFile(tmp_path / "settings.json"))
    with pytest.raises(msgspec.ValidationError):
        controller.update(font_size=99)
    assert controller.settings() == Settings()


def test_a_folder_that_cannot_be_written_is_told_and_the_change_holds(
    qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("", encoding="utf-8")
    controller = SettingsController(SettingsFile(tmp_path / "config" / "settings.json"))
    with qtbot.waitSignal(controller.problem_raised) as problem:
        controller.update(theme="dark")
    assert problem.args[0].title == "The data folder cannot be written."
    assert controller.settings().theme == "dark"
