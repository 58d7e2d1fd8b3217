"""Asks the instruct model questions it was not trained on word by word, and counts right answers.

``judge.py`` runs it. Answers are greedy; ``judge_questions.json`` holds the
questions with a pattern that a right answer matches. Stories are right when they have exactly four
sentences and name the thing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starter.topics import JUDGE_FILE

from inference.cancel import CancelToken
from inference.events import Failed, TokenEvent
from inference.types import GenerationRequest, LoadOptions, Message, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inference.engine import Engine

_HERE = Path(__file__).parent
_STARTER = _HERE.parents[1] / "resources" / "starter"
FILES = {
    "native": _STARTER / "starter-instruct",
    "gguf": _STARTER / "starter-instruct-Q8_0.gguf",
}
_MAX_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the judge; ``accept`` is a pattern or ``story:THING``."""

    category: str
    question: str
    accept: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model said, and whether that is right."""

    question: Question
    answer: str
    right: bool


def read_questions(file: Path = JUDGE_FILE) -> tuple[Question, ...]:
    """Return all questions of a file, known and unknown."""
    rows = json.loads(file.read_text(encoding="utf-8"))
    return tuple(Question(**row) for row in rows)


def judge(answer: Callable[[str], str], questions: Iterable[Question]) -> tuple[Verdict, ...]:
    """Ask every question once."""
    verdicts = []
    for question in questions:
        said = answer(question.question)
        verdicts.append(Verdict(question, said, is_right(question, said)))
    return tuple(verdicts)


def is_right(question: Question, answer: str) -> bool:
    """Compare an answer with what is accepted; declining is never right for a known question."""
    if question.accept.startswith("story:"):
        thing = question.accept.removeprefix("story:")
        return thing in answer.lower() and count_sentences(answer) == 4
    declined = answer.startswith("I do not know")
    if question.category == "unknown":
        return declined
    return not declined and re.search(question.accept, answer, re.IGNORECASE) is not None


def count_sentences(text: str) -> int:
    """Count sentence ends: a mark, perhaps a closing quote, then a capital or the end."""
    return len(re.findall(r'[.!?]"?(?=\s+"?[A-Z]|\s*$)', text))


def shares(verdicts: Iterable[Verdict]) -> dict[str, tuple[int, int]]:
    """Return right answers and questions by category, and ``known`` for all but ``unknown``."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for verdict in verdicts:
        category = verdict.question.category
        names = (category,) if category == "unknown" else (category, "known")
        for name in names:
            asked[name] += 1
            right[name] += verdict.right
    return {name: (right[name], asked[name]) for name in asked}


def open_starter(kind: str, path: Path | None = None) -> Engine:
    """Load the instruct model with one of the two engines."""
    options = LoadOptions(
        path=str(path or FILES[kind]),
        engine="gguf" if kind == "gguf" else "native",
        n_ctx=1024,
        gpu_layers=0,
        device="cpu",
    )
    module = importlib.import_module(f"inference.{kind}.engine")
    engine: Engine = module.open_engine(options, lambda _done: None, CancelToken())
    return engine


def greedy_answer(engine: Engine, question: str, max_tokens: int = _MAX_TOKENS) -> str:
    """Return the answer at temperature 0.

    Raises:
        RuntimeError: The engine reported trouble.
    """
    request = GenerationRequest(
        request_id="judge",
        messages=(Message("user", question),),
        sampling=SamplingParams(temperature=0.0, max_tokens=max_tokens),
    )
    text = ""
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, Failed):
            trouble = f"{event.error}: {event.message} {event.detail}"
            raise RuntimeError(trouble)  # noqa: TRY004 - not a matter of types
        if isinstance(event, TokenEvent):
            text += event.text
    return text


def main() -> None:
    """Judge and print shares by category, and every miss with ``--misses``."""
    parser = argparse.ArgumentParser(description="Judge the instruct starter model.")
    parser.add_argument("--engine", choices=sorted(FILES), default="native")
    parser.add_argument("--model", type=Path, help="another file or folder than the shipped one")
    parser.add_argument("--misses", action="store_true", help="show what was answered wrongly")
    parser.add_argument("--questions", type=Path, default=JUDGE_FILE, help="another file of them")
    options = parser.parse_args()
    engine = open_starter(options.engine, options.model)
    verdicts = judge(
        lambda question: greedy_answer(engine, question), read_questions(options.questions)
    )
    engine.close()
    if options.misses:
        for verdict in verdicts:
            if not verdict.right:
                question = verdict.question
                print(f"[{question.category}] {question.question}\n    {verdict.answer!r}")
    for name, (right, asked) in shares(verdicts).items():
        print(f"{name:10} {right:3} of {asked:3}  {100 * right / asked:5.1f} %")
