"""An answer is looked at in the very tokens that were written, on both engines."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from desktop.bridge.event_bridge import ids_of
from desktop.controllers import requests
from desktop.views.inside.reading_note import ReadingNote
from desktop.views.inside.tokens import TokensView
from desktop.widgets.charts.origin import OriginLabel
from inference.events import TokenEvent
from tests.desktop.views.inside.house import WAIT_MS, Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop.values import MessageView
    from inference.types import TokenPiece

ENGINES = pytest.mark.parametrize("engine", ["gguf", "native"])


@pytest.fixture
def ids(inside: Inside) -> Iterator[list[int]]:
    """The id of every token that the engine tells of."""
    heard: list[int] = []

    def hear(event: object) -> None:
        if isinstance(event, TokenEvent):
            heard.extend(ids_of(event))

    told = inside.parts.engines.answer_event_received
    told.connect(hear)
    yield heard
    told.disconnect(hear)


def load(inside: Inside, engine: str) -> None:
    engines = inside.parts.engines
    names = [row.info for row in engines.models().rows]
    wanted = next(m for m in names if m.bundled and m.kind == "instruct" and m.engine == engine)
    engines.load(wanted.id)
    state = engines.state
    inside.qtbot.waitUntil(
        lambda: state().status == "ready" and state().model == wanted, timeout=WAIT_MS
    )


def ended(inside: Inside) -> MessageView:
    chats = inside.parts.chats
    inside.qtbot.waitUntil(
        lambda: (
            bool(chats.current().messages)
            and chats.current().messages[-1].role == "assistant"
            and chats.current().messages[-1].state in {"complete", "stopped", "failed"}
        ),
        timeout=WAIT_MS,
    )
    return chats.current().messages[-1]


def ask(inside: Inside, text: str, seed: int, stop: tuple[str, ...] = ()) -> MessageView:
    """Ask so wildly that the tokens are seldom those that the text would be cut into."""
    chats = inside.parts.chats
    chats.new_chat()
    wild = msgspec.structs.replace(
        chats.current().sampling,
        temperature=2.5, top_k=0, top_p=1.0, min_p=0.0, seed=seed, max_tokens=40,
        stop=stop,
    )  # fmt: skip
    chats.set_sampling(wild)
    chats.send(text)
    return ended(inside)


def look(inside: Inside, message_id: str) -> None:
    inside.parts.column.inside_requested.emit(message_id, "", 0)
    inside.settle()


@ENGINES
def test_the_tokens_looked_at_are_those_that_the_engine_wrote(
    inside: Inside, ids: list[int], engine: str
) -> None:
    load(inside, engine)
    differed = False
    for seed in range(1, 6):
        ids.clear()
        answer = ask(inside, "Tell me a story about a boat.", seed)
        look(inside, answer.id)
        subject = inside.controller.subject()
        assert subject is not None
        assert subject.reading == "as written"
        written = list(ids)
        assert written
        assert list(subject.ids[subject.answer_start :]) == written
        assert inside.find(ReadingNote, "inside_reading").isHidden()
        inside.controller.open_text(answer.text)
        inside.settle()
        anew = inside.controller.subject()
        assert anew is not None
        differed = differed or list(anew.ids[-len(written) :]) != written
    assert differed  # else cutting the text anew would have done


@ENGINES
def test_an_answer_that_was_continued_begins_with_what_was_read_of_it(
    inside: Inside, ids: list[int], engine: str
) -> None:
    load(inside, engine)
    ask(inside, "Tell me a story about a goat.", 3)
    chats = inside.parts.chats
    begun = "Once upon a time a goat"
    ids.clear()
    chats.continue_as(chats.current().messages[-1].id, begun)
    answer = ended(inside)
    assert answer.text.startswith(begun)
    look(inside, answer.id)
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.reading == "as written"  # the prompt's digest counts the beginning in
    written = list(ids)
    assert list(subject.ids[-len(written) :]) == written
    before = "".join(piece.text for piece in subject.tokens[subject.answer_start : -len(written)])
    assert before == begun


def half_of_a_token(tokens: tuple[TokenPiece, ...], text: str) -> str:
    """Return the end of a token and all of the next one, where that comes but once."""
    for one, other in itertools.pairwise(tokens):
        stop = one.text[-1:] + other.text
        if len(one.text) > 2 and stop.isascii() and text.count(stop) == 1:
            return stop
    raise AssertionError(text)


@ENGINES
def test_a_token_that_a_stop_text_cut_in_two_says_how_it_went_on(
    inside: Inside, ids: list[int], engine: str
) -> None:
    load(inside, engine)
    question = "Tell me a story about a lamp."
    whole = ask(inside, question, 4)
    look(inside, whole.id)
    before = inside.controller.subject()
    assert before is not None
    assert before.cut_off == ""
    stop = half_of_a_token(before.tokens[before.answer_start :], whole.text)
    ids.clear()
    answer = ask(inside, question, 4, (stop,))
    assert answer.text == whole.text[: whole.text.index(stop)]
    inside.page.open_view("tokens")
    look(inside, answer.id)
    subject = inside.controller.subject()
    assert subject is not None
    assert list(subject.ids[subject.answer_start :]) == ids
    assert subject.cut_off == stop[0]
    words = [one.text() for one in inside.page.findChildren(QLabel)]
    assert any("a stop text ended the answer" in text for text in words)


def test_what_is_not_sure_to_be_what_the_model_had_is_said(inside: Inside) -> None:
    load(inside, "gguf")
    answer = ask(inside, "Tell me a story about a kite.", 1)
    note: ReadingNote = inside.find(ReadingNote, "inside_reading")
    with inside.parts.database.transaction() as connection:
        connection.execute("UPDATE messages SET tokens = x'' WHERE id = ?", (answer.id,))
    chats = inside.parts.chats
    chat_id = chats.current().id
    chats.new_chat()
    chats.open_chat(chat_id)  # as after a restart
    look(inside, answer.id)
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.reading == "cut anew"
    assert note.isVisible()
    inside.page.open_view("tokens")
    told = inside.find(TokensView, "inside_tokens").findChildren(OriginLabel)
    assert any("cut anew" in one.accessibleName() for one in told)
    assert "anew" in note.accessibleName()
    load(inside, "native")
    inside.settle()
    inside.qtbot.waitUntil(lambda: "wrote this" in note.accessibleName(), timeout=WAIT_MS)
    button = inside.find(QWidget, "inside_reading_load")
    assert button.isVisible()
    button.click()
    state = inside.parts.engines.state
    inside.qtbot.waitUntil(
        lambda: state().status == "ready" and state().loaded.engine == "gguf",  # type: ignore[union-attr]
        timeout=WAIT_MS,
    )
    inside.settle()
    assert "anew" in note.accessibleName()


def test_a_prompt_that_comes_out_differently_today_is_said(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(inside, "gguf")
    answer = ask(inside, "Tell me a story about a tree.", 1)
    real = requests.chat_request

    def changed(request_id: str, branch: object, system: str, *rest: object, **named: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
        del system
        return real(request_id, branch, "It is another day.", *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(requests, "chat_request", changed)
    look(inside, answer.id)
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.reading == "other prompt"
    assert inside.find(ReadingNote, "inside_reading").isVisible()


def test_an_answer_of_a_deleted_chat_is_no_longer_looked_at_until_that_is_taken_back(
    inside: Inside,
) -> None:
    load(inside, "gguf")
    answer = ask(inside, "Tell me a story about a bird.", 3)
    look(inside, answer.id)
    chats = inside.parts.chats
    chats.delete_chat(chats.current().id)
    assert inside.controller.subject() is None
    assert inside.find(QLineEdit, "inside_own_text").isVisible()
    chats.undo_delete()
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.source.message_id == answer.id


def test_deleting_another_chat_leaves_what_is_looked_at(inside: Inside) -> None:
    load(inside, "gguf")
    other = ask(inside, "Tell me a story about a cat.", 3)
    chats = inside.parts.chats
    deleted = chats.current().id
    answer = ask(inside, "Tell me a story about a bird.", 3)
    look(inside, answer.id)
    chats.delete_chat(deleted)
    inside.settle()
    subject = inside.controller.subject()
    assert subject is not None
    assert subject.source.message_id == answer.id != other.id
