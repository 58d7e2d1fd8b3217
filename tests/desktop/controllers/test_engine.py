"""Loading, switching, unloading; the list of models; closing without an orphan."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil

from inference.errors import ModelNotFoundError
from inference.events import Finished
from inference.types import GenerationRequest
from tests.desktop.controllers.house import model

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from desktop.values import EngineState
    from tests.desktop.controllers.house import House


def test_loading_tells_its_progress_and_measures_memory(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "load_s=0.5,memory_mb=30"))
    states: list[EngineState] = []
    house.engine.state_changed.connect(states.append)
    house.engine.load_default()
    house.until(lambda: house.engine.state().status == "ready")
    assert states[0].status == "loading"
    assert any(0 < state.progress < 1 for state in states)
    ready = states[-1]
    assert ready.loaded is not None
    assert ready.memory_bytes > 30 << 20
    (row,) = house.engine.models().rows
    assert row.status == "ready"
    assert row.memory_bytes == ready.memory_bytes


def test_a_load_says_when_it_compiles(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "compile_s=0.2"))
    states: list[EngineState] = []
    house.engine.state_changed.connect(states.append)
    house.engine.load_default()
    house.until(lambda: house.engine.state().status == "ready")
    compiling = [state.progress for state in states if state.step == "compiling"]
    assert any(0 < progress < 1 for progress in compiling)
    assert states[0].step == "reading"


def test_memory_is_measured_again_while_the_model_stays(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.load()
    measured: list[int] = []
    house.engine._on_memory(0)  # as if it had been measured as nothing
    house.engine.state_changed.connect(lambda state: measured.append(state.memory_bytes))
    house.until(lambda: any(size > 5 << 20 for size in measured))


def test_switching_gives_the_first_models_memory_back(make_house: Callable[..., House]) -> None:
    house = make_house(
        model("starter-instruct", "memory_mb=200,tokens=100000,rate=100"), model("small", "text=Hi")
    )
    house.load()
    first = house.client.pid
    assert first is not None
    big = house.engine.state().memory_bytes
    house.chat.send("Go on")
    house.wait_for_text()
    house.engine.load("small")
    assert house.engine.state().status == "loading"
    house.until(lambda: house.engine.state().status == "ready")
    assert house.end().state == "stopped"
    assert not psutil.pid_exists(first)
    assert house.engine.state().memory_bytes < big - (150 << 20)
    assert house.engine.state().model == house.library.models[1]
    assert [row.status for row in house.engine.models().rows] == ["none", "ready"]


def test_unload_and_cancel_end_the_process(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "load_s=0.2"), model("slow", "load_s=30"))
    house.load()
    house.engine.unload()
    assert house.engine.state().status == "none"
    house.until(lambda: house.client.pid is None)
    house.engine.load("slow")
    house.until(lambda: house.engine.state().progress > 0)
    house.engine.cancel_load()
    house.until(lambda: house.engine.state().status == "none")
    assert house.engine.state().problem is None
    assert house.client.pid is None


def test_only_the_last_of_many_choices_is_loaded(make_house: Callable[..., House]) -> None:
    house = make_house(*(model(f"m{n}", f"load_s=0.2,text=I am {n}.") for n in range(5)))
    for n in range(5):
        house.engine.load(f"m{n}")
    house.until(lambda: house.engine.state().status == "ready")
    assert house.engine.state().model == house.library.models[4]
    assert house.ask().text == "I am 4."


def test_closing_a_stubborn_engine_takes_seconds_not_for_ever(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "stubborn=1,tokens=1000000,rate=20"))
    house.load()
    house.chat.send("Go on")
    house.wait_for_text()
    pid = house.client.pid
    assert pid is not None
    begun = time.monotonic()
    house.close()
    assert time.monotonic() - begun < 6
    assert not psutil.pid_exists(pid)
    assert not house.chat.send("More")


def test_closing_while_loading_leaves_no_process(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "load_s=30"))
    house.engine.load_default()
    house.until(lambda: house.client.pid is not None)
    pid = house.client.pid
    assert pid is not None
    house.close()
    assert not psutil.pid_exists(pid)


def test_an_engine_that_dies_right_after_its_answer_is_noticed(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    house.load()
    pid = house.client.pid
    assert pid is not None
    house.engine.answer_event_received.connect(
        lambda event: psutil.Process(pid).kill() if isinstance(event, Finished) else None
    )
    assert house.ask().state == "complete"
    house.until(lambda: house.engine.state().status == "stopped")
    assert house.engine.state().problem is not None


def test_patience_that_ends_after_the_answer_leaves_the_model_loaded(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    house.load()
    pid = house.client.pid
    assert house.ask().state == "complete"
    house.engine._on_patience_over()  # the answer's end was already on its way
    assert house.ask("Once more").state == "complete"
    assert house.client.pid == pid


def test_loading_while_loading_gives_the_first_up_at_once(make_house: Callable[..., House]) -> None:
    house = make_house(model("slow", "load_s=30"), model("quick", "text=Here."))
    house.engine.load("slow")
    house.until(lambda: house.engine.state().progress > 0)
    house.engine.load("quick")
    house.until(lambda: house.engine.state().status == "ready", timeout=10_000)
    assert house.ask().text == "Here."


def test_choosing_the_model_on_its_way_again_does_not_start_over(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("slow", "load_s=0.6"))
    house.engine.load("slow")
    house.until(lambda: house.client.pid is not None)
    pid = house.client.pid
    house.engine.load("slow")
    house.until(lambda: house.engine.state().status == "ready")
    assert house.client.pid == pid


def test_unloading_while_loading_ends_the_process(make_house: Callable[..., House]) -> None:
    house = make_house(model("slow", "load_s=30"))
    house.engine.load("slow")
    house.until(lambda: house.engine.state().progress > 0)
    house.engine.unload()
    assert house.engine.state().status == "none"
    house.until(lambda: house.client.pid is None)
    assert house.engine.state().problem is None


def test_after_closing_no_command_does_anything(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.load()
    house.close()
    house.engine.load("starter-instruct")
    house.engine.unload()
    house.engine.ensure("starter-instruct")
    assert not house.engine.answer(GenerationRequest("late", text="Hello"))
    house.engine.shutdown()
    assert house.client.pid is None


def test_listeners_hear_of_states_in_their_order(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "text=Hi,load_s=0.1"))
    heard: list[str] = []
    # Connected after the one who answers as soon as it hears that the model is ready.
    house.engine.state_changed.connect(lambda state: heard.append(state.status))
    house.ask()
    order = [status for n, status in enumerate(heard) if n == 0 or status != heard[n - 1]]
    assert order == ["loading", "ready", "answering", "ready"]


def test_a_model_that_cannot_be_added_at_the_start_still_shows_the_others(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house()

    def refuse(_path: object) -> None:
        raise ModelNotFoundError("It is not there.")

    monkeypatch.setattr(house.library, "add", refuse)
    house.engine.add_model("/nowhere.gguf", load=True)
    house.until(lambda: bool(house.problems) and bool(house.engine.models().rows))
