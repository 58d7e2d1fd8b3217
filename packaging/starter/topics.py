"""Topics: a fact with the many ways in which people ask for it.

Reads the plain text files in ``texts/``. Knows nothing of chat templates, tokens or networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
JUDGE_FILE = Path(__file__).parent / "judge_questions.json"


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that can be asked, with its only answer.

    Attributes:
        answer: What the model shall say.
        questions: Direct questions without the question mark, first letter small.
        clauses: What follows "can you tell me", e.g. ``why the sky is blue``.
        nouns: What follows "what is", e.g. ``a token``.
        keys: Key words that people type instead of a sentence.
        group: The file or table it comes from.
    """

    answer: str
    questions: tuple[str, ...]
    clauses: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    group: str = ""


def read_topics(name: str) -> tuple[Topic, ...]:
    """Read ``texts/NAME.txt``: blocks parted by empty lines, ``#`` starts a comment line.

    Raises:
        ValueError: A block has no answer, or a line has an unknown mark.
    """
    text = (TEXTS / f"{name}.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    blocks = [block for block in lines.split("\n\n") if block.strip()]
    return tuple(_read_block(block, name) for block in blocks)


def read_lists(name: str) -> dict[str, tuple[str, ...]]:
    """Read the lists of ``texts/NAME.txt``: ``@list`` starts one, items are lines or parted by |.

    Lines that hold a ``{slot}`` are templates and stay whole.
    """
    lists: dict[str, tuple[str, ...]] = {}
    current = ""
    for line in (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            current = line[1:]
            lists[current] = ()
        elif line and not line.startswith("#"):
            lists[current] += (line,) if "{" in line else tuple(line.split("|"))
    return lists


def _read_block(block: str, group: str) -> Topic:
    found: dict[str, tuple[str, ...]] = {"q": (), "i": (), "n": (), "k": (), "a": ()}
    for line in block.strip().splitlines():
        mark, _, rest = line.partition(": ")
        if mark not in found:
            raise ValueError(f"texts/{group}.txt: a line starts with {mark!r}")
        # An answer may hold a "|"; the other lines are lists.
        parts = (rest.strip(),) if mark == "a" else tuple(p.strip() for p in rest.split("|"))
        found[mark] += parts
    if len(found["a"]) != 1:
        raise ValueError(f"texts/{group}.txt: a block needs one answer: {block[:60]!r}")
    return Topic(found["a"][0], found["q"], found["i"], found["n"], found["k"], group)
