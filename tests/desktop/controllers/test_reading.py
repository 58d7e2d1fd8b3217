"""A word of an answer is found in its tokens, also where its letters are cut in two."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from desktop.controllers.reading import read_text
from desktop.inside import TextSource
from inference.cancel import CancelToken
from inference.types import GenerationRequest, ModelInfo
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop.controllers.engine_worker import EngineClientLike
    from inference.engine import Engine

ANSWER = "Tea \u8336 and \U0001f375 twice: \u8336, tea."


@pytest.fixture(scope="module", params=["native", "gguf"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with closing(opened(request.param, tmp_path_factory.mktemp("net"), draft="")) as engine:
        yield engine


def before(engine: Engine, word: str, occurrence: int) -> str:
    """Return what of the answer stands before the place where looking begins."""
    request = GenerationRequest("r", text="Say it.")
    source = TextSource("A chat", request, ANSWER, word, occurrence)
    model = ModelInfo("tiny", "Tiny", "tiny", engine.loaded.engine)
    client = cast("EngineClientLike", engine)
    subject = read_text(client, source, model, engine.loaded, CancelToken())
    data = b"".join(piece.data for piece in subject.tokens[subject.answer_start : subject.chosen])
    return data.decode().strip()  # whole letters only


def test_a_letter_in_several_tokens_begins_in_the_first_of_them(engine: Engine) -> None:
    assert max(len(engine.tokenize(letter)) for letter in "\u8336\U0001f375") > 1
    assert before(engine, "\u8336", 0) == "Tea"
    assert before(engine, "\U0001f375", 0) == "Tea \u8336 and"
    assert before(engine, "\u8336", 1) == "Tea \u8336 and \U0001f375 twice:"


def test_a_word_behind_such_letters_is_found(engine: Engine) -> None:
    assert before(engine, "twice", 0) == "Tea \u8336 and \U0001f375"
    assert before(engine, "tea", 0) == "Tea \u8336 and \U0001f375 twice: \u8336,"


def test_a_word_of_the_question_is_found_in_the_newest_one_of_the_prompt(engine: Engine) -> None:
    text = "Tea or coffee? Say tea. Tea or tea, and tealess tea?"
    for word, occurrence, answer, stands_before in (
        ("tea", 0, "", "Tea or coffee? Say tea. Tea or"),
        ("tea", 1, "", "Tea or coffee? Say tea. Tea or tea, and tealess"),
        ("Tea", 0, "", "Tea or coffee? Say tea."),
        ("Tea", 0, " Green tea", "Tea or coffee? Say tea."),  # one text with what continues it
        ("tea", 2, " Green tea", "tealess tea? Green"),
    ):
        request = GenerationRequest("r", text=text)
        asked = " Tea or tea, and tealess tea?"
        source = TextSource("A chat", request, answer, word, occurrence, question=asked)
        model = ModelInfo("tiny", "Tiny", "tiny", engine.loaded.engine)
        client = cast("EngineClientLike", engine)
        subject = read_text(client, source, model, engine.loaded, CancelToken())
        data = b"".join(piece.data for piece in subject.tokens[: subject.chosen])
        assert data.decode().strip().endswith(stands_before)


def test_without_such_a_word_what_follows_the_question_is_looked_at(engine: Engine) -> None:
    for word, asked in (("milk", "Tea?"), ("Tea", "Another text."), ("", "Tea?")):
        source = TextSource("A chat", GenerationRequest("r", text="Tea?"), "", word, question=asked)
        model = ModelInfo("tiny", "Tiny", "tiny", engine.loaded.engine)
        client = cast("EngineClientLike", engine)
        subject = read_text(client, source, model, engine.loaded, CancelToken())
        assert subject.chosen == len(subject.tokens)
