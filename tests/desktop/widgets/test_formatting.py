"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from desktop.widgets import formatting
from desktop.widgets.formatting import NBSP


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (9_100_000, "9.1 MB"), (54_800, "55 kB"),
     (2_500_000_000, "2.50 GB"), (12_100_000_000, "12.1 GB"), (118_000_000_000, "118 GB")],
)  # fmt: skip
def test_sizes_are_decimal_with_sensible_digits(size_bytes: int, text: str) -> None:
    assert formatting.size(size_bytes) == text.replace(" ", NBSP)


def test_thousands_are_grouped() -> None:
    assert formatting.count(151_936) == "151,936"


def test_a_unit_never_leaves_its_number() -> None:
    texts = (
        formatting.speed(41.23),
        formatting.seconds(0.212),
        formatting.percent(0.05),
        formatting.parameters(4_020_000_000),
    )
    assert texts == (
        f"41.2{NBSP}tokens/s",
        f"0.21{NBSP}s",
        f"5{NBSP}%",
        f"4.0{NBSP}billion",
    )


def test_a_share_shows_a_digit_only_where_it_says_more() -> None:
    assert formatting.percent(0.125) == f"12.5{NBSP}%"
    assert formatting.percent(1.0) == f"100{NBSP}%"


@pytest.mark.parametrize(
    ("number", "text"), [(-0.004, "0.00"), (-0.006, "-0.01"), (2.5, "2.50"), (-0.0, "0.00")]
)
def test_no_minus_stands_before_a_zero(number: float, text: str) -> None:
    assert formatting.decimal(number, 2) == text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", ""),
        ("A short line.\n", "A short line."),
        ("first\nthe last line", "the last line"),
        ("one two three four", "… three four"),
        ("incomprehensible", "… rehensible"),
    ],
)
def test_the_tail_of_a_text_begins_with_a_word(text: str, end: str) -> None:
    assert formatting.tail(text, 13 if " " in text else 10) == end
