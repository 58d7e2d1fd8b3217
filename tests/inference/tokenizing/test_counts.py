from __future__ import annotations

from inference.tokenizing.counts import (
    DIGITS,
    EMOJI,
    HALF,
    SIGNS,
    SPACE,
    SPECIAL,
    WordCost,
    by_kind,
    costliest,
    kind_of,
    words_of,
)
from inference.types import TokenPiece


def pieces(*texts: str) -> tuple[TokenPiece, ...]:
    return tuple(TokenPiece(n, text, text.startswith("<|")) for n, text in enumerate(texts))


def test_a_token_is_of_the_script_of_its_first_letter() -> None:
    told = {" the": "Latin", "\u0436": "Cyrillic", "\u8336": "CJK", "\u3042": "Hiragana"}
    told |= {" 20": DIGITS, "...": SIGNS, "\n\n": SPACE, "\ufffd": HALF, "<|end|>": SPECIAL}
    told |= {" \U0001f375": EMOJI, "\u2744\ufe0f": EMOJI, "=>": SIGNS}
    assert {text: kind_of(pieces(text)[0]) for text in told} == told


def test_kinds_are_counted_most_first() -> None:
    assert by_kind(pieces("a", " b", ".", "<|x|>"))[0] == ("Latin", 2)


def halves(text: str) -> tuple[TokenPiece, ...]:
    """Cut a text into its bytes, as a vocabulary does that lacks its letters."""
    return tuple(TokenPiece(byte, "\ufffd", raw=bytes([byte])) for byte in text.encode())


def test_bytes_of_a_letter_are_of_its_script_and_make_its_word() -> None:
    text = (*pieces(" caf"), *halves("\u00e9"), *pieces(" "), *halves("\u8336\u0436"))
    text += (*pieces(" "), *halves("\U0001f375"))
    assert dict(by_kind(text)) == {"Latin": 3, SPACE: 2, "CJK": 3, "Cyrillic": 2, EMOJI: 4}
    assert [(cost.word, cost.tokens) for cost in costliest(text, 5)] == [
        ("\u8336\u0436", 5), ("\U0001f375", 4), ("caf\u00e9", 3),
    ]  # fmt: skip


def test_bytes_that_make_no_letter_stay_parts_of_one() -> None:
    broken = halves("\u8336")[:2]
    assert by_kind((*broken, *pieces("<|x|>"))) == ((HALF, 2), (SPECIAL, 1))
    assert by_kind(broken) == ((HALF, 2),)
    assert costliest(broken, 5) == ()


def test_words_begin_behind_white_space_and_special_tokens_belong_to_none() -> None:
    text = pieces("<|x|>", "rain", "bow", " and", " t", "ea", "\n", "\n", "time", "<|y|>", "s")
    assert words_of(text) == (("rainbow", 2), ("and", 1), ("tea", 2), ("time", 1), ("s", 1))


def test_signs_behind_a_word_are_not_counted_for_it_but_those_within_are() -> None:
    assert words_of(pieces(" kite", ".", " don", "'", "t", "!", "?")) == (("kite", 1), ("don't", 3))


def test_the_costliest_words_come_first_with_their_number() -> None:
    text = pieces("a", "b", "c", " t", "ea", " t", "ea", " one", " \ufffd", "\ufffd")
    assert costliest(text, 5) == (WordCost("abc", 3, 1), WordCost("tea", 2, 2))
    assert costliest(text, 1) == (WordCost("abc", 3, 1),)
