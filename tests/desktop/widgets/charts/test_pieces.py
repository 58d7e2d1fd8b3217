"""Every character of a token is seen, and words are found among tokens."""

from __future__ import annotations

import pytest

from desktop.widgets.charts.pieces import shown, word_from
from inference.types import TokenPiece

TEXT = tuple(
    TokenPiece(n, text, special=text.startswith("<|"))
    for n, text in enumerate(
        ("<|x|>", "Rain", "bow", " and", " ", " tea", "\n", "\n", "Now", ".", "<|y|>", "end")
    )
)
STARTS = [0, 1, 3, 5, 8, 10, 11, 12]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (" a\n", "\u00b7a\u23ce"),
        ("\xa0", "U+00A0"),
        ("\u200b\u200b", "U+200BU+200B"),
        ("a\x00b", "aU+0000b"),
        ("x\u3000", "xU+3000"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("", "\u2205"),
    ],
)
def test_what_would_not_be_seen_is_named(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_a_part_of_a_letter_is_named_by_its_bytes() -> None:
    assert shown(TokenPiece(5, "\ufffd", raw=b"\xe2\x82")) == "E2 82"


def test_words_are_gone_through_from_either_end() -> None:
    forth, place = [0], 0
    while place < len(TEXT):
        place = word_from(TEXT, place, 1)
        forth.append(place)
    assert forth == STARTS
    back = [place]
    while place > 0:
        place = word_from(TEXT, place, -1)
        back.append(place)
    assert back == STARTS[::-1]
    assert word_from(TEXT, 2, -1) == 1  # from within a word to its own beginning
    assert word_from(TEXT, 0, -1) == 0
    assert word_from(TEXT, len(TEXT), 1) == len(TEXT)
