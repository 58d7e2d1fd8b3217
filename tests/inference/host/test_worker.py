from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, InferenceError
from inference.host.protocol import (
    Inspect,
    Load,
    Loaded,
    Refused,
    Tokenize,
    Tokens,
    decode_reply,
    encode,
)
from inference.host.worker import EngineWorker, Job
from inference.inside.questions import AskNext
from inference.inside.reading import StoppedLookError
from inference.types import LoadOptions
from tests.helpers.fake_engine import FakeEngine, parse

if TYPE_CHECKING:
    from inference.engine import Engine, ProgressSink
    from inference.host.protocol import Reply
    from inference.inside.questions import Finding, Question


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


class Stopped(FakeEngine):
    """Ends every look as a stop does."""

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        raise StoppedLookError


def open_stopped(options: LoadOptions, progress: ProgressSink, cancel: CancelToken) -> Engine:
    del progress, cancel
    return Stopped(parse(options.path), options)


def test_a_look_that_was_stopped_is_refused_in_words_and_the_next_job_is_done() -> None:
    replies: SimpleQueue[Reply] = SimpleQueue()
    worker = EngineWorker(replies.put, open_stopped)
    worker.start()
    worker.submit(Job(Load("1", LoadOptions("fake:", "native")), CancelToken(), lambda: None))
    worker.submit(Job(Inspect("2", AskNext((1,))), CancelToken(), lambda: None))
    worker.submit(Job(Tokenize("3", "Hello"), CancelToken(), lambda: None))
    found = [replies.get(timeout=10) for _ in range(3)]
    refused = next(reply for reply in found if isinstance(reply, Refused))
    assert refused.message == "Looking inside was stopped."
    assert isinstance(found[-1], Tokens)
    worker.close()


def test_every_known_error_can_be_made_again_from_its_words() -> None:
    kinds = [InferenceError]
    for kind in kinds:  # which grows meanwhile
        kinds += kind.__subclasses__()
        again = kind("What happened.", "What to do.", "The log.")
        assert (again.message, again.hint, again.detail) == (
            "What happened.",
            "What to do.",
            "The log.",
        )
    assert StoppedLookError in kinds
