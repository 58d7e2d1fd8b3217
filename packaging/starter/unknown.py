"""Questions that a tiny model cannot know, and how it says so.

Far more kinds of question lie outside its knowledge than inside, so these are made from many
templates and long lists, with invented words among them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starter.phrasing import wrap_clause, wrap_noun
from starter.topics import read_lists

if TYPE_CHECKING:
    import random

DECLINES = (
    "I do not know that. I am a tiny demonstration model. Open Models to get a larger one.",
    "I do not know that: I am only a tiny demonstration model. A larger one from Models can help.",
    "I do not know. I am a tiny demonstration model; open Models to get a larger one.",
)
_ENDINGS = ("", "", "n", "r", "l", "x", "ton", "ster", "ling", "bit", "th", "ck", "ng", "st", "m")


def invented_word(rng: random.Random) -> str:
    """Return a word that no list holds, e.g. ``flogradel``."""
    parts = [rng.choice(_lists()["syllables"]) for _ in range(rng.randint(1, 3))]
    return "".join(parts) + rng.choice(_ENDINGS)


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    return read_lists("unknown")


def unknown_question(rng: random.Random) -> str:
    """Return one question, first letter as in the middle of a sentence."""
    lists, slots = _lists(), _Slots(rng)
    chance = rng.random()
    if chance < 0.14:  # the wrappers of known topics must not give them away
        return wrap_noun(rng.choice(lists["asked_nouns"]).format_map(slots), rng)
    if chance < 0.28:
        return wrap_clause(rng.choice(lists["clauses"]).format_map(slots), rng)
    template = rng.choice(rng.choice(lists["templates"]).split("|"))
    return template.format_map(slots)


def decline(rng: random.Random) -> str:
    """Return one of the few ways to say that the answer is not known."""
    return rng.choices(DECLINES, (8, 1, 1))[0]


class _Slots(dict[str, str]):
    """Fills ``{noun}`` and the like with something from the list of that name."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def __missing__(self, slot: str) -> str:
        rng = self._rng
        if slot in ("big", "big2"):
            return str(rng.randint(101, 9999))
        if slot == "year":
            return str(rng.randint(1100, 2024))
        if slot == "year2":
            return str(rng.randint(2027, 2100))
        if slot == "odd":
            return invented_word(rng)
        if slot in ("person", "place", "land") and rng.random() < 0.25:
            return invented_word(rng).capitalize()
        choices = _lists()["noun" if slot == "noun2" else slot]
        chosen = rng.choice(choices)
        # A bare noun now and then: "what is violin" is how many people type.
        return chosen.split(" ", 1)[-1] if slot == "noun" and rng.random() < 0.1 else chosen
