"""Words are put together from tokens as the text has them, broken characters included."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.inside.words import Word, scored_bytes, spans_of, words_of
from inference.types import TokenPiece

BOS = TokenPiece(1, "<s>", special=True)


def pieces(*texts: str) -> tuple[TokenPiece, ...]:
    return tuple(TokenPiece(n, text) for n, text in enumerate(texts, start=5))


def by_bytes(text: str, cuts: set[int]) -> tuple[TokenPiece, ...]:
    """Cut a text anywhere, as a tokenizer over bytes may: parts of characters show as U+FFFD."""
    data = text.encode()
    places = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    return pieces(*(data[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(places)))


def test_the_surprise_of_a_word_is_that_of_its_tokens() -> None:
    tokens = (BOS, *pieces("Once", " up", "on", " a", "\n", "\n", "time", "."))
    logprobs = (None, *(math.log(0.5) * n for n in range(1, 9)))
    words = words_of("Once upon a\n\ntime.", tokens, logprobs)
    assert [word.text for word in words] == ["Once", " upon", " a", "\n\ntime."]
    assert [(word.first, word.stop) for word in words] == [(0, 2), (2, 4), (4, 5), (5, 9)]
    assert [word.bits for word in words] == pytest.approx([1, 2 + 3, 4, 5 + 6 + 7 + 8])


def test_white_space_at_the_end_belongs_to_the_last_word() -> None:
    words = words_of("one two \n", pieces("one", " two", " ", "\n"), (None, -1.0, -2.0, -3.0))
    assert [word.text for word in words] == ["one", " two \n"]
    assert words[1].bits == pytest.approx(6 / math.log(2))


def test_a_word_without_a_score_has_no_surprise() -> None:
    words = words_of("one two", pieces("one", " two"), (None, -1.0))
    assert [word.bits for word in words] == [None, 1 / math.log(2)]


def test_writing_without_spaces_has_a_word_for_each_token() -> None:
    text = "今日は good 날씨"
    words = words_of(text, pieces("今日", "は", " good", " 날", "씨"), (None,) * 5)
    assert [word.text for word in words] == ["今日", "は", " good", " 날씨"]


def test_tokens_that_are_parts_of_a_character_share_it() -> None:
    text = "a 🙂 b"
    tokens = pieces("a", " \ufffd", "\ufffd", "\ufffd", " b")
    assert spans_of(text, tokens) == ((0, 1), (1, 3), (3, 3), (3, 3), (3, 5))
    words = words_of(text, tokens, (None, -1.0, -2.0, -3.0, -4.0))
    assert [word.text for word in words] == ["a", " 🙂", " b"]
    assert scored_bytes(text, tokens, (None, -1.0, -2.0, -3.0, -4.0)) == len(" 🙂 b".encode())


def test_a_space_that_a_tokenizer_puts_first_is_not_of_the_text() -> None:
    assert spans_of("Once more", (BOS, *pieces(" Once", " more"))) == ((0, 0), (0, 4), (4, 9))
    assert scored_bytes("Once more", (BOS, *pieces(" Once", " more")), (None, -1, -1)) == 9


def test_tokens_of_another_text_are_shown_as_they_are_and_their_bytes_are_not_known() -> None:
    tokens = pieces("ca", "fe", " bar")
    assert spans_of("Café bar", tokens) is None
    assert [word.text for word in words_of("Café bar", tokens, (None,) * 3)] == ["cafe", " bar"]
    assert scored_bytes("Café bar", tokens, (None, -1.0, -1.0)) is None
    assert scored_bytes("Café bar", (BOS, *tokens), (None, -1.0, -1.0, -1.0)) == 9


@given(st.text(max_size=40), st.sets(st.integers(1, 120)))
def test_words_are_the_whole_text_in_order_however_it_is_cut(text: str, cuts: set[int]) -> None:
    tokens = by_bytes(text.replace("\ufffd", "?"), cuts)
    text = text.replace("\ufffd", "?").encode("utf-8", "replace").decode()
    spans = spans_of(text, tokens)
    words: tuple[Word, ...] = words_of(text, tokens, tuple(-1.0 for _ in tokens))
    if spans is not None:
        assert "".join(word.text for word in words) == text
        assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert [index for word in words for index in range(word.first, word.stop)] == list(
        range(len(tokens))
    )
    assert math.isclose(
        sum(word.bits or 0 for word in words), len(tokens) / math.log(2), abs_tol=1e-9
    )


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufffd"), min_size=1, max_size=30))
def test_whole_characters_are_always_found(text: str) -> None:
    tokens = pieces(*text)
    assert spans_of(text, tokens) == tuple((n, n + 1) for n in range(len(text)))
