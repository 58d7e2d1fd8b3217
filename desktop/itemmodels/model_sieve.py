"""Which of thousands of installed models are shown, and in which order: quick for each letter.

Rows are spoken of by their places in one tuple. What was found for some words is remembered, and
more letters look only among what fewer letters found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from desktop.values import IN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop.values import InstalledModel

Order: TypeAlias = Literal["favourites", "name", "used", "size"]
Groups: TypeAlias = tuple[list[int], list[int], list[int]]
"""Places of the rows in memory, of favourites where those come first, and of all others."""

_MOST_REMEMBERED = 24


class ModelSieve:
    """Holds rows and what is looked for among them."""

    def __init__(self) -> None:
        self.rows: tuple[InstalledModel, ...] = ()
        self._order: Order = "favourites"
        self._kinds: frozenset[str] = frozenset()
        self._engines: frozenset[str] = frozenset()
        self._words = ""
        self._texts: list[str] = []  # what words are looked for in, place by place
        self._found: dict[str, Groups] = {}
        self._places: dict[str, int] | None = None

    def set_rows(self, rows: tuple[InstalledModel, ...]) -> None:
        """Take other rows."""
        known = min(len(rows), len(self._texts))
        pairs = zip(rows[:known], self.rows[:known], strict=True)
        if not all(new.info is old.info or new.info == old.info for new, old in pairs):
            self._texts = []
        del self._texts[len(rows) :]
        self.rows, self._places = rows, None
        self._found.clear()

    def replace_rows(self, rows: tuple[InstalledModel, ...]) -> None:
        """Take rows of the same models in the same order, none of which changes its group."""
        self.rows = rows

    def set_words(self, words: str) -> None:
        """Look for rows whose facts contain every word."""
        self._words = " ".join(words.casefold().split())

    def set_filter(self, kinds: Iterable[str], engines: Iterable[str]) -> None:
        """Look for models of these kinds and engines; none = all."""
        wanted = frozenset(kinds), frozenset(engines)
        if wanted != (self._kinds, self._engines):
            self._kinds, self._engines = wanted
            self._found.clear()

    def set_order(self, order: Order) -> None:
        """Sort the rows; those in memory stay above the others."""
        if order != self._order:
            self._order = order
            self._found.clear()

    def place_of(self, model_id: str) -> int:
        """Return the place of a model, -1 where there is none."""
        if self._places is None:
            self._places = {row.info.id: place for place, row in enumerate(self.rows)}
        return self._places.get(model_id, -1)

    def groups(self) -> Groups:
        """Return what is looked for."""
        words = self._words
        found = self._found.get(words)
        if found is None:
            if len(self._found) > _MOST_REMEMBERED:
                self._found.clear()
            found = self._found[words] = self._look(words)
        return found

    def prepare(self, most: int) -> bool:
        """Ready the texts of some more rows for the first letter; tell whether all are ready."""
        begin = len(self._texts)
        self._texts += [_facts(row) for row in self.rows[begin : begin + most]]
        return len(self._texts) == len(self.rows)

    def _look(self, words: str) -> Groups:
        if not words:
            return self._arranged()
        groups = self._begun(words)
        self.prepare(len(self.rows))
        texts = self._texts
        for word in words.split():
            held, loved, others = groups
            groups = (
                [place for place in held if word in texts[place]],
                [place for place in loved if word in texts[place]],
                [place for place in others if word in texts[place]],
            )
        return groups

    def _begun(self, words: str) -> Groups:
        """Return what the longest known beginning of some words found: all they find is in it."""
        for length in range(len(words) - 1, 0, -1):
            found = self._found.get(words[:length].rstrip())
            if found is not None:
                return found
        return self._found.setdefault("", self._arranged())

    def _arranged(self) -> Groups:
        rows, kinds, engines = self.rows, self._kinds, self._engines
        places: Iterable[int] = range(len(rows))
        if kinds:
            places = [place for place in places if rows[place].info.kind in kinds]
        if engines:
            places = [place for place in places if rows[place].info.engine in engines]
        held: list[int] = []
        loved: list[int] = []
        others: list[int] = []
        loved_apart = self._order == "favourites"
        for place in places:
            row = rows[place]
            if row.status in IN_MEMORY:
                held.append(place)
            elif loved_apart and is_favourite(row):
                loved.append(place)
            else:
                others.append(place)
        return held, loved, self._sorted(others)

    def _sorted(self, places: list[int]) -> list[int]:
        rows = self.rows
        if self._order == "name":
            return sorted(places, key=lambda place: rows[place].info.name.casefold())
        if self._order == "size":
            return sorted(places, key=lambda place: -rows[place].info.size_bytes)
        if self._order == "used":
            return sorted(places, key=lambda place: -last_used(rows[place]))
        return places


def stays(old: InstalledModel, new: InstalledModel) -> bool:
    """Whether a row keeps its place, whatever the order and the words looked for."""
    held = (old.status in IN_MEMORY) == (new.status in IN_MEMORY)
    noted = is_favourite(old) == is_favourite(new) and last_used(old) == last_used(new)
    return held and noted and old.info == new.info


def is_favourite(row: InstalledModel) -> bool:
    """Whether the person marked it."""
    return row.note is not None and row.note.favourite


def last_used(row: InstalledModel) -> float:
    """Return when it was loaded last, in seconds since the epoch; 0 where nothing says so."""
    return row.note.last_used if row.note is not None else 0.0


def _facts(row: InstalledModel) -> str:
    info = row.info
    facts = f"{info.name} {info.engine} {info.kind} {info.quantization} {info.architecture}"
    return facts.casefold()
