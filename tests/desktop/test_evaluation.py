"""What is told of a text that was read, put together from its tokens' chances."""

from __future__ import annotations

import math

import pytest

from desktop.evaluation import ReadText, Wish, read_text
from inference.inside.perplexity import Score
from inference.types import LoadedModel, ModelInfo, TokenPiece

LN2 = math.log(2)
INFO = ModelInfo("tiny", "Tiny", "", "gguf")
LOADED = LoadedModel(
    "gguf",
    "Tiny",
    "llama",
    64,
    64,
    32,
    2,
    1_000,
    False,
    "CPU",
    0,
    "",
    "F16",
    1,
    0.1,
    1,
    1,
    False,
    (),
)


def read(*bits: float | None) -> ReadText:
    pieces = tuple(TokenPiece(n, f" w{n}") for n in range(len(bits)))
    text = "".join(piece.text for piece in pieces)
    score = Score(tuple(None if one is None else -one * LN2 for one in bits), 2)
    return read_text(Wish(text), (INFO, LOADED), (64, 3), pieces, score)


def test_means_and_the_hardest_words_follow_from_the_chances() -> None:
    found = read(None, 1.0, 4.0, 4.0, 2.0)
    assert not found.is_whole  # two of three windows
    assert [word.text for word in found.words] == [" w0", " w1", " w2", " w3", " w4"]
    assert found.bits_per_word == pytest.approx(11 / 4)
    assert found.bits_per_token == pytest.approx(11 / 4)
    assert found.bits_per_byte == pytest.approx(11 / 12)
    assert found.hardest == (2, 3, 4, 1)


@pytest.mark.parametrize(
    ("bits", "full"),
    [([5.0] * 20, 10), ([9.0] * 19 + [70.0], 10), ([15.0] * 20, 20), ([900.0] * 20, 80)],
)
def test_the_scale_leaves_nine_of_ten_words_below_its_end(bits: list[float], full: float) -> None:
    assert read(None, *bits).full_bits == full
