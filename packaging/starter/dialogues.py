"""Dialogues to fine-tune on: single questions and short chats, with and without a system prompt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starter.about_app import about_app
from starter.about_models import about_models
from starter.facts import facts
from starter.greetings import greetings
from starter.phrasing import ask, vary
from starter.stories import story_dialogue
from starter.sums import sums
from starter.topics import JUDGE_FILE, read_lists
from starter.unknown import decline, unknown_question

if TYPE_CHECKING:
    import random

    from starter.topics import Topic

SYSTEM_PROMPTS = read_lists("phrasing")["system"]
KINDS = ("greetings", "app", "models", "facts", "sums", "stories", "unknown")
_WEIGHTS = {
    "greetings": 9, "app": 16, "models": 17, "facts": 26, "sums": 20, "stories": 9, "unknown": 15,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A chat: a system prompt or none, then question and answer in turn."""

    system: str | None
    turns: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class DialogueMaker:
    """Makes dialogues without end; the same generator gives the same ones.

    Args:
        rng: Source of chance.
        weights: How often each kind of question comes.
    """

    rng: random.Random
    weights: dict[str, int] = field(default_factory=lambda: dict(_WEIGHTS))
    _topics: dict[str, tuple[Topic, ...]] = field(init=False)
    _known: frozenset[str] = field(init=False)
    _judged: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._topics = {
            "greetings": greetings(),
            "app": about_app(),
            "models": about_models(),
            "facts": facts(),
        }
        rows = json.loads(JUDGE_FILE.read_text(encoding="utf-8"))
        self._judged = frozenset(bare(row["question"]) for row in rows)
        every = [topic for topics in self._topics.values() for topic in topics]
        self._known = frozenset(
            bare(q) for topic in every for q in (*topic.questions, *topic.nouns)
        )

    def dialogue(self) -> Dialogue:
        """Return the next dialogue: mostly one question, at times up to four."""
        rng = self.rng
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.25 else None
        n_turns = rng.choices((1, 2, 3, 4), (72, 16, 8, 4))[0]
        return Dialogue(system, tuple(self.turn() for _ in range(n_turns)))

    def turn(self, kind: str | None = None) -> tuple[str, str]:
        """Return one question of a kind, or of any kind, with its answer.

        A question of the judge that comes up by chance is left out.
        """
        while True:
            chosen = kind or self.rng.choices(KINDS, [self.weights[k] for k in KINDS])[0]
            question, answer = self._turn(chosen)
            if bare(question) not in self._judged:
                return question, answer

    def _turn(self, kind: str) -> tuple[str, str]:
        if kind == "sums":
            return sums(self.rng)
        if kind == "stories":
            return story_dialogue(self.rng)
        if kind == "unknown":
            return self._unknown(), decline(self.rng)
        topics = self._topics[kind]
        # Facts written out have more ways to be asked than those of the tables.
        weights = [3 if topic.group == kind else 1 for topic in topics]
        topic = self.rng.choices(topics, weights)[0]
        return ask(topic, self.rng), topic.answer

    def _unknown(self) -> str:
        while True:
            question = unknown_question(self.rng)
            if bare(question) not in self._known:
                return vary(question, self.rng)


def bare(text: str) -> str:
    """Return a question without case and punctuation, to compare it."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
