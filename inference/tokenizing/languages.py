"""Which language a passage is in: a guess from its letters, by py3langid (Lui & Baldwin 2012).

Loading it takes half a second and 80 MB: only the process that tells of tokenizers imports this.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from inference.tokenizing.language_names import FAMILIES, NO_LANGUAGE, OPEN_FAMILIES
from inference.tokenizing.passages import passages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inference.tokenizing.passages import Passage

NOT_TOLD: Final = "not told"
NO_WORDS: Final = "no words"
_SURE: Final = 0.6
_FAR: Final = 10.0
"""A language this many times less likely than another is not taken over from the text around,"""
_SOME: Final = 0.2
"""if the other has this chance at least: below, the letters say nothing."""
_MOSTLY: Final = 0.75
_OPEN: Final = OPEN_FAMILIES | {NOT_TOLD}


class Told(NamedTuple):
    """Characters ``start`` to ``end`` and their language's code, ``NOT_TOLD`` or ``NO_WORDS``."""

    start: int
    end: int
    language: str


class Ranking(Protocol):
    """What is asked of the detector: chances that sum to 1, the likeliest first."""

    def rank(self, text: str) -> list[tuple[str, float]]: ...  # noqa: D102


def detector() -> Ranking:
    """Load the detector with the model that comes with it."""
    found: Ranking = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return found


def teller() -> Callable[[str], tuple[Told, ...]]:
    """Load the detector; what is returned tells a text's languages, the same text at once."""
    by = detector()
    return lru_cache(maxsize=16)(lambda text: languages_of(text, by))


def languages_of(text: str, by: Ranking) -> tuple[Told, ...]:
    """Return each smallest passage of a text and its language; together they are the text.

    Where one language has 60 % of the chances, it is taken. A passage that stays open takes the
    language of the sentence, line, paragraph or text that it is part of, if that is sure, if most
    of its letters were told to be in it, and if the passage itself does not speak against it.
    """
    return tuple(_Telling(text, by).tell(passages(text)))


class _Telling:
    def __init__(self, text: str, by: Ranking) -> None:
        self._text, self._by = text, by
        self._chances: dict[str, dict[str, float]] = {}

    def tell(self, passage: Passage) -> list[Told]:
        start, end, parts, code = passage
        words = self._text[start:end]
        if code or not any(map(str.isalpha, words)):
            return [Told(start, end, NO_WORDS)]
        if not parts:
            return [Told(start, end, self._verdict(start, end))]
        told = [one for part in parts for one in self.tell(part)]
        if not any(one.language in _OPEN for one in told):
            return told
        whole = self._verdict(start, end)
        if whole in {NOT_TOLD, NO_WORDS} or not self._mostly(told, whole):
            return told
        return [self._taken_over(one, whole) for one in told]

    def _taken_over(self, one: Told, whole: str) -> Told:
        codes = FAMILIES.get(whole, (whole,))
        if one.language != NOT_TOLD:
            return one._replace(language=whole) if _leaves_open(one.language, whole) else one
        chances = self._chances_of(one.start, one.end)
        own, best = sum(chances.get(code, 0.0) for code in codes), max(chances.values())
        far = best >= _SOME and own * _FAR < best
        return one if far else one._replace(language=whole)

    def _mostly(self, told: Sequence[Told], whole: str) -> bool:
        """Whether most of what was told is in the language of the whole."""
        letters = {True: 0, False: 0}
        for one in told:
            if one.language not in {NOT_TOLD, NO_WORDS}:
                agrees = one.language == whole or _leaves_open(one.language, whole)
                letters[agrees] += one.end - one.start
        return letters[True] >= _MOSTLY * sum(letters.values())

    def _verdict(self, start: int, end: int) -> str:
        return _surest(self._chances_of(start, end))

    def _chances_of(self, start: int, end: int) -> dict[str, float]:
        words = self._text[start:end]
        if words not in self._chances:
            self._chances[words] = dict(self._by.rank(words))
        return self._chances[words]


def _leaves_open(family: str, language: str) -> bool:
    return family in OPEN_FAMILIES and language in FAMILIES[family]


def _surest(chances: Mapping[str, float]) -> str:
    """Return the language that is sure enough, or the family of which one is."""
    best = max(chances, key=chances.__getitem__)
    if chances[best] >= _SURE:
        return NO_WORDS if best == NO_LANGUAGE else best
    for family, codes in FAMILIES.items():
        if best in codes and sum(chances.get(code, 0.0) for code in codes) >= _SURE:
            return family
    return NOT_TOLD
