from __future__ import annotations

import pytest

from desktop.views.inside.word_pieces import both_ways, cut
from inference.inside.word_forms import better, terms, words
from inference.types import TokenPiece


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king - man + woman", ((1, "king"), (-1, "man"), (1, "woman"))),
        ("king -man +woman", ((1, "king"), (-1, "man"), (1, "woman"))),
        ("- man + king", ((-1, "man"), (1, "king"))),
        ("-man + king", ((-1, "man"), (1, "king"))),
        ("well-known \N{MINUS SIGN} known", ((1, "well-known"), (-1, "known"))),
        ("  New   York + C++ ", ((1, "New York"), (1, "C++"))),
        ("king", ((1, "king"),)),
        ("king - ", ((1, "king"),)),
        ("+ - ", ()),
        ("", ()),
    ],
)
def test_a_sum_is_cut_at_signs_that_stand_before_a_word(
    text: str, expected: tuple[tuple[int, str], ...]
) -> None:
    assert terms(text) == expected


def test_a_list_is_cut_at_commas_and_spaces_and_names_each_word_once() -> None:
    assert words("red, green;blue  red\nend-to-end") == ("red", "green", "blue", "end-to-end")


def test_the_form_that_the_model_cuts_up_less_counts_and_the_one_with_a_space_first() -> None:
    asked = both_ways(["king", "grass"])
    assert asked.words == (" king", "king", " grass", "grass")

    def pieces(*texts: str) -> tuple[TokenPiece, ...]:
        return tuple(TokenPiece(n, text) for n, text in enumerate(texts))

    found = (pieces(" king"), pieces("king"), pieces(" ", " gr", "ass"), pieces(" gr", "ass"))
    assert better(found) == (found[0], found[3])
    assert cut(found[3]) == "·gr|ass"
