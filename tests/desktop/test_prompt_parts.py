"""Whose words a prompt is made of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.inside import Subject, TextSource
from desktop.prompt_parts import parts_before
from inference.types import GenerationRequest, LoadedModel, Message, ModelInfo, TokenPiece

_MODEL = ModelInfo("m", "M", "/m", "gguf")
_START, _END = "<|im_start|>", "<|im_end|>"


def pieces(*texts: str | bytes) -> tuple[TokenPiece, ...]:
    return tuple(
        TokenPiece(n, "\ufffd", raw=text)
        if isinstance(text, bytes)
        else TokenPiece(n, text, special=text in {_START, _END})
        for n, text in enumerate(texts)
    )


def subject(
    prompt: tuple[TokenPiece, ...],
    messages: tuple[Message, ...] | None,
    answer: tuple[TokenPiece, ...] = (),
) -> Subject:
    text = None if messages is not None else "x"
    source = TextSource("t", GenerationRequest("r", messages=messages, text=text))
    tokens = (*prompt, *answer)
    return Subject(source, _MODEL, _LOADED, tokens, len(prompt), len(tokens))


_LOADED = LoadedModel(
    engine="gguf", name="M", architecture="llama", n_ctx=64, n_ctx_train=64, n_vocab=320,
    n_layers=2, parameters=1, has_chat_template=True, device="CPU", gpu_layers=0,
    device_reason="", dtype="F32", threads=1, load_s=0.0, weights_bytes=0, kv_cache_bytes=0,
    adds_bos=False, eos_ids=(),
)  # fmt: skip

CHAT = pieces(
    _START, "user", "\n", "What", " is", " user", "?", _END, "\n", _START, "assistant", "\n"
)


def test_a_chat_is_parted_into_what_was_said_and_the_marks_around_it() -> None:
    said = (Message("user", "What is user?"),)
    one = subject(CHAT, said, pieces("A", " piece"))
    told = [(part.speaker, part.text) for part in parts_before(one)]
    assert told == [
        ("template", f"{_START}user\n"),
        ("user", "What is user?"),
        ("template", f"{_END}\n{_START}assistant\n"),
        ("assistant", "A piece"),
    ]
    assert [part.pieces for part in parts_before(one)] == [
        range(3), range(3, 7), range(7, 12), range(12, 14),
    ]  # fmt: skip


def test_it_ends_at_the_place_looked_at() -> None:
    one = replace(subject(CHAT, (Message("user", "What is user?"),)), chosen=5)
    assert [(part.speaker, part.text) for part in parts_before(one)] == [
        ("template", f"{_START}user\n"),
        ("user", "What is"),
    ]


def test_white_space_that_the_template_trims_is_no_obstacle() -> None:
    one = subject(CHAT, (Message("user", "\n What is user?  "),))
    assert parts_before(one)[1].text == "What is user?"


def test_a_message_that_the_template_rewrote_leaves_the_prompt_whole() -> None:
    one = subject(CHAT, (Message("user", "Something else"),), pieces("A"))
    assert [part.speaker for part in parts_before(one)] == ["prompt", "assistant"]


def test_a_text_is_one_part_and_half_a_letter_stays_with_its_neighbour() -> None:
    one = subject(pieces("caf", b"\xc3", b"\xa9", "!"), None)
    (part,) = parts_before(one)
    assert (part.speaker, part.text, part.pieces) == ("text", "café!", range(4))


def test_a_message_without_words_makes_no_part() -> None:
    one = subject(CHAT, (Message("system", ""), Message("user", "What is user?")))
    assert [part.speaker for part in parts_before(one)] == ["template", "user", "template"]


@given(
    st.lists(st.text("ab ü\n", max_size=6), min_size=1, max_size=4),
    st.integers(1, 60),
)
def test_parts_hold_every_byte_and_every_token_once(said: list[str], chosen: int) -> None:
    texts = [text for one in said for text in (_START, "user", *one, _END)]
    tokens = pieces(*texts)
    one = subject(tokens, tuple(Message("user", text) for text in said))
    one = replace(one, chosen=min(chosen, len(tokens)))
    parts = parts_before(one)
    before = tokens[: one.chosen]
    assert b"".join(part.data for part in parts) == b"".join(piece.data for piece in before)
    assert [place for part in parts for place in part.pieces] == list(range(len(before)))
    assert all(part.data for part in parts)


@pytest.mark.parametrize(("chosen", "going_on"), [(14, "A piece"), (12, "")])
def test_an_answer_goes_on_as_a_chat(chosen: int, going_on: str) -> None:
    one = subject(CHAT, (Message("user", "What is user?"),), pieces("A", " piece"))
    one = replace(one, chosen=chosen)
    assert one.going_on == going_on
    source = one.answer_with(" of")
    assert source is not None
    assert source.answer == f"{going_on} of"
    assert source.request.messages == one.source.request.messages


def test_no_answer_goes_on_within_a_question_or_a_text() -> None:
    chat = replace(subject(CHAT, (Message("user", "What is user?"),)), chosen=5)
    assert chat.answer_with("x") is None
    text = subject(pieces("Once", " upon"), None)
    assert text.answer_with("x") is None
    assert text.going_on == "Once upon"
