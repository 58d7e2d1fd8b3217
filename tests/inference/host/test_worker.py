from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError
from inference.host.protocol import Load, Refused, decode_reply, encode
from inference.host.worker import EngineWorker, Job
from inference.types import LoadOptions

if TYPE_CHECKING:
    from inference.engine import Engine, ProgressSink
    from inference.host.protocol import Reply


def refuse(options: LoadOptions, progress: ProgressSink, cancel: CancelToken) -> Engine:
    """Name a tensor as a damaged safetensors header may: JSON can hold half a character."""
    del options, progress, cancel
    raise CorruptCheckpointError("The tensor \ud800.weight is unknown.")


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
