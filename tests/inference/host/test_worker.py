from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError
from inference.host.protocol import (
    Load,
    Loaded,
    Refused,
    Tokenize,
    Tokens,
    decode_reply,
    encode,
)
from inference.host.worker import EngineWorker, Job
from inference.types import LoadOptions
from tests.helpers.fake_engine import FakeEngine, parse

if TYPE_CHECKING:
    from inference.engine import Engine, ProgressSink
    from inference.host.protocol import Reply


def refuse(options: LoadOptions, progress: ProgressSink, cancel: CancelToken) -> Engine:
    """Name a tensor as a damaged safetensors header may: JSON can hold half a character."""
    del options, progress, cancel
    raise CorruptCheckpointError("The tensor \ud800.weight is unknown.")


class Resting(FakeEngine):
    """Puts work away for ever, unless somebody waits."""

    begun = threading.Event()

    def rest(self, cancel: CancelToken) -> None:
        self.begun.set()
        while not cancel.cancelled:
            time.sleep(0.01)


def open_resting(options: LoadOptions, progress: ProgressSink, cancel: CancelToken) -> Engine:
    del progress, cancel
    return Resting(parse(options.path), options)


def test_a_pause_is_used_to_put_work_away_which_makes_way_for_the_next_job() -> None:
    replies: SimpleQueue[Reply] = SimpleQueue()
    worker = EngineWorker(replies.put, open_resting)
    worker.start()
    worker.submit(Job(Load("1", LoadOptions("fake:", "native")), CancelToken(), lambda: None))
    assert Resting.begun.wait(10)
    worker.submit(Job(Tokenize("2", "Hello"), CancelToken(), lambda: None))
    assert isinstance(replies.get(timeout=10), Loaded)
    assert isinstance(replies.get(timeout=10), Tokens)
    worker.close()


def test_an_error_that_quotes_half_a_character_is_answered_all_the_same() -> None:
    replies: SimpleQueue[Reply] = SimpleQueue()
    worker = EngineWorker(lambda reply: replies.put(decode_reply(encode(reply)[4:])), refuse)
    worker.start()
    worker.submit(Job(Load("1", LoadOptions("x", "native")), CancelToken(), lambda: None))
    reply = replies.get(timeout=10)
    worker.close()
    assert isinstance(reply, Refused)
    assert reply.error == "CorruptCheckpoint"
    assert reply.message == "The tensor ?.weight is unknown."
