"""Events from threads arrive in the GUI thread: in order, joined, and never too many at once."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QObject, Signal

from desktop.bridge.event_bridge import EventBridge, JoinedTokens, ids_of, join_tokens
from inference.cancel import CancelToken
from inference.events import PromptProgress, TokenEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def bridge(qtbot: QtBot) -> Iterator[EventBridge]:
    del qtbot  # Qt has to be running
    one = EventBridge()
    yield one
    one.close()


def _token(index: int, text: str = "a", request: str = "r") -> TokenEvent:
    return TokenEvent(request, index, index, text, logprob=-1.0)


def test_adjacent_tokens_of_one_answer_are_joined() -> None:
    progress = PromptProgress("r", 1, 2)
    events = [progress, _token(0, "On"), _token(1, "ce"), _token(0, "x", "other"), _token(2, "!")]
    assert join_tokens(events) == (
        progress,
        JoinedTokens("r", 1, 1, "Once", ids=(0, 1)),
        _token(0, "x", "other"),
        _token(2, "!"),
    )
    assert ids_of(JoinedTokens("r", 1, 1, "Once", ids=(7, 1))) == (7, 1)
    assert ids_of(_token(3)) == (3,)
    thought = TokenEvent("r", 0, 0, "hm", kind="thinking")
    assert join_tokens([thought, _token(1)]) == (thought, _token(1))


def test_ten_thousand_events_of_four_threads_all_arrive_in_each_threads_order(
    qtbot: QtBot, bridge: EventBridge
) -> None:
    got: list[tuple[str, int]] = []
    threads_seen = set()

    def take(batch: tuple[object, ...]) -> None:
        threads_seen.add(threading.get_ident())
        got.extend(event for event in batch if isinstance(event, tuple))

    bridge.batch_received.connect(take)

    def produce(name: str) -> None:
        for number in range(2_500):
            assert bridge.post((name, number))

    workers = [threading.Thread(target=produce, args=(name,)) for name in "abcd"]
    for worker in workers:
        worker.start()
    qtbot.waitUntil(lambda: len(got) == 10_000, timeout=20_000)
    for worker in workers:
        worker.join()
    assert threads_seen == {threading.get_ident()}
    for name in "abcd":
        assert [number for who, number in got if who == name] == list(range(2_500))


def test_a_burst_comes_in_few_batches_not_one_signal_each(
    qtbot: QtBot, bridge: EventBridge
) -> None:
    batches: list[tuple[object, ...]] = []
    bridge.batch_received.connect(batches.append)

    def produce() -> None:
        for index in range(500):
            bridge.post(_token(index))
            time.sleep(0.0005)

    worker = threading.Thread(target=produce)
    worker.start()
    qtbot.waitUntil(
        lambda: sum(len(e.text) for b in batches for e in b if isinstance(e, TokenEvent)) == 500,
        timeout=20_000,
    )
    worker.join()
    assert len(batches) < 100
    assert all(len(batch) == 1 for batch in batches)


def test_the_first_event_after_a_pause_does_not_wait_for_the_tick(
    qtbot: QtBot, bridge: EventBridge
) -> None:
    with qtbot.waitSignal(bridge.batch_received, timeout=5_000) as waiting:
        bridge.post("first")
    assert waiting.args == [("first",)]


def test_a_full_inbox_makes_the_producer_wait_and_a_cancel_lets_it_go(qtbot: QtBot) -> None:
    bridge = EventBridge(capacity=3)
    cancel = CancelToken()
    accepted: list[bool] = []

    def produce() -> None:
        accepted.extend(bridge.post(number, cancel) for number in range(5))

    worker = threading.Thread(target=produce)
    worker.start()
    worker.join(0.3)  # the GUI thread does not drain meanwhile
    assert worker.is_alive()
    cancel.cancel()
    worker.join(5)
    assert accepted == [True, True, True, False, False]
    with qtbot.waitSignal(bridge.batch_received, timeout=5_000) as waiting:
        pass
    assert waiting.args == [(0, 1, 2)]
    bridge.close()


def test_closing_lets_a_waiting_producer_go(qtbot: QtBot) -> None:
    del qtbot
    bridge = EventBridge(capacity=1)
    accepted: list[bool] = []
    worker = threading.Thread(target=lambda: accepted.extend(bridge.post(n) for n in range(3)))
    worker.start()
    worker.join(0.2)
    bridge.close()
    worker.join(5)
    assert accepted == [True, False, False]


def test_a_thousand_emits_leave_the_count_of_true_alone(qtbot: QtBot) -> None:
    del qtbot

    class Sender(QObject):
        sent = Signal(bool)

    sender = Sender()
    heard: list[int] = []
    sender.sent.connect(lambda value: heard.append(1) if value else None)
    before = sys.getrefcount(True)
    for _ in range(1_000):
        sender.sent.emit(True)
    assert len(heard) == 1_000
    assert abs(sys.getrefcount(True) - before) < 20
