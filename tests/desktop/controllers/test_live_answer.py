"""What an engine says at the end of an answer is what is kept of it."""

from __future__ import annotations

import msgspec

from desktop.controllers.live_answer import LiveAnswer
from desktop.store.records import MessageRecord
from desktop.values import AnswerStats
from inference.events import Finished
from inference.types import Timings, Usage


def test_guesses_of_an_answer_are_kept_with_it() -> None:
    live = LiveAnswer(MessageRecord("a", "c", None, "assistant", ""))
    usage = Usage(10, 33, 4, drafted_tokens=16, accepted_tokens=12)
    live.on_finished(Finished("r", "stop", usage, Timings(tokens_per_s=40.0)))
    kept = live.as_record().stats
    assert kept is not None
    assert (kept.drafted_tokens, kept.accepted_tokens, kept.guesses_taken) == (16, 12, 0.75)
    stored = msgspec.json.decode(msgspec.json.encode(kept), type=AnswerStats)
    assert stored == kept


def test_an_answer_from_before_there_were_guesses_has_none() -> None:
    stored = msgspec.json.decode(b'{"completion_tokens":5,"tokens_per_s":2.0}', type=AnswerStats)
    assert stored.guesses_taken is None
