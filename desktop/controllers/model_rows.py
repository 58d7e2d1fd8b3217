"""``ModelRows``: installed models as rows; a row that stays the same stays the same object.

Views look for what is another object, so that a change of one model among thousands costs little.
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
        self._known: dict[str, InstalledModel] = {}

    def rows(self, state: EngineState, is_stale: Callable[[ModelInfo], bool]) -> Models:
        """Return every model.

        Args:
            state: What the engine does, and with which model.
            is_stale: Whether the model in memory would be loaded otherwise now.
        """
        held = state.model.id if state.model is not None else None
        rows: dict[str, InstalledModel] = {}
        for info in self._shelf.models:
            if info.id != held:
                rows[info.id] = self._resting(info)
                continue
            rows[info.id] = InstalledModel(
                info,
                state.status,
                state.memory_bytes,
                self._shelf.estimate(info),
                self._shelf.note(info),
                is_stale(info),
            )
        self._known = rows
        return Models(tuple(rows.values()))

    def _resting(self, info: ModelInfo) -> InstalledModel:
        estimate, note = self._shelf.estimate(info), self._shelf.note(info)
        old = self._known.get(info.id)
        if (
            old is not None
            and old.info is info
            and old.note == note
            and old.estimate_bytes == estimate
            and old.status == "none"
        ):
            return old
        return InstalledModel(info, estimate_bytes=estimate, note=note)
