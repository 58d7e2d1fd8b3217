"""Children's stories from a small grammar: long ones to read, and four sentences about a thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from starter.phrasing import vary
from starter.topics import read_lists
from starter.unknown import invented_word

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class Thing:
    """What a story is about: as asked for, at its first mention, and later."""

    asked: str
    first: str
    later: str
    many: bool = False


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    return read_lists("stories")


def story_about(thing: Thing, rng: random.Random) -> str:
    """Return exactly four sentences about a thing."""
    plot = rng.choice(_lists()["plots"])
    sentences = " ".join(rng.choice(part.split(" ~ ")) for part in plot.split(" / "))
    slots = {
        "x": thing.first,
        "t": thing.later,
        "T": _capital(thing.later),
        "was": "were" if thing.many else "was",
    }
    return _fill(sentences, slots, rng)


def story_dialogue(rng: random.Random) -> tuple[str, str]:
    """Return a request for a story and the story."""
    thing = any_thing(rng)
    if rng.random() < 0.06:
        return vary(rng.choice(_lists()["ask_any"]), rng), story_about(thing, rng)
    request = rng.choice(_lists()["ask"]).format(x=thing.asked)
    # The thing must reach the story as it was typed, so no slips: only case and punctuation vary.
    if rng.random() < 0.3:
        request = request.rstrip(".?")
    return (request if rng.random() < 0.3 else _capital(request)), story_about(thing, rng)


def any_thing(rng: random.Random) -> Thing:
    """Return something a story can be about: a thing, many of it, a name, an invented word."""
    lists = _lists()
    noun = invented_word(rng) if rng.random() < 0.2 else rng.choice(lists["things"])
    if rng.random() < 0.45:
        noun = f"{rng.choice(lists['adjectives'])} {noun}"
    one = f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
    form = rng.choices(("one", "the", "many", "named", "name", "mine"), (10, 2, 2, 2, 2, 1))[0]
    name = rng.choice(lists["names"]) if rng.random() < 0.8 else invented_word(rng).capitalize()
    if form == "the":
        return Thing(f"the {noun}", f"the {noun}", f"the {noun}")
    if form == "many":
        return Thing(_many(noun), f"some {_many(noun)}", f"the {_many(noun)}", many=True)
    if form == "named":
        called = rng.choice(("named", "called"))
        return Thing(f"{one} {called} {name}", f"{one} {called} {name}", name)
    if form == "name":
        return Thing(name, f"a child named {name}", name)
    return Thing(f"my {noun}" if form == "mine" else one, one, f"the {noun}")


def long_story(rng: random.Random) -> str:
    """Return a story of six to fourteen sentences for the base model to learn from."""
    lists = _lists()
    girl = rng.random() < 0.5
    he, his, him = ("she", "her", "her") if girl else ("he", "his", "him")
    slots = {
        "N": rng.choice(lists["girls" if girl else "boys"]), "he": he, "his": his, "him": him,
        "He": he.capitalize(), "His": his.capitalize(), "kid": "girl" if girl else "boy",
        "adj": rng.choice(lists["long_adj"]),
    }  # fmt: skip
    episodes = rng.sample(lists["episodes"], rng.choice((1, 1, 2, 2, 3)))
    parts = [rng.choice(lists["openings"])]
    # Each episode brings its own friend and object; the hero stays.
    parts += [*episodes[:-1]]
    text = " ".join(_fill(part, slots, rng) for part in parts)
    last = _fill(f"{episodes[-1]} {rng.choice(lists['endings'])}", slots, rng)
    return f"{text} {last}"


def short_story(rng: random.Random) -> str:
    """Return four sentences about anything."""
    return story_about(any_thing(rng), rng)


def _fill(text: str, fixed: dict[str, str], rng: random.Random) -> str:
    """Fill the slots; what comes a second time is known, so it gets "the"."""
    lists = _lists()
    chosen: dict[str, str] = {}

    def value(match: re.Match[str]) -> str:
        slot = match.group(1)
        if slot in fixed:
            return fixed[slot]
        kind = {"friend2": "friend", "him2": "friend", "Friend": "friend"}.get(slot, slot)
        if kind in chosen and kind in ("friend", "object"):
            found = "the " + chosen[kind].split(" ", 1)[1]
        else:
            found = chosen.setdefault(kind, rng.choice(lists[kind]))
        return _capital(found) if slot == "Friend" else found

    filled = re.sub(r"\{(\w+)\}", value, text)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", filled)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _many(noun: str) -> str:
    for end, many in (("man", "men"), ("child", "children"), ("mouse", "mice"), ("goose", "geese"),
                      ("fish", "fish"), ("sheep", "sheep"), ("leaf", "leaves"), ("wolf", "wolves"),
                      ("thief", "thieves")):  # fmt: skip
        if noun.endswith(end):
            return noun.removesuffix(end) + many
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh", "z")) else "s")
