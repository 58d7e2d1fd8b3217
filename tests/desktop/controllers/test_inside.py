"""What is looked at belongs to the text and the model that are there, whenever answers come."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from desktop.controllers.engine_worker import Asked, ModelLoaded
from desktop.controllers.inside import InsideController
from desktop.inside import ReadWords, TextSource
from inference.cancel import CancelToken
from inference.events import Finished
from inference.types import GenerationRequest, Message
from tests.desktop.controllers.house import model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desktop.inside import Subject
    from tests.desktop.controllers.house import House

TEXT = "one two three four five"


class Looking:
    """An ``InsideController`` in a house, and everything it says."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.controller = InsideController(house.engine, house.bridge, house.engine)
        self.subjects: list[Subject | None] = []
        self.found: list[Any] = []
        self.refused: list[Any] = []
        self.controller.subject_changed.connect(self.subjects.append)
        self.controller.found.connect(lambda *both: self.found.append(both))
        self.controller.refused.connect(lambda *both: self.refused.append(both))

    def look_at(self, text: str = TEXT) -> Subject:
        self.controller.open_text(text)
        return self.wait()

    def wait(self) -> Subject:
        def is_read() -> bool:
            return self.controller.subject() is not None and not self.controller.busy

        self.house.until(is_read)
        found = self.controller.subject()
        assert found is not None
        return found


@pytest.fixture
def looking(make_house: Callable[..., House]) -> Looking:
    house = make_house(model("starter-instruct", "text=Yes."), model("other", "text=No."))
    looking = Looking(house)
    house.load()
    return looking


@contextmanager
def a_busy_window(house: House, *last: type[object]) -> Iterator[None]:
    """Let what happens arrive in one batch: the window hears nothing until all of these came."""
    yield
    inbox = house.bridge._events
    end = time.monotonic() + 20
    while not all(any(isinstance(event, kind) for event in inbox) for kind in last):
        assert time.monotonic() < end, list(inbox)
        time.sleep(0.01)


def test_a_text_whose_reading_gave_way_to_a_short_answer_is_read_after_it(
    looking: Looking,
) -> None:
    with a_busy_window(looking.house, Asked, Finished):
        looking.house.engine.ask(99, lambda _client, _cancel: time.sleep(0.3), CancelToken())
        looking.controller.open_text(TEXT)
        assert looking.house.chat.send("Hello")
    assert looking.wait().source.request.text == TEXT


def test_a_text_is_read_by_the_new_model_though_the_old_one_was_still_asked(
    looking: Looking,
) -> None:
    looking.look_at()
    with a_busy_window(looking.house, Asked, ModelLoaded):
        looking.controller.ask(ReadWords(("a", "b")))
        looking.house.engine.load("other")
    assert looking.wait().model.id == "other"
    assert looking.found == []  # it was of the other model


def test_the_place_is_kept_where_the_model_is_loaded_again(looking: Looking) -> None:
    looking.look_at()
    looking.controller.choose(2)
    looking.house.engine.load_with_context(512)
    looking.house.until(lambda: looking.controller.subject() is None)
    assert looking.wait().chosen == 2
    looking.house.engine.load("other")
    looking.house.until(lambda: looking.controller.subject() is None)
    assert looking.wait().chosen == 2


def test_a_model_that_rests_comes_back_for_a_question_and_for_a_text(looking: Looking) -> None:
    engine = looking.house.engine
    looking.look_at()
    engine._rest(1)
    looking.house.until(lambda: looking.house.client.pid is None)
    looking.controller.ask(ReadWords(("six",)))
    assert looking.wait().source.request.text == TEXT
    engine._rest(1)
    looking.look_at("another text")
    assert engine.state().status == "ready"


def test_looking_is_use_of_the_model(looking: Looking) -> None:
    """Who looks for as long as a model may rest does not lose it."""
    looking.look_at()
    looking.house.engine.idle._since -= 1_000
    looking.controller.ask(ReadWords(("six",)))
    looking.house.until(lambda: bool(looking.found))
    assert time.monotonic() - looking.house.engine.idle._since < 100


def test_a_text_that_cannot_be_read_is_refused_once(make_house: Callable[..., House]) -> None:
    looking = Looking(make_house(model("base", "base=1", has_chat_template=False)))
    looking.house.load("base")
    question = GenerationRequest("r", messages=(Message("user", "Hi"),))
    looking.controller.open(TextSource("A chat", question))
    looking.house.until(lambda: bool(looking.refused))
    for memory in (1 << 30, 1 << 31):  # the state is told again whenever memory has changed
        looking.house.engine._on_memory(memory)
    looking.house.qtbot.wait(200)
    assert len(looking.refused) == 1
    looking.look_at()


def test_closing_gives_up_what_the_engine_is_asked(looking: Looking) -> None:
    """Else the window's process stays until the engine is killed for not answering."""
    given_up: list[bool] = []
    begun = CancelToken()

    def ask(_client: object, cancel: CancelToken) -> None:
        begun.cancel()
        given_up.append(cancel.wait(60))

    engines = looking.house.engine
    assert engines.ask(99, ask, CancelToken())
    assert begun.wait(20)
    engines.shutdown()
    assert given_up == [True]
