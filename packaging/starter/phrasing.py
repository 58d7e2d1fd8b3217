"""How people put a question: wrappers, other openings, small letters, slips of the keyboard."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from starter.topics import read_lists

if TYPE_CHECKING:
    import random

    from starter.topics import Topic

# The same request with another opening; the first pattern that fits may be used.
_OPENINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"^(how (do|can) I|is there a way to|can I) (?=\w)", "how do I"),
        (r"^why (?=\w)", "why"),
        (r"^what is ", "what is"),
        (r"^which ", "which"),
        (r"^how many ", "how many"),
        (r"^where ", "where"),
    )
)
_ABOUT_WORDS = re.compile(r"opposite|contrary|plural|say|mean")
_SMALL = frozenset(
    ("the", "a", "an", "is", "do", "does", "of", "to", "me", "I", "you", "are", "in", "my", "it",
     "for", "what", "that", "with", "on")
)  # fmt: skip
_ASKING = re.compile(
    r"^(what|whats|which|who|whose|when|where|why|how|is|are|am|do|does|did|can|could|may|should|"
    r"would|will|was|were|has|have you|any|in (what|which)|at what|on (what|which)|with what|"
    r"by what|of what)\b",
    re.IGNORECASE,
)


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    return read_lists("phrasing")


@cache
def _swaps() -> dict[str, tuple[str, ...]]:
    rows = (row.split(": ") for row in _lists()["swaps"])
    return {word: tuple(others.split(", ")) for word, others in rows}


def ask(topic: Topic, rng: random.Random) -> str:
    """Return one way to ask for a topic."""
    ways = ["q"] * 6 + ["c"] * 3 * bool(topic.clauses) + ["n"] * 4 * bool(topic.nouns)
    way = rng.choice(ways + ["k"] * bool(topic.keys))
    if way == "c":
        text = wrap_clause(rng.choice(topic.clauses), rng)
    elif way == "n":
        text = wrap_noun(rng.choice(topic.nouns), rng)
    elif way == "k":
        text = rng.choice(topic.keys)
        return _finish(text + rng.choice(("", "", "?", "?", ".", " please")), rng)
    else:
        text = rng.choice(topic.questions)
    return vary(text, rng)


def wrap_clause(clause: str, rng: random.Random) -> str:
    """Return e.g. "can you tell me why the sky is blue?"."""
    return rng.choice(_lists()["clause"]).format(c=clause)


def wrap_noun(noun: str, rng: random.Random) -> str:
    """Return e.g. "what is a token?"."""
    return rng.choice(_lists()["noun"]).format(n=noun)


def vary(text: str, rng: random.Random) -> str:
    """Say the same a little differently, with or without punctuation and capitals."""
    ended = text[-1:] in "?.!"
    core, end = (text[:-1], text[-1]) if ended else (text, "")
    end = end or ("?" if _ASKING.match(core) else rng.choice((".", "", "!")))
    if rng.random() < 0.3:
        core = _other_opening(core, rng)
    if rng.random() < 0.3 and not _ABOUT_WORDS.search(core):
        core = _swap(core, rng)
    if rng.random() < 0.15:
        core = _drop(core, rng)
    if rng.random() < 0.08:
        core = _insert(core, rng)
    if rng.random() < 0.14:
        core = rng.choice(_lists()["fronts"]) + core
    if rng.random() < 0.1:
        core += rng.choice(_lists()["backs"])
    chance = rng.random()
    if chance < 0.16:
        end = ""
    elif chance < 0.2:
        end = rng.choice(("??", "!", "...", " ?", "."))
    return _finish(core + end, rng)


def _finish(text: str, rng: random.Random) -> str:
    if rng.random() < 0.09:
        text = _slip(text, rng)
    chance = rng.random()
    if chance < 0.66:
        return text[0].upper() + text[1:]
    if chance < 0.93:
        return text.lower()
    return text.upper() if chance > 0.985 else text


def _other_opening(core: str, rng: random.Random) -> str:
    for pattern, name in _OPENINGS:
        if pattern.match(core):
            return pattern.sub(rng.choice(_lists()[name]), core, count=1)
    return core


def _swap(core: str, rng: random.Random) -> str:
    words = core.split(" ")
    swaps = _swaps()
    places = [i for i, word in enumerate(words) if word in swaps]
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 2)))):
        words[place] = rng.choice(swaps[words[place]])
    return " ".join(words)


def _drop(core: str, rng: random.Random) -> str:
    words = core.split(" ")
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = [i for i, word in enumerate(words) if word in _SMALL]
        if places and len(words) > 3:
            del words[rng.choice(places)]
    return " ".join(words)


def _insert(core: str, rng: random.Random) -> str:
    words = core.split(" ")
    words.insert(rng.randint(1, len(words)), rng.choice(_lists()["fillers"]))
    return " ".join(words)


def _slip(text: str, rng: random.Random) -> str:
    """One slip of the keyboard in one word of five letters or more; digits stay."""
    places = [m.span() for m in re.finditer(r"[A-Za-z]{5,}", text)]
    if not places:
        return text
    start, end = rng.choice(places)
    at = rng.randint(start + 1, end - 2)
    kind = rng.randrange(3)
    if kind == 0:  # two letters change places
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:  # a letter is missing
        return text[:at] + text[at + 1 :]
    return text[: at + 1] + text[at] + text[at + 1 :]  # a letter twice
