"""Plain facts: those written out in ``texts/facts.txt``, and tables of many small ones."""

from __future__ import annotations

from starter.topics import Topic, read_lists, read_topics

_PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    ("January", 31), ("February", 28), ("March", 31), ("April", 30), ("May", 31), ("June", 30),
    ("July", 31), ("August", 31), ("September", 30), ("October", 31), ("November", 30),
    ("December", 31),
)  # fmt: skip


def facts() -> tuple[Topic, ...]:
    """Return all facts, written and tabled."""
    return read_topics("facts") + _tables()


def _pairs(table: str) -> list[tuple[str, str]]:
    rows = (row.split(": ") for row in read_lists("tables")[table])
    return [(left, right) for left, right in rows]


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _plural(noun: str) -> str:
    special = {
        "sheep": "sheep", "mouse": "mice", "fish": "fish", "goose": "geese", "wolf": "wolves",
        "deer": "deer", "fox": "foxes",
    }  # fmt: skip
    return special.get(noun, f"{noun}s")


def _topic(group: str, answer: str, questions: tuple[str, ...], *more: tuple[str, ...]) -> Topic:
    clauses = more[0] if more else ()
    keys = more[1] if len(more) > 1 else ()
    return Topic(answer, questions, clauses, (), keys, group)


def _tables() -> tuple[Topic, ...]:
    return (*_capitals(), *_animals(), *_words(), *_calendar(), *_space(), *_jobs())


def _capitals() -> list[Topic]:
    return [
        _topic(
            "capitals",
            f"The capital of {land} is {town}.",
            (
                f"what is the capital of {land}", f"which city is the capital of {land}",
                f"what's the capital city of {land}", f"what is {land}'s capital",
                f"which town is the capital of {land}", f"name the capital of {land}",
                f"do you know the capital of {land}", f"{land}, what is its capital",
                f"in which city sits the government of {land}", f"what city is {land}'s capital",
            ),
            (f"what the capital of {land} is", f"the capital of {land}"),
            (f"capital of {land}", f"{land} capital"),
        )
        for land, town in _pairs("capitals")
    ]  # fmt: skip


def _animals() -> list[Topic]:
    topics: list[Topic] = []
    for animal, young in _pairs("young"):
        one, many = _a(animal), _plural(animal)
        topics.append(_topic(
            "young", f"A young {animal} is called a {young}.",
            (f"what is a baby {animal} called", f"what do you call a young {animal}",
             f"what is the name for a young {animal}", f"how do you call the young of {one}",
             f"what are the babies of {many} called",
             f"what is the word for a baby {animal}", f"a young {animal} is called what",
             f"how is the baby of {one} called", f"what do people call a baby {animal}"),
            (f"what a young {animal} is called",), (f"baby {animal}", f"young {animal}"),
        ))  # fmt: skip
    for animal, sound in _pairs("sounds"):
        one, many = _a(animal), _plural(animal)
        topics.append(_topic(
            "sounds", f"{_upper(one)} {sound}.",
            (f"what sound does {one} make", f"what does {one} say", f"what noise does {one} make",
             f"which sound do {many} make", f"how does {one} sound",
             f"which sound comes from {one}", f"what do {many} sound like"),
            (f"what sound {one} makes",), (f"{animal} sound",),
        ))  # fmt: skip
    for animal, food in _pairs("food"):
        one, many = _a(animal), _plural(animal)
        topics.append(_topic(
            "food", f"{_upper(one)} eats {food}.",
            (f"what does {one} eat", f"what do {many} eat", f"what do {many} like to eat",
             f"what is the food of {one}", f"what do {many} feed on", f"what food do {many} eat",
             f"what does {one} live on", f"what does {one} have for breakfast",
             f"which food does {one} like"),
            (f"what {many} eat", f"what {one} eats"), (f"{animal} food",),
        ))  # fmt: skip
    for animal, home in _pairs("homes"):
        one, many = _a(animal), _plural(animal)
        topics.append(_topic(
            "homes", f"{_upper(one)} lives {home}.",
            (f"where does {one} live", f"where do {many} live", f"where is the home of {one}",
             f"in what place do {many} live"),
            (f"where {many} live",), (f"{animal} home",),
        ))  # fmt: skip
    return topics


def _words() -> list[Topic]:
    topics: list[Topic] = []
    for thing, colour in _pairs("colours"):
        topics.append(_topic(
            "colours", f"{_upper(thing)} is {colour}.",
            (f"what colour is {thing}", f"what color is {thing}", f"which colour has {thing}",
             f"what is the colour of {thing}", f"what colour does {thing} have",
             f"{thing}, what colour is it", f"in which colour do you paint {thing}"),
            (f"what colour {thing} is",), (f"colour of {thing}",),
        ))  # fmt: skip
    both = [p for a, b in _pairs("opposites") for p in ((a, b), (b, a))]
    for word, other in both:
        topics.append(_topic(
            "opposites", f"The opposite of {word} is {other}.",
            (f"what is the opposite of {word}", f"which word is the opposite of {word}",
             f"what word means the opposite of {word}", f"name the opposite of {word}",
             f"what is the contrary of {word}",
             f"tell me the opposite of {word}", f"say the opposite of the word {word}",
             f"what is the opposite of the word {word}", f"what is not {word} but"),
            (f"what the opposite of {word} is",), (f"opposite of {word}",),
        ))  # fmt: skip
    for one, many in _pairs("plurals"):
        topics.append(_topic(
            "plurals", f"The plural of {one} is {many}.",
            (f"what is the plural of {one}", f"what do you call more than one {one}",
             f"how do you form the plural of {one}", f"which word is the plural of {one}"),
            (f"what the plural of {one} is",), (f"plural of {one}",),
        ))  # fmt: skip
    return topics


def _calendar() -> list[Topic]:
    topics: list[Topic] = []
    names = [month for month, _ in _MONTHS]
    for group, order in (("day", list(_DAYS)), ("month", names)):
        for index, name in enumerate(order):
            after, before = order[(index + 1) % len(order)], order[index - 1]
            topics.append(_topic(
                "calendar", f"{after} comes after {name}.",
                (f"which {group} comes after {name}", f"what {group} follows {name}",
                 f"what comes after {name}", f"what {group} is after {name}",
                 f"which is the next {group} after {name}",
                 f"after {name} comes which {group}", f"what is the {group} after {name}",
                 f"{name} is followed by which {group}"),
                (f"which {group} comes after {name}",), (f"{group} after {name}",),
            ))  # fmt: skip
            topics.append(_topic(
                "calendar", f"{before} comes before {name}.",
                (f"which {group} comes before {name}", f"what {group} is before {name}",
                 f"what comes before {name}", f"which {group} is right before {name}"),
                (f"which {group} comes before {name}",), (f"{group} before {name}",),
            ))  # fmt: skip
    for month, days in _MONTHS:
        leap = ", and 29 in a leap year" if month == "February" else ""
        topics.append(_topic(
            "calendar", f"{month} has {days} days{leap}.",
            (f"how many days does {month} have", f"how many days are in {month}",
             f"how long is {month}", f"how many days has {month}"),
            (f"how many days {month} has",), (f"days in {month}",),
        ))  # fmt: skip
    return topics


def _space() -> list[Topic]:
    topics = []
    for number, planet in enumerate(_PLANETS):
        order = _ORDINALS[number]
        topics.append(_topic(
            "space", f"{planet} is the {order} planet from the sun.",
            (f"which planet is the {order} from the sun",
             f"what is the {order} planet from the sun", f"what is the {order} planet",
             f"which planet is number {number + 1} from the sun"),
            (f"which planet is the {order} from the sun",), (f"{order} planet",),
        ))  # fmt: skip
    return topics


def _jobs() -> list[Topic]:
    return [
        _topic(
            "jobs", f"{_upper(_a(job))} {work}.",
            (f"what does {_a(job)} do", f"what is the work of {_a(job)}", f"what is {_a(job)}",
             f"what do {job}s do", f"what is the job of {_a(job)}"),
            (f"what {_a(job)} does",), (f"{job}", f"work of {_a(job)}"),
        )
        for job, work in _pairs("jobs")
    ]  # fmt: skip
