"""A model is measured in a process of its own, once for the same files and text."""

from __future__ import annotations

import importlib.resources
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import InferenceError, UnsupportedRequestError
from inference.evaluation.book import ResultBook
from inference.evaluation.measuring import Evaluator, Step, Subject, Task, common_window
from inference.evaluation.stopping import StoppedError
from inference.host.client import EngineClient
from inference.inside.perplexity import METHODS, Method
from inference.library.describe import examine
from inference.types import LoadOptions, ModelInfo
from tests.inference.evaluation.house import info as made_up

if TYPE_CHECKING:
    from inference.evaluation.result import Result

STARTER = Path(str(importlib.resources.files("resources") / "starter"))
TEXT = "Once upon a time there was a little cat. She liked to sit in the sun, and to sleep. " * 12


class House:
    """An evaluator over real engines, and the processes that it began."""

    def __init__(self, folder: Path) -> None:
        self.clients: list[EngineClient] = []
        self.book = ResultBook(folder / "evaluations.json")
        self.evaluator = Evaluator(self._client, self.book)
        self.told: list[tuple[Step, float]] = []

    def _client(self) -> EngineClient:
        self.clients.append(EngineClient())
        return self.clients[-1]

    def measure(self, info: ModelInfo, task: Task) -> Result:
        subject = Subject(info, LoadOptions(info.path, info.engine, threads=1))
        return self.evaluator.evaluate(task, subject, CancelToken(), self.tell)

    def tell(self, step: Step, fraction: float) -> None:
        self.told.append((step, fraction))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def starter(name: str) -> ModelInfo:
    return examine(STARTER / name)[0]


@pytest.mark.parametrize("method", METHODS)
def test_both_forms_of_the_same_weights_are_measured_and_agree(
    house: House, method: Method
) -> None:
    task = Task(TEXT, method, 64)
    one = house.measure(starter("starter-base-F16.gguf"), task)
    other = house.measure(starter("starter-base"), task)
    assert all(client.pid is None for client in house.clients)
    steps = [step for step, _ in itertools.groupby(house.told, lambda told: told[0])]
    assert steps == ["checking", "loading", "timing", "reading"] * 2
    for found in (one, other):
        assert found.tokens > found.scored > found.tokens // 3
        assert found.windows > 2
        assert math.log(found.perplexity) == pytest.approx(found.nats / found.scored)
        assert math.fsum(found.parts) == pytest.approx(found.nats)
        assert len(found.speed.reading) == len(found.speed.writing) == 3
        assert found.memory_bytes > 10_000_000
        assert found.n_ctx == 288
        if method == "overlap":
            assert found.scored_bytes == len(TEXT)
        else:  # of whole chunks the second half
            assert len(TEXT) * 0.35 < found.scored_bytes < len(TEXT) / 2
    assert one.perplexity == pytest.approx(other.perplexity, rel=0.01)
    assert one.bits_per_byte == pytest.approx(other.bits_per_byte, rel=0.01)


def test_what_is_known_is_not_measured_again_unless_that_is_wished(house: House) -> None:
    info, task = starter("starter-base-Q8_0.gguf"), Task(TEXT, window=64)
    first = house.measure(info, task)
    assert house.measure(info, task) == first
    assert len(house.clients) == 1
    again = house.measure(info, Task(TEXT, window=64, again=True))
    assert again.measured_at > first.measured_at
    assert again.nats == pytest.approx(first.nats, rel=1e-3)
    assert house.book.of_text(first.key.text) == (again,)
    assert house.measure(info, Task(TEXT, window=32)).windows > first.windows
    assert len(house.clients) == 3


def test_a_stop_ends_the_process_and_keeps_nothing_half(house: House) -> None:
    info = starter("starter-base-Q8_0.gguf")
    cancel = CancelToken()
    subject = Subject(info, LoadOptions(info.path, info.engine))

    def stop(step: Step, fraction: float) -> None:
        if step == "reading" and fraction > 0:
            cancel.cancel()

    with pytest.raises(StoppedError):
        house.evaluator.evaluate(Task(TEXT, window=16), subject, cancel, stop)
    assert house.clients[0].pid is None
    assert house.measure(info, Task(TEXT, window=16)).scored > 0
    assert len(house.clients) == 2


@pytest.mark.parametrize(
    ("info", "task", "words"),
    [
        (made_up("A", "F16", problem="The file is damaged."), Task(TEXT), "file is damaged"),
        (made_up("A", "F16"), Task("  \n"), "no text to read"),
        (made_up("A", "F16", kind="embedding"), Task(TEXT), "no next word"),
        (made_up("A", "F16", n_ctx_train=256), Task(TEXT), "trained for texts of 256 tokens"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_loaded(
    house: House, info: ModelInfo, task: Task, words: str
) -> None:
    with pytest.raises((InferenceError, UnsupportedRequestError), match=words):
        house.measure(info, task)
    assert not house.clients


def test_one_window_is_for_all_and_no_longer_than_any_was_trained_for() -> None:
    many = [made_up("A", "F16", n_ctx_train=size) for size in (4096, 0, 256)]
    assert common_window(many) == 256
    assert common_window(many[:2]) == 512
    assert common_window(many, 128) == 128
