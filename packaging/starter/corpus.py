"""What the base model reads: stories, statements and sums as running text, never dialogues.

Public-domain books may be mixed in from a folder of ``.txt`` files; the recipe runs without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starter.about_app import about_app
from starter.about_models import about_models
from starter.facts import facts
from starter.greetings import greetings
from starter.stories import long_story, short_story
from starter.sums import sums

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from starter.topics import Topic

_BOOK_CHUNK_CHARS = 1200
_KINDS = {"long": 34, "short": 16, "facts": 20, "models": 14, "app": 8, "sums": 6, "books": 5}


@dataclass(slots=True)
class CorpusMaker:
    """Makes texts without end; the same generator gives the same ones.

    Args:
        rng: Source of chance.
        books: Chunks of public-domain books, or none.
    """

    rng: random.Random
    books: tuple[str, ...] = ()
    _groups: dict[str, list[Topic]] = field(init=False)

    def __post_init__(self) -> None:
        self._groups = {
            "facts": list(facts()),
            "models": list(about_models()),
            "app": [*about_app(), *greetings()],
        }

    def text(self) -> str:
        """Return the next text."""
        kinds = {k: w for k, w in _KINDS.items() if k != "books" or self.books}
        kind = self.rng.choices(list(kinds), list(kinds.values()))[0]
        if kind == "long":
            return long_story(self.rng)
        if kind == "short":
            return short_story(self.rng)
        if kind == "sums":
            return " ".join(sums(self.rng)[1] for _ in range(self.rng.randint(3, 12)))
        if kind == "books":
            return self.rng.choice(self.books)
        return self._statements(self._groups[kind])

    def _statements(self, topics: list[Topic]) -> str:
        chosen = self.rng.sample(topics, self.rng.randint(2, 6))
        return " ".join(self._statement(topic) for topic in chosen)

    def _statement(self, topic: Topic) -> str:
        """Return the answer, at times after a heading that says what it is about."""
        if topic.clauses and self.rng.random() < 0.35:
            heading = self.rng.choice(topic.clauses)
            return f"{heading[0].upper()}{heading[1:]}: {topic.answer}"
        return topic.answer


def read_books(folder: Path | None) -> tuple[str, ...]:
    """Cut the ``.txt`` files of a folder into chunks of whole paragraphs; none without a folder."""
    if folder is None:
        return ()
    chunks: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        if path.name.isupper() or path.stem.isupper():  # SOURCE.txt and the like
            continue
        text = path.read_text(encoding="utf-8", errors="ignore").replace("\r", "")
        chunk = ""
        for paragraph in re.split(r"\n\s*\n", text):
            plain = " ".join(paragraph.split())
            if len(plain) < 40 or not re.search(r"[a-z]", plain):  # headings, rules
                continue
            chunk = f"{chunk}\n{plain}" if chunk else plain
            if len(chunk) >= _BOOK_CHUNK_CHARS:
                chunks.append(chunk)
                chunk = ""
    return tuple(chunks)
