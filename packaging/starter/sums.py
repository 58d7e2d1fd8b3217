"""Small sums: additions, subtractions and products, asked in many ways."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starter.topics import read_lists

if TYPE_CHECKING:
    import random

_LARGEST_TERM = 20
_LARGEST_FACTOR = 10
_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip
_SHOWN = {"+": "+", "-": "-", "*": "x"}


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    return read_lists("sums")


def sums(rng: random.Random) -> tuple[str, str]:
    """Return one question and its answer, e.g. ``("What's 2+2?", "2 + 2 = 4.")``.

    Terms go up to 20, factors up to 10; a difference is never below zero.
    """
    sign = rng.choices("+-*", (5, 3, 3))[0]
    if sign == "*":
        a, b = rng.randint(0, _LARGEST_FACTOR), rng.randint(0, _LARGEST_FACTOR)
    elif rng.random() < 0.4:  # children's sums are asked most
        a, b = rng.randint(0, 10), rng.randint(0, 10)
    else:
        a, b = rng.randint(0, _LARGEST_TERM), rng.randint(0, _LARGEST_TERM)
    if sign == "-" and b > a:
        a, b = b, a
    return _question(sign, a, b, rng), _answer(sign, a, b)


def _question(sign: str, a: int, b: int, rng: random.Random) -> str:
    lists = _lists()
    values = {"a": a, "b": b, "A": _NUMBERS[a], "B": _NUMBERS[b]}
    if rng.random() < 0.2:
        text = rng.choice(lists[f"special {sign}"]).format(**values)
    else:
        text = rng.choice(lists["ask"]).format(s=rng.choice(lists[f"sign {sign}"]).format(**values))
    return text[0].upper() + text[1:] if rng.random() < 0.7 else text


def _answer(sign: str, a: int, b: int) -> str:
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    return f"{a} {_SHOWN[sign]} {b} = {result}."
