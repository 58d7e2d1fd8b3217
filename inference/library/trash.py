"""Removed models wait in a hidden folder of the models folder until it is emptied.

The same disk, so that moving is instant and needs no space. Each removal is a folder with a
``removed.json`` that says what lies in it and where it was.
"""

from __future__ import annotations

import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.errors import ModelNotFoundError, ReadOnlyFolderError
from inference.files import replace_file
from inference.library.freed import freed_bytes
from inference.library.moving import drop_empty_parents, rename_all
from inference.library.registry import store_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = ".trash"
_NOTE = "removed.json"


class _Note(msgspec.Struct, frozen=True):
    """What a removal moved: paths relative to the models folder, in the order of ``0, 1, ...``.

    ``removed_at`` in seconds since the epoch; ``order`` tells apart what one clock tick holds.
    """

    id: str
    order: int
    paths: tuple[str, ...]
    removed_at: float = 0.0


class Trash:
    """Moves files and folders of the models folder out of sight and back.

    Args:
        models: The models folder.
    """

    def __init__(self, models: Path) -> None:
        self._models = models
        self._root = models / FOLDER

    def put(self, model_id: str, paths: Sequence[Path]) -> None:
        """Move what belongs to a model away; raises ``StoreError`` and then moves nothing."""
        newest = max((note.order for _, note in self._notes()), default=0)
        place = self._root / uuid.uuid4().hex
        relative = tuple(path.relative_to(self._models).as_posix() for path in paths)
        try:
            note = _Note(model_id, newest + 1, relative, time.time())
            replace_file(place / _NOTE, msgspec.json.encode(note))
            rename_all([(path, place / str(number)) for number, path in enumerate(paths)])
        except OSError as exc:
            if all(path.exists() for path in paths):  # otherwise it is still the way back
                shutil.rmtree(place, ignore_errors=True)
            raise store_error(exc, self._models) from exc
        for path in paths:
            drop_empty_parents(path, self._models)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of what can come back, in the order of removal."""
        notes = sorted((note.order, note.id) for _, note in self._notes())
        return tuple(dict.fromkeys(name for _, name in notes))

    def newest(self, model_id: str) -> float | None:
        """Return when a model of that id was removed last, ``None`` when it was not."""
        found = [note.removed_at for _, note in self._notes() if note.id == model_id]
        return max(found, default=None)

    def bytes_held(self) -> int:
        """Return what emptying would free."""
        return freed_bytes([self._root])

    def restore(self, model_id: str) -> Path:
        """Bring the latest removal of that id back and return where its first file is.

        Raises:
            ModelNotFoundError: No such model in the trash.
            StoreError: Its place is taken, or the folder cannot be written.
        """
        found = [(note.order, place, note) for place, note in self._notes() if note.id == model_id]
        if not found:
            raise ModelNotFoundError(
                f"There is no removed model called {model_id}.",
                "Only models removed from the models folder or the list can come back.",
            )
        _, place, note = max(found, key=lambda item: item[0])
        targets = [self._models / relative for relative in note.paths]
        # A restore that was cut off has some of them back already.
        moves = [
            (source, target)
            for number, target in enumerate(targets)
            if (source := place / str(number)).exists() or not target.exists()
        ]
        taken = [target for _, target in moves if target.exists()]
        if taken:
            raise ReadOnlyFolderError(
                f"{taken[0].name} cannot be brought back: another file has taken its place.",
                f"Move {taken[0]} away first.",
            )
        try:
            rename_all(moves)
        except OSError as exc:
            raise store_error(exc, self._models) from exc
        shutil.rmtree(place, ignore_errors=True)
        return targets[0]

    def empty(self) -> int:
        """Delete everything for good; return the bytes freed.

        The note of a removal goes first: if the rest is cut off, half a model cannot come back,
        and the next time takes what is left.
        """
        try:
            held_bytes = self.bytes_held()
            for note in self._root.glob(f"*/{_NOTE}"):
                note.unlink()
            shutil.rmtree(self._root)
        except FileNotFoundError:
            return 0
        except OSError as exc:
            raise store_error(exc, self._models) from exc
        return held_bytes

    def _notes(self) -> Iterator[tuple[Path, _Note]]:
        for path in sorted(self._root.glob(f"*/{_NOTE}")):
            try:
                note = msgspec.json.decode(path.read_bytes(), type=_Note)
            except (OSError, msgspec.DecodeError):
                continue
            inside = all(self._is_inside(relative) for relative in note.paths)
            if note.paths and inside:
                yield path.parent, note

    def _is_inside(self, relative: str) -> bool:
        return not Path(relative).is_absolute() and ".." not in Path(relative).parts
