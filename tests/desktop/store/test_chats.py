"""Chats as a tree in a real database."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from desktop.store.chats import Chats, new_id
from desktop.store.database import Database
from desktop.store.records import UNFINISHED, AnswerSettings, ChatRecord, MessageRecord
from desktop.values import AnswerStats, Problem
from inference.errors import StoreError
from inference.types import LoadOptions, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desktop.values import MessageState
    from inference.types import Role


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "db")) as database:
        yield database


@pytest.fixture
def chats(db: Database) -> Chats:
    return Chats(db)


def _chat(chats: Chats, title: str = "Bread", at: float = 1.0) -> str:
    chat = ChatRecord(new_id(), title, at, at)
    chats.add(chat)
    return chat.id


def _say(
    chats: Chats,
    chat_id: str,
    parent: str | None,
    text: str,
    *,
    role: Role = "user",
    state: MessageState = "complete",
) -> str:
    message = MessageRecord(new_id(), chat_id, parent, role, text, state, created_at=2.0)
    chats.add_message(message)
    return message.id


def test_a_chat_comes_back_with_everything_it_was_given(chats: Chats) -> None:
    sampling = SamplingParams(temperature=0.1, seed=7, stop=("END",))
    chat = ChatRecord(new_id(), "Bread", 1.0, 2.0, True, "starter", "Be brief.", sampling, None)
    chats.add(chat)
    assert chats.get(chat.id) == chat
    chats.set_system_prompt(chat.id, "Be long.")
    chats.set_sampling(chat.id, SamplingParams(top_k=3))
    chats.set_model(chat.id, "other")
    changed = chats.get(chat.id)
    assert changed is not None
    assert changed.system_prompt == "Be long."
    assert changed.sampling == SamplingParams(top_k=3)
    assert changed.model_id == "other"


def test_the_list_has_pinned_chats_first_and_then_the_latest(chats: Chats) -> None:
    old, new, newest = (_chat(chats, str(n), at=n) for n in (1.0, 2.0, 3.0))
    chats.pin(old, pinned=True)
    assert [row.id for row in chats.list()] == [old, newest, new]
    chats.pin(old, pinned=False)
    chats.rename(old, "Renamed")
    assert [row.title for row in chats.list()] == ["3.0", "2.0", "Renamed"]


def test_an_answer_keeps_model_settings_seed_figures_and_problem(chats: Chats) -> None:
    chat = _chat(chats)
    question = _say(chats, chat, None, "Why salt?")
    answer = MessageRecord(
        new_id(),
        chat,
        question,
        "assistant",
        "Because",
        "failed",
        3.0,
        "starter",
        "Starter",
        "native",
        True,
        AnswerSettings(SamplingParams(seed=9), "Be brief.", LoadOptions("p", "native"), "CPU", 512),
        AnswerStats(3, 1.5, 0.2, 10, 13, 512),
        Problem("The engine stopped.", "The text is kept.", "Try again.", "signal 9"),
    )
    chats.add_message(answer)
    assert chats.branch(answer.id)[-1] == answer
    assert chats.list()[0].has_problem


def test_edit_and_regenerate_make_siblings_that_can_be_stepped_through(chats: Chats) -> None:
    chat = _chat(chats)
    first = _say(chats, chat, None, "one")
    answer = _say(chats, chat, first, "answer 1", role="assistant")
    again = _say(chats, chat, first, "answer 2", role="assistant")
    follow = _say(chats, chat, again, "and then")
    edited = _say(chats, chat, None, "one, edited")
    assert [m.id for m in chats.branch(edited)] == [edited]
    assert (chats.message(edited).version, chats.message(edited).versions) == (2, 2)

    assert chats.show_version(edited, -1) == follow  # down to the newest below it
    record = chats.get(chat)
    assert record is not None
    assert record.active_leaf == follow
    shown = chats.branch(follow)
    assert [m.id for m in shown] == [first, again, follow]
    assert [(m.version, m.versions) for m in shown] == [(1, 2), (2, 2), (1, 1)]
    assert chats.show_version(again, -1) == answer
    assert chats.show_version(answer, -1) is None
    assert chats.show_version(edited, 1) is None


def test_the_first_messages_of_two_chats_are_no_siblings(chats: Chats) -> None:
    one, two = _chat(chats), _chat(chats)
    first, second = _say(chats, one, None, "a"), _say(chats, two, None, "b")
    assert chats.message(first).versions == 1
    assert chats.show_version(second, -1) is None


def test_the_ids_of_an_answer_are_kept_with_what_is_written_of_it(chats: Chats) -> None:
    chat = _chat(chats)
    answer = _say(chats, chat, None, "", role="assistant", state="waiting")
    assert chats.message(answer).tokens == b""
    chats.save_partial(answer, "Once", b"1234")
    assert chats.message(answer).tokens == b"1234"
    ended = replace(chats.message(answer), text="Once upon", state="complete", tokens=b"12345678")
    chats.save_answer(ended)
    assert chats.message(answer).tokens == b"12345678"


def test_a_late_partial_save_cannot_overwrite_the_end(chats: Chats) -> None:
    chat = _chat(chats)
    answer = _say(chats, chat, None, "", role="assistant", state="waiting")
    assert chats.save_partial(answer, "Once")
    assert (chats.message(answer).text, chats.message(answer).state) == ("Once", "streaming")
    chats.save_answer(MessageRecord(answer, chat, None, "assistant", "Once upon a time."))
    assert not chats.save_partial(answer, "Once upon")
    assert chats.message(answer).text == "Once upon a time."


@pytest.mark.parametrize("state", UNFINISHED)
def test_an_answer_left_unfinished_by_a_crash_is_stopped_and_kept(
    chats: Chats, state: MessageState
) -> None:
    chat = _chat(chats)
    answer = _say(chats, chat, None, "half a sent", role="assistant", state=state)
    done = _say(chats, chat, None, "done", role="assistant")
    why = Problem("Closed.", "Kept.")
    assert chats.recover_interrupted(why) == 1
    message = chats.message(answer)
    assert (message.state, message.text, message.problem) == ("stopped", "half a sent", why)
    assert chats.message(done).problem is None
    assert chats.recover_interrupted(why) == 0


def test_a_deleted_chat_comes_back_whole_until_it_is_purged(chats: Chats, db: Database) -> None:
    chat = _chat(chats)
    message = _say(chats, chat, None, "secretword")
    chats.delete(chat)
    assert chats.list() == ()
    assert chats.get(chat) is None
    assert chats.purge_deleted(time.time() - 3600) == ()
    chats.restore(chat)
    assert [m.id for m in chats.branch(message)] == [message]
    chats.delete(chat)
    assert chats.purge_deleted(time.time()) == (chat,)
    assert chats.branch(message) == ()
    assert db.rows("SELECT count(*) FROM messages") == [(0,)]


def test_a_purged_text_leaves_no_bytes_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own"
    with closing(Database.open(path)) as database:
        chats = Chats(database)
        chat = _chat(chats)
        _say(chats, chat, None, "xylophonesecret")
        chats.delete(chat)
        chats.purge_deleted(time.time())
    assert b"xylophonesecret" not in path.read_bytes()


def test_a_late_partial_text_does_not_shorten_an_answer_that_is_continued(chats: Chats) -> None:
    chat = _chat(chats)
    answer = _say(chats, chat, None, "", role="assistant", state="streaming")
    assert chats.save_partial(answer, "Once upon")
    ended = replace(chats.message(answer), text="Once upon a time", state="stopped")
    chats.save_answer(ended)
    chats.save_answer(replace(ended, state="waiting"))
    assert not chats.save_partial(answer, "Once upon a")
    assert chats.message(answer).text == "Once upon a time"
    assert chats.save_partial(answer, "Once upon a time there")


def test_a_missing_message_is_a_sentence(chats: Chats) -> None:
    with pytest.raises(StoreError, match="no longer there"):
        chats.message("nothing")


def test_a_branch_of_four_hundred_messages_reads_in_a_blink(chats: Chats) -> None:
    chat, parent = _chat(chats), None
    for count in range(400):
        parent = _say(chats, chat, parent, f"text {count}")
    start = time.monotonic()
    assert len(chats.branch(parent)) == 400
    assert time.monotonic() - start < 2.0
