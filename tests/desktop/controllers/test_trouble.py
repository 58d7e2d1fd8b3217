"""What goes wrong in an answer: engines that die, prompts too long, disks too full."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

from desktop.store.chats import Chats
from desktop.values import COMPLETION_TOKENS
from inference.errors import DatabaseLockedError
from inference.types import SamplingParams
from tests.desktop.controllers.house import model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.desktop.controllers.house import House


def test_a_crash_keeps_the_text_names_the_cause_and_one_retry_answers(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "tokens=100000,rate=100"))
    house.load()
    house.chat.send("Go on")
    house.wait_for_text(20)
    pid = house.client.pid
    assert pid is not None
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    answer = house.end()
    assert answer.state == "failed"
    assert len(answer.text) >= 20
    assert answer.problem is not None
    assert answer.problem.title == "The engine stopped while the model was writing."
    assert answer.problem.hint
    assert "untouched" in answer.problem.message
    assert house.engine.state().status == "stopped"
    assert house.chat.chats()[0].has_problem
    assert Chats(house.database).message(answer.id).problem == answer.problem

    house.chat.retry(answer.id)
    house.until(lambda: house.answer.state == "streaming")
    assert house.client.pid not in {None, pid}
    assert (house.answer.version, house.answer.versions) == (2, 2)
    house.chat.stop()
    house.end()
    house.chat.show_version(house.answer.id, -1)
    assert house.answer.text == answer.text  # the partial answer is still there


def test_a_crash_before_the_first_word_is_retried_in_place(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "crash_at=0,output=GGML_ASSERT of a test"))
    answer = house.ask()
    assert answer.state == "failed"
    assert answer.problem is not None
    assert "GGML_ASSERT of a test" in answer.problem.detail
    house.library.models[0] = model("starter-instruct", "text=Now it works.")
    house.engine.refresh()
    house.until(lambda: house.engine.models().rows[0].info.path == "fake:text=Now it works.")
    house.engine.load("starter-instruct")
    house.chat.retry(answer.id)
    after = house.end()
    assert (after.id, after.text, after.versions) == (answer.id, "Now it works.", 1)
    assert after.problem is None
    assert not house.chat.chats()[0].has_problem


def test_an_engine_killed_while_idle_is_noticed_and_comes_back_with_the_next_message(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    house.load()
    pid = house.client.pid
    assert pid is not None
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    house.until(lambda: house.engine.state().status == "stopped")
    problem = house.engine.state().problem
    assert problem is not None
    assert problem.title == "The engine stopped."
    assert house.ask().text == "A short answer."


def test_a_model_that_does_not_load_fails_the_answer_with_its_reason(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "load_error=CorruptCheckpoint"))
    answer = house.ask()
    assert answer.state == "failed"
    assert answer.problem is not None
    assert answer.problem.title == "This model's files are damaged."
    assert house.engine.state().problem == answer.problem


def test_no_model_at_all_is_a_sentence(make_house: Callable[..., House]) -> None:
    house = make_house(model("other", "", problem="A tensor is missing."))
    answer = house.ask()
    assert answer.state == "failed"
    assert answer.problem is not None
    assert answer.problem.title == "This model is not there."
    house.engine.load("other")
    assert house.engine.state().problem is not None
    assert house.engine.state().problem.message == "A tensor is missing."


def test_a_prompt_longer_than_the_context_says_both_numbers(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "context=64"))
    answer = house.ask("word " * 500)
    assert answer.state == "failed"
    assert answer.problem is not None
    assert answer.problem.title == "This chat is longer than the model's context."
    assert "64" in answer.problem.message
    assert "50" in answer.problem.message
    assert house.engine.state().status == "ready"
    # The same again cannot help, and there is nothing more that the engine said.
    assert answer.problem.offers == ("new_chat",)
    assert not answer.problem.can_retry
    assert not answer.problem.detail


def test_a_larger_context_is_offered_where_the_model_was_trained_for_it_and_then_answers(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "context=64,trained=1500"))
    problem = house.ask("word " * 500).problem
    assert problem is not None
    assert problem.offers == ("larger_context", "new_chat")
    assert problem.larger_context == 1024
    house.engine.load_with_context(problem.larger_context)
    house.chat.retry(house.answer.id)
    assert house.end().state == "complete"
    assert house.engine.state().loaded.n_ctx == 1024


def test_a_context_longer_than_in_training_is_not_offered(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "context=64,trained=128"))
    problem = house.ask("word " * 500).problem
    assert problem is not None
    assert problem.offers == ("new_chat",)


def test_a_base_model_is_ended_by_a_length_of_its_own_unless_one_is_set(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-base", "tokens=9999,base=1", kind="base"))
    house.load("starter-base")
    answer = house.ask("Once upon a time")
    assert answer.state == "complete"
    assert answer.stats is not None
    assert answer.stats.is_cut
    assert answer.stats.completion_tokens == COMPLETION_TOKENS
    kept = Chats(house.database).message(answer.id)
    assert kept.settings is not None
    assert kept.settings.sampling.max_tokens == COMPLETION_TOKENS
    house.chat.continue_answer(answer.id)
    assert len(house.end().text.split()) == 2 * COMPLETION_TOKENS
    house.chat.set_sampling(SamplingParams(max_tokens=7))
    stats = house.ask("And then").stats
    assert stats is not None
    assert stats.completion_tokens == 7


def test_trouble_in_the_engine_is_the_answers_problem(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=9,fail_at=5"))
    answer = house.ask()
    assert answer.state == "failed"
    assert len(answer.text.split()) == 5
    assert answer.problem is not None
    assert answer.problem.title == "Memory ran out while the model was writing."


def test_a_stubborn_engine_is_ended_when_another_model_is_chosen(
    make_house: Callable[..., House],
) -> None:
    house = make_house(
        model("starter-instruct", "stubborn=1,tokens=100000,rate=50"), model("other", "text=Hi.")
    )
    house.load()
    house.chat.send("Go on")
    house.wait_for_text()
    house.engine.load("other")
    house.until(lambda: house.engine.state().status == "ready")
    assert house.end().state == "stopped"
    assert house.answer.text
    assert house.ask().text == "Hi."


def test_the_partial_answer_is_saved_about_once_a_second_and_at_the_end(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[tuple[float, int]] = []
    real = Chats.save_partial

    def noted(self: Chats, message_id: str, text: str, tokens: bytes) -> bool:
        saves.append((time.monotonic(), len(text)))
        return real(self, message_id, text, tokens)

    monkeypatch.setattr(Chats, "save_partial", noted)
    house = make_house(model("starter-instruct", "tokens=700,rate=200"))
    house.load()
    answer = house.ask()
    assert 2 <= len(saves) <= 5  # 3.5 s of text
    assert all(later[0] - sooner[0] > 0.7 for sooner, later in itertools.pairwise(saves))
    assert saves == sorted(saves, key=lambda save: save[1])
    assert Chats(house.database).message(answer.id).text == answer.text
    assert len(answer.text.split()) == 700


def test_a_full_disk_is_told_once_and_the_answer_goes_on(make_house: Callable[..., House]) -> None:
    house = make_house(model("starter-instruct", "tokens=600,rate=250,text=" + "x" * 200))
    house.load()
    house.chat.send("Write a lot")
    house.until(lambda: house.answer.state == "streaming")
    with house.database.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    answer = house.end()
    assert answer.state == "complete"
    assert len(answer.text) == 600 * 200
    assert [problem.title for problem in house.problems] == ["The disk is full."]
    with house.database.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 1073741823")  # space is freed
    house.close()
    again = make_house()
    again.chat.open_chat(again.chat.chats()[0].id)
    assert again.answer.text == answer.text


def test_sending_to_a_full_disk_leaves_the_words_with_the_person(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    house.load()
    with house.database.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    assert not house.chat.send("x" * 50_000)
    assert house.problems[-1].title == "The disk is full."
    assert not house.chat.answering


def test_closing_under_a_flood_of_tokens_ends_and_keeps_what_had_come(
    make_house: Callable[..., House],
) -> None:
    house = make_house(model("starter-instruct", "tokens=10000000"))
    house.load()
    house.chat.send("Go on")
    house.wait_for_text()
    time.sleep(0.5)  # nobody empties the inbox meanwhile: it is full now
    seen, pid = len(house.answer.text), house.client.pid
    begun = time.monotonic()
    house.close()
    assert time.monotonic() - begun < 6
    assert pid is not None
    assert not psutil.pid_exists(pid)
    again = make_house()
    again.chat.open_chat(again.chat.chats()[0].id)
    assert again.answer.state == "stopped"
    assert len(again.answer.text) > seen


def test_a_question_whose_answer_finds_no_room_is_not_kept_twice(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    house.ask("The first")
    house.chat.set_system_prompt("x" * 100_000)  # kept with each answer
    with house.database.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 6}")
    assert not house.chat.send("The second")
    assert house.problems[-1].title == "The disk is full."
    assert [message.text for message in house.messages] == ["The first", "A short answer."]
    with house.database.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 1073741823")
    house.ask("The second")
    assert [m.text for m in house.messages if m.role == "user"] == ["The first", "The second"]


def test_a_second_window_chats_in_memory_and_the_first_keeps_everything(
    make_house: Callable[..., House],
) -> None:
    first = make_house()
    first.ask("Kept")
    second = make_house()  # the same folder
    assert isinstance(second.trouble, DatabaseLockedError)
    assert second.chat.chats() == ()
    assert second.ask("Not kept").text == "A short answer."
    assert [row.title for row in second.chat.chats()] == ["Not kept"]
    second.close()
    first.ask("Kept too")
    first.close()
    again = make_house()
    assert again.trouble is None
    assert [row.title for row in again.chat.chats()] == ["Kept"]
    again.chat.open_chat(again.chat.chats()[0].id)
    assert len(again.messages) == 4


_WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from desktop.bridge.event_bridge import EventBridge
from desktop.bridge.task_runner import TaskRunner
from desktop.controllers.chat import ChatController
from desktop.controllers.engine import EngineController
from desktop.store.database import Database
from desktop.store.settings import Settings
from inference.host.client import EngineClient
from tests.desktop.controllers.house import FACTORY, ScriptedLibrary, model

folder = Path(sys.argv[1])
app = QCoreApplication([])
bridge, tasks = EventBridge(), TaskRunner()
library = ScriptedLibrary([model("starter-instruct", "tokens=100000,rate=100")])
engine = EngineController(
    lambda: EngineClient(FACTORY), library, bridge, tasks, Settings)
chat = ChatController(Database.open(folder / "chats.sqlite3"), engine, bridge, tasks, Settings)
chat.send("Go on")

def show():
    client = engine._worker._client
    print(client.pid, len(chat.current().messages[-1].text), flush=True)

timer = QTimer()
timer.timeout.connect(show)
timer.start(100)
app.exec()
"""


def test_killing_the_window_loses_at_most_a_second_of_text(
    make_house: Callable[..., House], tmp_path: Path
) -> None:

    folder = tmp_path / "data"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _WINDOW, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as window:
        assert window.stdout is not None
        shown = pid = 0
        until = time.monotonic() + 60
        while shown < 1200 and time.monotonic() < until:
            line = window.stdout.readline().split()
            shown, pid = (int(line[1]), int(line[0])) if line[0] != "None" else (0, 0)
        window.kill()
    assert pid
    house = make_house()
    house.chat.open_chat(house.chat.chats()[0].id)
    assert house.answer.state == "stopped"
    assert house.answer.problem is not None
    assert "kept" in house.answer.problem.message
    # 100 words a second of about 5 characters: a second is 540 or so, and this machine is busy.
    assert len(house.answer.text) >= shown - 800
    gone_by = time.monotonic() + 3
    while psutil.pid_exists(pid) and time.monotonic() < gone_by:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
