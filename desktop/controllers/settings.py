"""``SettingsController``: the settings as they are now, and their file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal

from desktop.controllers.problems import store_problem
from desktop.store.settings import Settings, SettingsFile
from inference.errors import StoreError

if TYPE_CHECKING:
    from desktop.values import Problem


class SettingsController(QObject):
    """Holds one frozen value; every change is written at once.

    Args:
        file: Where they are kept.
        parent: Qt parent.
    """

    changed = Signal(object)
    problem_raised = Signal(object)

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file
        self.start_problem: Problem | None = None
        """Why the file could not be read at the start; nobody listened yet."""
        try:
            self._settings = file.load()
        except StoreError as error:
            self._settings = Settings()
            self.start_problem = store_problem(error)

    def settings(self) -> Settings:
        """The settings now."""
        return self._settings

    def settings_without_past(self) -> Settings:
        """The settings now, but nothing that models have read is kept."""
        engine = msgspec.structs.replace(self._settings.engine, past_disk_mb=0)
        return msgspec.structs.replace(self._settings, engine=engine)

    def update(self, **changes: Any) -> None:  # noqa: ANN401  one value per field, checked below
        """Change fields of ``Settings`` by name; an unchanged value writes nothing.

        Raises:
            msgspec.ValidationError: A value of the wrong type or outside its range: a bug.
        """
        wanted = msgspec.structs.replace(self._settings, **changes)
        # Assignment checks nothing; the way through plain values does.
        wanted = msgspec.convert(msgspec.to_builtins(wanted), Settings)
        if wanted == self._settings:
            return
        self._settings = wanted
        self._emit_changed()
        try:
            self._file.save(wanted)
        except StoreError as error:
            self._emit_problem(store_problem(error))

    def _emit_changed(self) -> None:
        self.changed.emit(self._settings)

    def _emit_problem(self, problem: Problem) -> None:
        self.problem_raised.emit(problem)
