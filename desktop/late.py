"""Parts of the engine side that the window needs only after it has been painted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from inference.cancel import CancelToken
    from inference.library.arrivals import Progress, Way
    from inference.library.folders import ModelFolders
    from inference.library.installed import Library, Removal
    from inference.library.notes import ModelNotes
    from inference.paths import AppPaths
    from inference.types import ModelInfo


class LateLibrary:
    """The library of installed models, imported and opened by the first question to it.

    May be used from several threads.

    Args:
        paths: Where models are.
    """

    def __init__(self, paths: AppPaths) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._opened: Library | None = None

    def list(self, within_s: float | None = None) -> tuple[ModelInfo, ...]:
        """Everything installed; files that are new are opened for so many seconds."""
        return self._library().list(within_s)

    @property
    def unread(self) -> int:
        """Models that the last ``list`` gave by name only."""
        return self._library().unread

    def estimate(self, info: ModelInfo) -> int:
        """Memory that a listed model would take, in bytes; 0 when not known."""
        return self._library().estimate(info)

    def add(self, path: Path) -> ModelInfo:
        """Take a file or folder into the list."""
        return self._library().add(path)

    def bring(
        self,
        path: Path,
        way: Way,
        cancel: CancelToken | None = None,
        on_progress: Progress = lambda _done, _total: None,
    ) -> ModelInfo:
        """Copy or move a file or folder into the default models folder."""
        return self._library().bring(path, way, cancel, on_progress)

    def remove(self, model_id: str) -> Removal:
        """Take a model away."""
        return self._library().remove(model_id)

    def restore(self, model_id: str) -> ModelInfo:
        """Bring a removed model back."""
        return self._library().restore(model_id)

    def empty_trash(self) -> int:
        """Delete for good what was removed; bytes freed. Nobody asked yet: nothing was removed."""
        return self._library().empty_trash() if self._opened is not None else 0

    def models_folder(self) -> Path:
        """Return the folder that downloads go to; raises ``ReadOnlyFolderError`` if it is away."""
        return self._library().folders.target()

    @property
    def folders(self) -> ModelFolders:
        """The models folders, and which other apps' models are shown."""
        return self._library().folders

    @property
    def notes(self) -> ModelNotes:
        """Corrected kinds, favourites, notes and last use, per model."""
        return self._library().notes

    def _library(self) -> Library:
        with self._lock:
            if self._opened is None:
                from inference.library.installed import Library  # noqa: PLC0415  see the module

                self._opened = Library(self._paths)
            return self._opened
