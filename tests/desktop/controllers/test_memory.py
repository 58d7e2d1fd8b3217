"""Memory: a smaller way when it ran out, rest after a time, and the model at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.engine import EngineController
from desktop.store.settings import EngineOptions, Settings
from inference.host.client import EngineClient
from inference.library.machine import Machine
from inference.library.smaller import Smaller, smaller
from inference.types import LoadOptions, ModelInfo
from tests.desktop.controllers.house import House, ScriptedLibrary, model
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SHORTER = Smaller(LoadOptions("fake:", "native", n_ctx=512), 1_200_000_000, 512, 4_096)


def propose(options: LoadOptions, _on_gpu: int, held_bytes: int) -> Smaller | None:
    """Propose what fits into a computer with 100 MB free."""
    assert held_bytes >= 0
    return smaller(options, Machine(100_000_000, 1 << 34))


def test_a_real_engine_that_finds_no_memory_is_loaded_smaller_by_one_step(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    path = tiny_gguf(tmp_path / "tiny.gguf", context=1 << 31 - 1)
    library = ScriptedLibrary([ModelInfo("tiny", "Tiny", str(path), "gguf")])
    bridge, tasks = EventBridge(), TaskRunner()
    engine = EngineController(EngineClient, library, bridge, tasks, Settings, propose=propose)
    try:
        engine.load("tiny", LoadOptions(str(path), "gguf", n_ctx=1 << 30))
        qtbot.waitUntil(lambda: engine.state().status == "stopped", timeout=60_000)
        problem = engine.state().problem
        assert problem is not None
        assert problem.title == "There is not enough memory for this model."
        assert problem.offers[0] == "load_smaller"
        assert problem.smaller is not None
        n_ctx = problem.smaller.n_ctx
        assert problem.smaller_words == f"Load with {n_ctx:,} tokens"
        assert f"{n_ctx:,} tokens instead of 1,073,741,824 frees" in problem.hint
        engine.load("tiny", problem.smaller)
        qtbot.waitUntil(lambda: engine.state().status == "ready", timeout=60_000)
        assert engine.state().loaded.n_ctx == n_ctx  # type: ignore[union-attr]
    finally:
        engine.shutdown()
        tasks.close()
        bridge.close()


def test_memory_that_runs_out_in_an_answer_offers_the_same(
    make_house: Callable[..., House],
) -> None:
    house = make_house(
        model("starter-instruct", "fail_at=2,tokens=9"),
        propose=lambda *_asked: SHORTER,
    )
    house.load()
    answer = house.ask()
    assert answer.state == "failed"
    assert answer.problem is not None
    assert answer.problem.offers == ("load_smaller", "choose_model")
    assert answer.problem.hint == "A context of 512 tokens instead of 4,096 frees 1.2 GB."
    assert house.chat.current().messages[-1].problem == answer.problem  # as it was kept


@pytest.mark.parametrize(("end", "is_offered"), [("SIGKILL", True), ("SIGSEGV", False)])
def test_only_an_end_that_looks_like_too_little_memory_proposes_less(
    make_house: Callable[..., House], end: str, is_offered: bool
) -> None:
    house = make_house(
        model("starter-instruct", f"crash_at=2,crash={end},tokens=9"),
        propose=lambda *_asked: SHORTER,
    )
    house.load()
    answer = house.ask()
    assert answer.problem is not None
    assert (answer.problem.smaller is not None) == is_offered


def with_rest(house: House, minute_ms: int = 150) -> None:
    house.settings.update(engine=EngineOptions(unload_after_min=1))
    house.engine.idle.minute_ms = minute_ms


def test_a_model_nobody_uses_gives_its_memory_back_and_returns_with_the_next_message(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "text=A short answer."))
    with_rest(house)
    house.load()
    house.until(lambda: house.engine.state().status == "none")
    state = house.engine.state()
    assert state.rested_min == 1
    assert state.model is not None
    house.until(lambda: house.client.pid is None)
    assert house.ask().text == "A short answer."


def test_an_answer_is_not_cut_by_the_rest(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=60,rate=60"))
    with_rest(house, minute_ms=200)
    house.load()
    assert house.ask().state == "complete"


def test_without_the_setting_a_model_stays(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.engine.idle.minute_ms = 30
    house.load()
    house.qtbot.wait(200)
    assert house.engine.state().status == "ready"


@pytest.mark.parametrize(("at_start", "first"), [("chosen", "starter-instruct"), ("last", "other")])
def test_the_model_at_the_start_is_the_chosen_or_the_last_one(
    make_house: Callable[..., House], at_start: str, first: str
) -> None:
    house = make_house(model("starter-instruct"), model("other"))
    house.settings.update(at_start=at_start, last_model="other")
    house.engine.load_default()
    house.until(lambda: house.engine.state().status == "ready")
    assert house.engine.state().model.id == first  # type: ignore[union-attr]


def test_a_last_model_that_is_gone_gives_way_to_the_chosen_one(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct"))
    house.settings.update(at_start="last", last_model="gone")
    house.engine.load_default()
    house.until(lambda: house.engine.state().status == "ready")
    assert house.problems == []


def test_none_at_the_start_waits_for_the_first_message(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "text=Here."), model("other"))
    house.settings.update(at_start="none")
    house.engine.load_default()
    house.until(lambda: house.engine.state().model is not None)
    assert house.engine.state().status == "none"
    assert house.client.pid is None
    assert house.ask().text == "Here."


def test_the_model_that_was_loaded_is_told(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct"))
    loaded: list[str] = []
    house.engine.model_loaded.connect(loaded.append)
    house.load()
    assert loaded == ["starter-instruct"]
