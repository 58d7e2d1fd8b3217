"""Which results are of the same weights, and what a smaller version costs against the largest.

Both read the same tokens, so their surprise is compared part by part: what such a difference can be
told from by chance (its standard error) is far smaller than that of either perplexity alone.
"""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from inference.library.quality import version_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inference.evaluation.result import Result
    from inference.types import ModelInfo

Family: TypeAlias = "tuple[str | int, ...]"

SMALL_COST: Final = 0.02
"""An increase of perplexity up to which a smaller version is called a good choice."""
_CLEAR: Final = 2.0
"""Standard errors by which a difference has to be away from nothing."""


@dataclass(frozen=True, slots=True)
class Against:
    """A version beside the largest one of the same weights; all of it derived.

    Attributes:
        reference: The largest.
        cost: Increase of perplexity, 0.013 for 1.3 %.
        error: Its standard error.
        memory: Share of the reference's memory.
        size: Share of the reference's files.
        speed: How many times as fast it writes; 0 where that was not measured.
    """

    reference: Result
    cost: float
    error: float
    memory: float
    size: float
    speed: float

    @property
    def is_clear(self) -> bool:
        """Whether this text is long enough to tell the difference from chance."""
        return abs(self.cost) > _CLEAR * self.error


@dataclass(frozen=True, slots=True)
class Choice:
    """Which version of the same weights to take: the least memory for a small cost.

    Attributes:
        chosen: That one; the reference itself where every smaller one costs more.
        against: The chosen one beside the reference; of the cheapest other where it is the
            reference.
        other: The one that ``against`` is about.
    """

    chosen: Result
    against: Against
    other: Result

    @property
    def reference(self) -> Result:
        """The largest of the family."""
        return self.against.reference


def family_of(info: ModelInfo) -> Family:
    """Return what versions of the same weights share: name without version, kind and shape."""
    name = info.name.casefold()
    version = version_in(info.name).casefold()
    name = name.replace(version, " ") if version else name
    words = [word for word in re.findall(r"\d+(?:\.\d+)+|[^\W_]+", name) if word != "gguf"]
    return (" ".join(words), info.kind, info.n_layers, info.n_vocab)


def families(results: Iterable[Result]) -> tuple[tuple[Result, ...], ...]:
    """Return results of the same weights together, the largest first; families in given order."""
    found: dict[tuple[object, ...], list[Result]] = {}
    for result in results:
        key = result.key
        same_text = (key.text, key.method, key.window, result.scored)
        found.setdefault((*family_of(result.info), *same_text), []).append(result)
    return tuple(
        tuple(sorted(members, key=lambda one: -one.info.size_bytes)) for members in found.values()
    )


def against(result: Result, reference: Result) -> Against:
    """Hold a version beside the largest one; both have read the same tokens."""
    differences = [a - b for a, b in zip(result.parts, reference.parts, strict=True)]
    mean = math.fsum(differences) / result.scored
    ratio = math.exp(min(mean, 700.0))
    error = math.inf
    if len(differences) > 1:
        spread = math.sqrt(len(differences) * statistics.variance(differences))
        error = ratio * spread / result.scored
    ours, theirs = result.speed.tokens_per_s, reference.speed.tokens_per_s
    return Against(
        reference,
        ratio - 1,
        error,
        result.memory_bytes / max(1, reference.memory_bytes),
        result.info.size_bytes / max(1, reference.info.size_bytes),
        ours / theirs if theirs else 0.0,
    )


def beside_the_largest(results: Iterable[Result]) -> dict[str, Against]:
    """Return for every version that is not the largest of its family how it compares, by id."""
    return {
        member.info.id: against(member, family[0])
        for family in families(results)
        for member in family[1:]
    }


def choices(results: Iterable[Result]) -> tuple[Choice, ...]:
    """Return what to take of each family of several versions."""
    return tuple(_choice(family) for family in families(results) if len(family) > 1)


def _choice(family: Sequence[Result]) -> Choice:
    reference, *smaller = family
    compared = [(against(one, reference), one) for one in smaller]
    cheap = [pair for pair in compared if pair[0].cost <= SMALL_COST]
    if cheap:
        best, chosen = min(cheap, key=lambda pair: pair[1].memory_bytes)
        if chosen.memory_bytes <= reference.memory_bytes:
            return Choice(chosen, best, chosen)
    best, other = min(compared, key=lambda pair: pair[0].cost)
    return Choice(reference, best, other)


def best_readers(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the version of each family that expects the text best, the best family first.

    By bits per byte, which does not depend on how a tokenizer cuts; without those that do not know
    theirs.
    """
    best = [
        min(known, key=lambda one: one.bits_per_byte)
        for family in families(results)
        if (known := [one for one in family if not math.isnan(one.bits_per_byte)])
    ]
    return tuple(sorted(best, key=lambda one: one.bits_per_byte))
