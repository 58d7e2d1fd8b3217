"""The merges by which byte-pair encoding builds a token out of characters or bytes, step by step.

Two forms of one rule: of all neighbours that may be joined, the pair that comes first is, and again
until none may. In byte-pair encoding (Sennrich et al. 2016) a list of merges says which come first;
SentencePiece's form, as llama.cpp reads it, takes the pair that makes the token of highest score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec

from inference.tokenizing.byte_text import bytes_of, lone_byte

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

How = Literal["merged", "single", "byte", "added", "whole", "no merges"]
"""How a token came about.

``merged``: by the steps. ``single``: a character or byte of the vocabulary. ``byte``: a byte of a
character that the vocabulary lacks. ``added``: cut out of the text before all else. ``whole``:
taken from the vocabulary without merging. ``no merges``: the tokenizer works otherwise.
"""


class Part(msgspec.Struct, frozen=True):
    """One symbol on the way: its text for people, and its bytes, which may be half a character."""

    text: str
    data: bytes


class MergeStep(msgspec.Struct, frozen=True):
    """One join.

    Attributes:
        parts: All symbols after it.
        at: Which of them is new.
        rank: Its place in the list of merges, from 1; 0 where scores decide.
        score: The new token's score, where scores decide.
    """

    parts: tuple[Part, ...]
    at: int
    rank: int = 0
    score: float = 0.0


class BuiltToken(msgspec.Struct, frozen=True):
    """How one token came about: ``start`` are the symbols before the first step."""

    token_id: int
    part: Part
    how: How
    start: tuple[Part, ...] = ()
    steps: tuple[MergeStep, ...] = ()
    score: float | None = None


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What a tokenizer knows of tokens.

    Attributes:
        kind: ``bpe`` joins by a list, ``scores`` by score, ``other`` does not join.
        name: Of the method, for people: ``Byte-level BPE``, ``Unigram`` ...
        texts: Each token as the vocabulary writes it, id to text.
        ids: The inverse.
        ranks: Pairs of symbols and their place in the list of merges, from 0 (``bpe``).
        scores: Score of each token (``scores``, and where the file has some).
        added: Ids that are cut out of the text before all else.
        byte_level: Whether each character of the vocabulary's texts stands for one byte.
        whole_first: Whether a word that is a token is taken without merging.
    """

    kind: Literal["bpe", "scores", "other"]
    name: str
    texts: Mapping[int, str]
    ids: Mapping[str, int]
    ranks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    scores: Sequence[float] = ()
    added: frozenset[int] = frozenset()
    byte_level: bool = False
    whole_first: bool = False

    def order(self, left: str, right: str) -> float | None:
        """Return what a join is sorted by, smallest first; ``None`` where it is not allowed."""
        if self.kind == "bpe":
            return self.ranks.get((left, right))
        joined = self.ids.get(left + right)
        return None if joined is None else -self.scores[joined]

    def part(self, symbol: str) -> Part:
        """Return a symbol for people."""
        data = bytes_of(symbol, byte_level=self.byte_level)
        return Part(data.decode("utf-8", "replace"), data)


def joins(symbols: Sequence[str], rules: MergeRules) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the symbols after each join, and which is new, until nothing can be joined."""
    now = list(symbols)
    while True:
        best, at = None, -1
        for place in range(len(now) - 1):
            order = rules.order(now[place], now[place + 1])
            if order is not None and (best is None or order < best):
                best, at = order, place
        if best is None:
            return
        now[at : at + 2] = [now[at] + now[at + 1]]
        yield tuple(now), at


def joined(symbols: Sequence[str], rules: MergeRules) -> tuple[str, ...]:
    """Return what is left when nothing can be joined any more."""
    last = tuple(symbols)
    for after, _at in joins(symbols, rules):
        last = after
    return last


def built(token_id: int, rules: MergeRules) -> BuiltToken:
    """Tell how a token came about.

    Joins across its borders did not happen, or it would not be there; so joining its own symbols
    alone takes the same steps in the same order.
    """
    text = rules.texts.get(token_id, "")
    score = rules.scores[token_id] if token_id < len(rules.scores) else None
    part = rules.part(text)
    if token_id in rules.added or not text:
        return BuiltToken(token_id, Part(text, text.encode()), "added")
    if rules.kind == "other":
        return BuiltToken(token_id, part, "no merges", score=score)
    if not rules.byte_level and lone_byte(text) is not None:
        return BuiltToken(token_id, part, "byte")
    if len(text) == 1:
        return BuiltToken(token_id, part, "single", score=score)
    steps, last, before = [], tuple(text), tuple(text)
    for after, at in joins(text, rules):
        steps.append(_step(before, after, at, rules))
        last = before = after
    if last != (text,):
        return BuiltToken(token_id, part, "whole", score=score)
    start = tuple(map(rules.part, text))
    return BuiltToken(token_id, part, "merged", start, tuple(steps), score)


def _step(before: tuple[str, ...], after: tuple[str, ...], at: int, rules: MergeRules) -> MergeStep:
    parts = tuple(map(rules.part, after))
    if rules.kind == "bpe":
        return MergeStep(parts, at, rank=rules.ranks[before[at], before[at + 1]] + 1)
    return MergeStep(parts, at, score=rules.scores[rules.ids[after[at]]])
