"""From a branch to a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.controllers.message_views import title_from
from desktop.controllers.requests import chat_request, completion_request, text_source
from desktop.store.records import ChatRecord, MessageRecord
from inference.types import Message, SamplingParams


def _said(*turns: tuple[str, str]) -> list[MessageRecord]:
    return [
        MessageRecord(str(n), "c", None, role, text)  # type: ignore[arg-type]
        for n, (role, text) in enumerate(turns)
    ]


def test_a_chat_has_the_system_prompt_first_and_no_empty_answers() -> None:
    branch = _said(("user", "Hi"), ("assistant", ""), ("user", "Again"))
    request = chat_request("r", branch, "Be brief.", SamplingParams(top_k=3), chat_id="c")
    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("user", "Again"),
    )
    assert request.sampling.top_k == 3
    bare = chat_request("r", branch, "", SamplingParams(), chat_id="c")
    assert bare.messages is not None
    assert bare.messages[0].role == "user"


@pytest.mark.parametrize(
    ("turns", "so_far", "text"),
    [
        ([("user", "Once")], "", "Once"),
        ([("user", "Once")], " upon", "Once upon"),
        (
            [("user", "Once"), ("assistant", " upon a time."), ("user", "Then")],
            "",
            "Once upon a time.\nThen",
        ),
        ([("user", "One\n"), ("user", "two")], "", "One\ntwo"),
        ([("user", "One"), ("user", " two")], "", "One two"),
    ],
)
def test_a_completion_is_the_whole_text(
    turns: list[tuple[str, str]], so_far: str, text: str
) -> None:
    request = completion_request("r", _said(*turns), so_far, SamplingParams(), chat_id="c")
    assert request.text == text
    assert request.messages is None


def test_a_question_is_looked_at_as_the_model_that_answers_it_reads_it() -> None:
    chat = ChatRecord("c", "Cats", 0.0, 0.0)
    said = _said(("user", "Once"), ("assistant", " upon a time"), ("user", "Then"))
    continued = [said[0], replace(said[1], model_id="m", is_completion=True), said[2]]
    for message, text in (("0", "Once"), ("2", "Once upon a time\nThen")):
        source = text_source(continued, message, chat, "", 0)
        assert source is not None
        assert source.request.text == text
        assert source.request.messages is None
    source = text_source(continued, "1", chat, "a", 0)
    assert source is not None
    assert (source.question, source.answer) == ("Once", " upon a time")  # shown as one text
    answered = [said[0], replace(said[1], model_id="m"), said[2]]
    for branch in (said, answered):
        source = text_source(branch, "0", chat, "Once", 0)
        assert source is not None
        assert source.request.messages == (Message("user", "Once"),)
        assert (source.word, source.occurrence, source.question) == ("Once", 0, "Once")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hi", "Hi"),
        ("  two\n lines  ", "two lines"),
        ("", "New chat"),
        ("word " * 30, "word word word word word word word word word…"),
        ("x" * 80, "x" * 48 + "…"),
        (
            "Names, for a café that is small, cheap, and loud",
            "Names, for a café that is small, cheap, and loud",
        ),
    ],
)
def test_a_title_is_the_beginning_cut_at_a_word(text: str, title: str) -> None:
    assert title_from(text) == title
