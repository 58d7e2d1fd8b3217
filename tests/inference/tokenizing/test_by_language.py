from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.cancel import CancelToken
from inference.tokenizing.by_language import MARKS, by_language
from inference.tokenizing.job import cut_texts, tell_languages
from inference.tokenizing.languages import NO_WORDS, NOT_TOLD, Told, teller
from inference.tokenizing.orders import Cut, CutText, LanguageCost, TellLanguages
from inference.types import TokenPiece
from tests.inference.tokenizing.test_job import FILE, FOLDER
from tests.inference.tokenizing.test_languages import MIXED, STORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Teller = Callable[[str], Sequence[Told]]

ENGLISH = "The old woman lived here with her cat."
CHINESE = "里面住着一位老奶奶和她的猫。"


@pytest.fixture(scope="module")
def tell() -> Teller:
    return teller()


def pieces(*texts: str) -> tuple[TokenPiece, ...]:
    return tuple(TokenPiece(n, text, text.startswith("<|")) for n, text in enumerate(texts))


def in_bytes(text: str) -> tuple[TokenPiece, ...]:
    return tuple(TokenPiece(one, "\ufffd", raw=bytes([one])) for one in text.encode())


def named(costs: tuple[LanguageCost, ...]) -> dict[str, LanguageCost]:
    return {one.name: one for one in costs}


def test_words_letters_bytes_and_tokens_are_counted_for_each_language(tell: Teller) -> None:
    text = (*pieces(*ENGLISH.replace(" ", "\0 ").split("\0")), *pieces("\n\n"), *in_bytes(CHINESE))
    assert by_language(text, tell) == (
        LanguageCost("zh", "Chinese", None, 14, 42, 42),
        LanguageCost("en", "English", 8, 40, 40, 9),
    )


def test_a_token_belongs_to_the_passage_of_its_first_letter(tell: Teller) -> None:
    text = pieces(
        "Diese Zeile beginnt auf Deutsch.", " And", " it goes on in English now, as seen."
    )
    found = named(by_language(text, tell))
    assert (found["German"].tokens, found["English"].tokens) == (1, 2)


def test_special_tokens_are_a_row_of_their_own_at_the_end(tell: Teller) -> None:
    text = pieces("<|begin|>", ENGLISH, "<|end|>", "Ja.", " ", "...")
    found = by_language(text, tell)
    assert [(one.name, one.tokens) for one in found] == [
        ("English", 1), (NOT_TOLD, 2), (NO_WORDS, 1), ("special tokens", 2),
    ]  # fmt: skip
    assert [one.language for one in found] == ["en", "", "", ""]


def test_what_a_template_puts_around_a_chat_counts_as_its_marks(tell: Teller) -> None:
    chat = pieces("<|start|>", "user", "\n", ENGLISH, "<|end|>", "\n", "<|start|>", "assistant\n")
    chat += pieces("Es war einmal ein kleines", " Haus am Rande des Waldes.")
    said = (f" {ENGLISH}\n", "Es war einmal ein kleines Haus am Rande des Waldes.")
    found = by_language(chat, tell, said)
    assert [(one.name, one.tokens) for one in found] == [("German", 2), ("English", 1), (MARKS, 7)]
    assert found[-1].words is None


def test_a_message_that_a_template_changed_is_found_by_its_lines(tell: Teller) -> None:
    chat = pieces("user: ", STORIES["de"], "\n", "bot: ", STORIES["en"])
    thought = f"<think>\nhm\n</think>\n{STORIES['de']}"
    found = named(by_language(chat, tell, (thought, STORIES["en"])))
    assert {name: one.tokens for name, one in found.items()} == {
        "German": 1, "English": 1, MARKS: 3,
    }  # fmt: skip
    shouted = by_language(pieces("<|x|>", STORIES["en"].upper()), tell, (STORIES["en"],))
    assert [(one.name, one.tokens) for one in shouted] == [("English", 1), (MARKS, 1)]


def test_a_word_of_a_message_is_not_looked_for_within_other_words(tell: Teller) -> None:
    chat = pieces("<|x|>", "assistant", "<|y|>", "a")
    assert [(one.name, one.tokens) for one in by_language(chat, tell, ("a",))] == [
        (NOT_TOLD, 1), (MARKS, 3),
    ]  # fmt: skip


@given(st.lists(st.binary(min_size=0, max_size=5), max_size=20), st.lists(st.text(max_size=4)))
def test_every_token_is_counted_once_whatever_its_bytes(data: list[bytes], said: list[str]) -> None:
    def half(text: str) -> list[Told]:
        middle = len(text) // 2
        return [Told(0, middle, "en"), Told(middle, len(text), NO_WORDS)]

    text = [
        TokenPiece(n, own.decode("utf-8", "replace"), n % 5 == 4, own) for n, own in enumerate(data)
    ]
    costs = by_language(text, half, said)
    assert sum(one.tokens for one in costs) == len(text)


@pytest.mark.parametrize("path", [FILE, FOLDER])
def test_a_process_tells_what_each_language_costs_each_tokenizer(path: object) -> None:
    (cut,) = cut_texts(CutText((str(path),), MIXED, languages=True), CancelToken())
    assert isinstance(cut, Cut)
    assert {one.language for one in cut.languages} == set(STORIES)
    assert sum(one.tokens for one in cut.languages) == len(cut.tokens)
    assert sum(one.n_bytes for one in cut.languages) == len(MIXED.encode())
    assert sum(one.characters for one in cut.languages) == len(MIXED)
    alone = tell_languages(TellLanguages(cut.tokens), CancelToken())
    assert alone.costs == cut.languages
    (without,) = cut_texts(CutText((str(path),), MIXED), CancelToken())
    assert isinstance(without, Cut)
    assert without.languages == ()
