from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop.controllers.newcomers import Newcomers
from inference.library.model_defaults import ModelDefaults, TemplateChoice
from inference.types import ModelInfo
from tests.desktop.controllers.house import model
from tests.helpers.gguf_files import CHAT_TEMPLATE, tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inference.types import ModelKind
    from tests.desktop.controllers.house import House

BROKEN = "{% for m in messages %}{{ m.content }"


class Door:
    """A house, and what is said about those who come in."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        self.said: list[Any] = []
        self.newcomers = Newcomers(house.engine, house.tasks)
        self.newcomers.problem_raised.connect(self.said.append)
        house.engine.refresh()
        house.until(lambda: bool(house.engine.models().rows))

    def come(self, name: str, template: str | None, kind: ModelKind = "instruct") -> None:
        path = tiny_gguf(self.folder / f"{name}.gguf", chat_template=template)
        info = ModelInfo(name, name.title(), str(path), "gguf", kind, "llama")
        self.house.library.models.append(info)
        self.house.engine.refresh()
        known = len(self.house.library.models)
        self.house.until(lambda: len(self.house.engine.models().rows) == known)


@pytest.fixture
def door(make_house: Callable[..., House], tmp_path: Path) -> Door:
    return Door(make_house(model("starter-instruct")), tmp_path)


@pytest.mark.parametrize("template", [BROKEN, None])
def test_a_new_model_that_could_not_hold_a_conversation_is_said_once(
    door: Door, template: str | None
) -> None:
    door.come("poor", template)
    door.house.until(lambda: bool(door.said))
    assert door.said[0].title == "Poor may not answer as it should."
    door.house.engine.refresh()
    door.come("other", "{{ messages[0].content }}", "base")
    door.house.qtbot.wait(200)
    assert len(door.said) == 1


def test_nothing_is_said_of_those_that_work_or_need_none(door: Door) -> None:
    door.come("good", CHAT_TEMPLATE)
    door.come("base", None, "base")
    door.house.qtbot.wait(300)
    assert door.said == []


def test_a_model_that_is_mended_already_is_left_alone(door: Door, tmp_path: Path) -> None:
    info = ModelInfo("back", "Back", str(tmp_path / "back.gguf"), "gguf", "instruct", "llama")
    mended = ModelDefaults(template=TemplateChoice("chatml"))
    door.house.library.notes.change(info, defaults=mended)
    door.come("back", BROKEN)
    door.house.qtbot.wait(300)
    assert door.said == []
