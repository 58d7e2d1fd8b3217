"""What models have read, from a chat in the window to the files and their end; a real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop.controllers.engine_worker import ModelUnloaded
from desktop.store.settings import EngineOptions
from inference.events import Started
from inference.past import folder as files
from inference.past.identity import short_digest
from inference.paths import app_paths
from inference.types import ModelInfo
from tests.helpers.checkpoints import tiny_llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.desktop.controllers.house import House

LONG = "Tell me about the sky, the park and the red ball, and take your time with all of it."


@pytest.fixture
def house(
    make_house: Callable[..., House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> House:
    """One that runs a tiny model of its own and answers with a few tokens."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    path = tiny_llama(tmp_path / "tiny")
    info = ModelInfo("tiny", "Tiny", str(path), "native", kind="instruct", has_chat_template=True)
    house = make_house(info, factory=None)
    brief = msgspec.structs.replace(house.settings.settings().sampling, max_tokens=4)
    house.settings.update(sampling=brief, default_model="tiny")
    house.chat.new_chat()
    house.load("tiny")
    return house


def measured(house: House) -> int:
    with house.qtbot.waitSignal(house.past.measured, timeout=20_000) as told:
        house.past.measure()
    return int(told.args[0])


def unload(house: House) -> None:
    """Unload and wait until the process has written and gone."""
    seen: list[object] = []
    house.bridge.batch_received.connect(seen.extend)
    house.engine.unload()
    house.until(lambda: any(isinstance(event, ModelUnloaded) for event in seen))


def kept(chat_id: str) -> list[Path]:
    return [path for path, _size in files.files(app_paths().past, short_digest(chat_id))]


def test_an_answer_leaves_work_under_its_chats_name_and_the_next_start_goes_on_from_it(
    house: House,
) -> None:
    house.ask(LONG)
    house.until(lambda: len(kept(house.chat.current().id)) == 1)
    unload(house)
    house.load("tiny")
    seen: list[object] = []
    house.engine.answer_event_received.connect(seen.append)
    house.ask("And the moon?")
    assert isinstance(seen[0], Started)
    assert seen[0].reused_tokens > 50


def test_an_idle_engine_writes_by_itself(house: House) -> None:
    house.ask(LONG)
    house.until(lambda: len(kept(house.chat.current().id)) == 1)
    assert house.engine.state().status == "ready"


def test_going_on_with_an_answer_belongs_to_its_chat_too(house: House) -> None:
    house.ask(LONG)
    house.chat.continue_answer(house.answer.id)
    house.end()
    house.until(lambda: len(kept(house.chat.current().id)) == 1)


def test_a_chat_that_is_gone_for_good_leaves_nothing(
    house: House, make_house: Callable[..., House]
) -> None:
    house.ask(LONG)
    gone = house.chat.current().id
    house.chat.new_chat()
    house.ask("Something else that is long enough to be kept, with a few words more than needed.")
    stays = house.chat.current().id
    house.chat.delete_chat(gone)
    house.until(lambda: len(kept(gone)) == len(kept(stays)) == 1)  # it can still be brought back
    unload(house)
    house.close()
    again = make_house(*house.library.models, factory=None)
    again.until(lambda: not kept(gone))
    assert len(kept(stays)) == 1


def test_clear_takes_files_and_copies_in_memory(house: House) -> None:
    house.ask(LONG)
    first = house.chat.current().id
    house.until(lambda: len(kept(first)) == 1)
    assert measured(house) > 0
    with house.qtbot.waitSignal(house.past.measured, timeout=20_000):
        house.past.clear()
    unload(house)
    assert measured(house) == 0


def test_switched_off_nothing_more_is_kept_and_what_was_goes(house: House) -> None:
    house.ask(LONG)
    chat_id = house.chat.current().id
    house.until(lambda: len(kept(chat_id)) == 1)
    house.settings.update(engine=EngineOptions(past_disk_mb=0))
    house.until(lambda: not kept(chat_id))
    house.ask(LONG)
    unload(house)
    assert measured(house) == 0


def test_a_smaller_limit_makes_the_oldest_go_at_once(house: House) -> None:
    folder = app_paths().past
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / files.file_name("model", str(number))).write_bytes(bytes(700_000))
    house.settings.update(engine=EngineOptions(past_disk_mb=1))
    house.until(lambda: files.used_bytes(folder) == 700_000)


def test_a_window_whose_chats_are_not_kept_keeps_no_work_either(house: House) -> None:
    house.engine.settings = house.settings.settings_without_past
    unload(house)
    house.load("tiny")
    house.ask(LONG)
    unload(house)
    assert measured(house) == 0
