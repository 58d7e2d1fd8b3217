"""``ModelRows``: installed models as rows; a row that stays the same stays the same object.

Views look for what is another object, so that a change of one model among thousands costs little.
All rows are gone through only after the library has been read; in between only those whose note
changed, and those the engine holds or held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.values import EngineState, InstalledModel, Models

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.controllers.shelf import ModelShelf
    from inference.types import ModelInfo


class ModelRows:
    """Remembers the rows it made last.

    Args:
        shelf: What is installed, with notes and estimates.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf
        self._edition = -1
        self._models = Models()
        self._places: dict[str, int] = {}
        self._held: str | None = None

    def rows(self, state: EngineState, is_stale: Callable[[ModelInfo], bool]) -> Models:
        """Return every model.

        Args:
            state: What the engine does, and with which model.
            is_stale: Whether the model in memory would be loaded otherwise now.
        """
        touched = self._shelf.touched()
        if self._shelf.edition != self._edition:
            self._edition = self._shelf.edition
            self._read_all()
        else:
            self._put({place: self._resting(place) for place in self._places_of(touched)})
        held = state.model.id if state.model is not None else None
        if self._held is not None and self._held != held:
            self._put({place: self._resting(place) for place in self._places_of({self._held})})
        self._held = held
        if held is not None:
            self._put(
                {place: self._at_work(place, state, is_stale) for place in self._places_of({held})}
            )
        return self._models

    def _places_of(self, model_ids: set[str]) -> list[int]:
        return [self._places[one] for one in model_ids if one in self._places]

    def _put(self, rows: dict[int, InstalledModel]) -> None:
        """Exchange rows that have become others."""
        before = self._models.rows
        changed = {place: row for place, row in rows.items() if row != before[place]}
        if changed:
            after = list(before)
            for place, row in changed.items():
                after[place] = row
            self._models = Models(tuple(after))

    def _read_all(self) -> None:
        known = {row.info.id: row for row in self._models.rows}
        estimates, notes = self._shelf.facts()
        rows: dict[str, InstalledModel] = {}
        for info in self._shelf.models:  # of ten thousand: each call here takes a millisecond
            name = info.id
            old, note, size = known.get(name), notes.get(name), estimates.get(name, 0)
            if (
                old is not None
                and old.status == "none"
                and old.estimate_bytes == size
                and old.note == note
                and old.info == info
            ):
                rows[name] = old
            else:
                rows[name] = InstalledModel(info, estimate_bytes=size, note=note)
        self._models = Models(tuple(rows.values()))
        self._places = {name: place for place, name in enumerate(rows)}

    def _row(self, info: ModelInfo) -> InstalledModel:
        shelf = self._shelf
        return InstalledModel(info, estimate_bytes=shelf.estimate(info), note=shelf.note(info))

    def _resting(self, place: int) -> InstalledModel:
        return self._row(self._models.rows[place].info)

    def _at_work(
        self, place: int, state: EngineState, is_stale: Callable[[ModelInfo], bool]
    ) -> InstalledModel:
        info = self._models.rows[place].info
        return InstalledModel(
            info,
            state.status,
            state.memory_bytes,
            self._shelf.estimate(info),
            self._shelf.note(info),
            is_stale(info),
        )
