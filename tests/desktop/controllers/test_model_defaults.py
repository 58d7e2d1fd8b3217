"""What was set for a model: how it is loaded, and what new chats with it begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import DiskFullError
from inference.library.model_defaults import OWN, ModelDefaults, TemplateChoice
from inference.library.notes import ModelNotes
from inference.types import SamplingParams
from tests.desktop.controllers.house import House, model

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

COOL = SamplingParams(temperature=0.1)


def two(make_house: Callable[..., House]) -> House:
    house = make_house(model("starter-instruct", "text=A"), model("other", "text=B"))
    house.engine.refresh()
    house.until(lambda: bool(house.engine.models().rows))
    return house


def change(house: House, model_id: str, **changes: object) -> None:
    house.engine.shelf.change_note(model_id, **changes)
    info = house.engine.shelf.find(model_id)
    assert info is not None
    house.until(lambda: house.library.notes.of(info) == house.engine.shelf.note(info))


def test_load_options_of_a_model_apply_when_it_is_loaded_again(
    make_house: Callable[..., House],
) -> None:
    house = two(make_house)
    house.load("other")
    first = house.engine.options
    assert first is not None
    change(house, "other", defaults=ModelDefaults(n_ctx=256, dtype="float32"))
    assert house.engine.options == first
    house.engine.load("other")
    house.until(lambda: house.engine.options != first)
    house.until(lambda: house.engine.state().status == "ready")
    assert house.engine.options is not None
    assert (house.engine.options.n_ctx, house.engine.options.dtype) == (256, "float32")
    assert house.engine.state().loaded.n_ctx == 256  # type: ignore[union-attr]
    house.load("starter-instruct")
    assert house.engine.options.n_ctx is None


def test_a_new_chat_begins_with_the_models_own_sampling_and_system_prompt(
    make_house: Callable[..., House],
) -> None:
    house = two(make_house)
    change(house, "other", defaults=ModelDefaults(sampling=COOL, system_prompt="Be brief."))
    house.load("starter-instruct")
    house.chat.new_chat()
    assert house.chat.current().system_prompt == ""
    house.load("other")  # an untouched draft follows
    assert house.chat.current().sampling == COOL
    assert house.chat.current().system_prompt == "Be brief."
    house.ask()
    house.load("starter-instruct")  # a chat that has begun does not
    assert house.chat.current().system_prompt == "Be brief."
    house.chat.new_chat()
    assert house.chat.current().sampling == SamplingParams()


def test_a_draft_that_a_person_changed_stays_as_it_is(make_house: Callable[..., House]) -> None:
    house = two(make_house)
    change(house, "other", defaults=ModelDefaults(sampling=COOL))
    house.load("starter-instruct")
    house.chat.set_system_prompt("Mine.")
    house.load("other")
    assert house.chat.current().system_prompt == "Mine."
    assert house.chat.current().sampling == SamplingParams()


def test_a_base_model_with_a_chosen_template_answers(make_house: Callable[..., House]) -> None:
    house = make_house(model("base", "text=Hi", kind="base"))
    house.load("base")
    assert house.engine.state().continues
    assert house.ask().is_completion
    own = TemplateChoice(OWN, "{% for m in messages %}{{ m.content }}{% endfor %}")
    change(house, "base", defaults=ModelDefaults(template=own))
    house.engine.load("base")
    house.until(lambda: house.engine.state().status == "loading")
    house.until(lambda: house.engine.state().status == "ready")
    assert not house.engine.state().continues
    assert not house.ask().is_completion


def test_a_loaded_model_remembers_when(make_house: Callable[..., House]) -> None:
    house = two(make_house)
    house.load("other")
    house.until(lambda: bool(house.library.notes.all()))
    assert house.library.notes.of(house.library.models[1]).last_used > 1_600_000_000
    row = next(row for row in house.engine.models().rows if row.info.id == "other")
    assert row.note is not None
    assert row.note.last_used > 0


def test_quick_changes_of_one_field_end_with_the_last(make_house: Callable[..., House]) -> None:
    house = two(make_house)
    for number in range(40):
        house.engine.shelf.change_note("other", text=str(number))
    info = house.library.models[1]
    house.until(lambda: house.library.notes.of(info).text == "39")
    house.qtbot.wait(100)
    assert ModelNotes(house.folder / "model-notes.json").of(info).text == "39"


def test_a_note_that_cannot_be_kept_is_said_and_taken_back(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = two(make_house)

    def refuse(*_arguments: object, **_changes: object) -> None:
        raise DiskFullError("The disk is full.")

    monkeypatch.setattr(house.library.notes, "change", refuse)
    house.engine.shelf.change_note("other", favourite=True)
    house.until(lambda: bool(house.problems))
    info = house.library.models[1]
    house.until(lambda: not house.engine.shelf.note(info).favourite)  # type: ignore[union-attr]


def test_a_change_outlives_a_list_that_was_read_before_it(
    make_house: Callable[..., House],
) -> None:
    house = two(make_house)
    info = house.library.models[1]
    old = house.library.notes.all()
    house.engine.shelf.change_note("other", text="new")
    house.until(lambda: house.library.notes.of(info).text == "new")
    house.library.notes.all = lambda: old  # type: ignore[method-assign]  # read a moment ago
    house.engine.refresh()
    house.qtbot.wait(200)
    assert house.engine.shelf.note(info).text == "new"  # type: ignore[union-attr]


def test_rows_that_stay_the_same_stay_the_same_objects(make_house: Callable[..., House]) -> None:
    house = two(make_house)
    first, second = house.engine.models().rows
    house.load("other")
    again = house.engine.models().rows
    assert again[0] is first
    assert again[1] is not second
    assert again[1].status == "ready"
