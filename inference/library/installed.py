"""The models on this computer: shipped ones, the models folders, files added, other apps' models.

Reads headers only and remembers what it read, so a list is quick to make again.
"""

from __future__ import annotations

import importlib.resources
import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inference.cancel import CancelToken
from inference.errors import ModelNotFoundError, UnsupportedRequestError
from inference.library import known, notes, split_files
from inference.library.arrivals import Progress, Way, carry_out, plan_arrival, take_back
from inference.library.describe import examine, is_gguf
from inference.library.download import verify
from inference.library.folders import ModelFolders
from inference.library.freed import freed_bytes
from inference.library.known import KnownModels
from inference.library.listing import Listing
from inference.library.lookup import EngineChoice, find_model, nearest
from inference.library.notes import ModelNotes
from inference.library.registry import Added, Entries, Registry
from inference.library.scan import scan
from inference.library.trash import Trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inference.library.registry import Moved
    from inference.paths import AppPaths
    from inference.types import ModelInfo

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a model did.

    Attributes:
        info: The model as it was.
        freed_bytes: What is gone for good when the trash is emptied: 0 for a model that was only
            forgotten, and for files that other names or links keep alive.
        in_trash: Whether its files were moved to the trash.
    """

    info: ModelInfo
    freed_bytes: int
    in_trash: bool = False


class Library:
    """All installed models.

    May be used from several threads. Ids: shipped models are ``starter-instruct`` (GGUF, Q8_0),
    ``starter-instruct-f16`` (GGUF) and ``starter-instruct-native`` (folder), the same for
    ``starter-base``; in a models folder the place there without ending, e.g.
    ``org/name/name-Q4_K_M``; an added model's file name; ``ollama/qwen3:4b`` and the like for
    those of other apps. What is there twice gets a number behind it.

    Args:
        paths: The app's folders.
        starters: Where the shipped models lie; ``None`` means in the app itself.

    Attributes:
        problems: A sentence for each folder that the last ``list`` could not read.
        unread: Models that the last ``list`` gave by name only; the next one goes on.
        notes: Corrected kinds, favourites, notes and last use, per model.
        folders: The models folders, and which other apps' models are shown.
    """

    def __init__(self, paths: AppPaths, starters: Path | None = None) -> None:
        if starters is None:
            starters = Path(str(importlib.resources.files("resources") / "starter"))
        self._registry = Registry(paths.data / "models.json")
        self._hashes = paths.data / verify.MEMORY
        self._lock = threading.RLock()
        self.problems: tuple[str, ...] = ()
        self.unread = 0
        self.notes = ModelNotes(paths.data / notes.FILE)
        self.folders = ModelFolders(paths)
        self._listing = Listing(
            starters,
            self.folders,
            self._registry,
            KnownModels(paths.data / known.FILE),
            self.notes,
        )

    def list(self, within_s: float | None = None) -> tuple[ModelInfo, ...]:
        """Return all models: shipped, the models folders by name, added ones, other apps'.

        Args:
            within_s: Seconds for opening files that are new. Those that are left have only their
                name this time, and ``unread`` counts them. ``None`` opens all.
        """
        with self._lock:
            listed = self._listing.read(within_s)
            self.problems, self.unread = listed.problems, listed.unread
            return listed.models

    def estimate(self, info: ModelInfo) -> int:
        """Return the memory that a listed model would take, in bytes; 0 when not known."""
        with self._lock:
            return self._listing.estimate(info)

    def find(self, name: str, engine: EngineChoice = "auto") -> ModelInfo:
        """Return the model that a person means.

        Args:
            name: An id, a unique part of one, a ``.gguf`` file or a checkpoint folder.
            engine: Chooses between the forms of a shipped model; otherwise the model has to be of
                that engine.

        Raises:
            ModelNotFoundError: Nothing, or several models, match; the hint lists candidates.
            UnsupportedRequestError: The model exists, but not for that engine.
        """
        with self._lock:
            models = self.list(within_s=0.0)  # names tell which one; only that one is opened
            found = find_model(self._listed_as(name, models), models, engine)
            if not self.unread:
                return found
            self._listing.open(found.path)
            again = {info.id: info for info in self.list(within_s=0.0)}
            return again.get(found.id, found)

    def add(self, path: Path) -> ModelInfo:
        """Put a file or folder on the list; it stays where it is.

        Raises:
            InferenceError: It is missing or damaged, or no engine here can run it.
            StoreError: The list cannot be saved.
        """
        path = Path(path).expanduser().absolute()
        if is_gguf(path):
            path = split_files.first_part(path)
        with self._lock:
            for info in self.list():
                if Path(info.path) == path and not info.problem:
                    return info
            info, error = examine(path)
            if error is not None:
                raise error
            entries = self._registry.load()
            others = tuple(added for added in entries.added if Path(added.path) != path)
            back = [added for added in entries.forgotten if Path(added.path) == path]
            forgotten = tuple(added for added in entries.forgotten if added not in back)
            entry = back[-1] if back else Added(self._free_id(info.id), str(path))
            self._registry.save(replace(entries, added=(*others, entry), forgotten=forgotten))
            return replace(info, id=entry.id, origin="added")

    def bring(
        self,
        path: Path,
        way: Way,
        cancel: CancelToken | None = None,
        on_progress: Progress = lambda _done, _total: None,
    ) -> ModelInfo:
        """Copy or move a file or folder into the default models folder.

        A move can be undone with ``restore`` until the trash is emptied; the model's note follows
        its files.

        Args:
            path: A ``.gguf`` file, all of whose parts come, or a checkpoint folder.
            way: Copied or moved.
            cancel: Ends it; nothing has changed then.
            on_progress: Told the bytes that have arrived, and of how many.

        Raises:
            InferenceError: No engine runs it, it is there already, or the disk is too small.
            StoreError: The models folder cannot be written.
            StoppedError: Cancelled.
        """
        info, error = examine(Path(path).expanduser())
        if error is not None:
            raise error
        cancel = cancel or CancelToken()
        arrival = plan_arrival(Path(info.path), self.folders.target(), way, cancel)
        moved = carry_out(arrival, cancel, on_progress)
        with self._lock:
            if moved is not None:
                self._follow(moved)
            here = self._at(arrival.target)
            if here is None:
                raise ModelNotFoundError(f"{arrival.target} is gone again.", "Bring it once more.")
            return here

    def remove(self, model_id: str) -> Removal:
        """Take a model off this computer; ``restore`` brings it back.

        An added model is forgotten and its file untouched; one in a models folder moves to the
        trash there.

        Raises:
            ModelNotFoundError: No such id, or its drive is away.
            UnsupportedRequestError: The model is shipped with the app, or another app's.
            StoreError: The files or the list cannot be changed.
        """
        with self._lock:
            models = self.list()
            info = next((info for info in models if info.id == model_id), None)
            if info is None:
                raise ModelNotFoundError(
                    f"There is no installed model called {model_id!r}.", nearest(model_id, models)
                )
            _check_removable(info)
            if info.origin == "added":
                self._forget(info.path)
                return Removal(info, 0)
            path = Path(info.path)
            folder = self.folders.holding(path)
            if info.absent or folder is None:
                raise ModelNotFoundError(info.problem, "Then it can be removed.")
            belonging = _belonging(path, folder)
            freed = freed_bytes(belonging)
            Trash(folder).put(model_id, belonging)
            return Removal(info, freed, in_trash=True)

    def restore(self, model_id: str) -> ModelInfo:
        """Bring the latest removed model of that id back, or a moved one to where it was.

        Raises:
            ModelNotFoundError: Nothing of that id was removed or moved.
            StoreError: Its place is taken, or the folder cannot be changed.
        """
        with self._lock:
            entries = self._registry.load()
            again = [added for added in entries.forgotten if added.id == model_id]
            if again:
                rest = tuple(added for added in entries.forgotten if added.id != model_id)
                added = (*entries.added, again[-1])
                self._registry.save(replace(entries, added=added, forgotten=rest))
                path = Path(again[-1].path)
            else:
                moved, trash = self._moved(model_id), self._trash_with(model_id)
                if moved is not None and moved.moved_at >= (trash.newest(model_id) or 0.0):
                    path = self._move_back(moved)
                else:
                    path = trash.restore(model_id)
            return self._at(path) or self.find(model_id)

    def restorable(self) -> tuple[str, ...]:
        """Return the ids that ``restore`` takes: what was removed, and what was moved here."""
        with self._lock:
            entries = self._registry.load()
            moved = {one.now for one in entries.moved}
            ids = [added.id for added in entries.forgotten]
            ids += [one.id for one in self.list() if one.path in moved] if moved else []
            ids += [name for trash in self._trashes() for name in trash.ids()]
            return tuple(dict.fromkeys(ids))

    def empty_trash(self) -> int:
        """Give up what ``restore`` could bring back; return the bytes freed.

        Raises:
            StoreError: The files or the list cannot be changed.
        """
        with self._lock:
            entries = self._registry.load()
            if entries.forgotten or entries.moved:
                self._registry.save(Entries(added=entries.added))
            self._listing.forget_others()
            return sum(trash.empty() for trash in self._trashes())

    def _listed_as(self, name: str, models: tuple[ModelInfo, ...]) -> str:
        """Return the id of a model that goes by several: Ollama's tags may mean one file."""
        path = self._listing.other_names.get(name.strip().lower())
        return next((info.id for info in models if path and info.path == path), name)

    def _follow(self, moved: Moved) -> None:
        """Remember the way back of a move, and let what is kept by path follow it."""
        entries = self._registry.load()
        added = tuple(one for one in entries.added if one.path != moved.before)
        self._registry.save(replace(entries, added=added, moved=(*entries.moved, moved)))
        self.notes.moved(moved.before, moved.now)
        self._hashes_follow((before, now) for now, before in moved.files)

    def _moved(self, model_id: str) -> Moved | None:
        """Return the way back of an installed model that was moved here."""
        moved = {one.now: one for one in self._registry.load().moved}
        found = next((one for one in self.list() if one.id == model_id), None) if moved else None
        return moved.get(found.path) if found is not None else None

    def _move_back(self, moved: Moved) -> Path:
        """Undo a move, and keep the model on the list where it was."""
        path = Path(moved.now)
        take_back(moved, self.folders.holding(path) or path.parent, CancelToken())
        entries = self._registry.load()
        rest = tuple(one for one in entries.moved if one != moved)
        self._registry.save(replace(entries, moved=rest))
        self.notes.moved(moved.now, moved.before)
        self._hashes_follow(moved.files)
        return Path(self.add(Path(moved.before)).path)

    def _hashes_follow(self, files: Iterable[tuple[str, str]]) -> None:
        try:
            verify.moved(self._hashes, files)
        except OSError as exc:
            _log.info("the hashes of moved files were not kept: %s", exc)

    def _trashes(self) -> Iterator[Trash]:
        yield from map(Trash, self.folders.all())

    def _trash_with(self, model_id: str) -> Trash:
        """Return the trash that a model was put into last; without one, that of our own folder."""
        found = [
            (when, number, trash)
            for number, trash in enumerate(self._trashes())
            if (when := trash.newest(model_id)) is not None
        ]
        return max(found)[2] if found else Trash(self.folders.own)

    def _at(self, path: Path) -> ModelInfo | None:
        """Return the model that lies there, or has the file there."""
        models = self.list()
        return next(
            (info for info in models if path in (Path(info.path), Path(info.path).parent)), None
        )

    def _free_id(self, name: str) -> str:
        taken = {info.id for info in self.list()}
        taken |= {added.id for added in self._registry.load().forgotten}
        base = re.sub(r"[^\w.+-]+", "-", name).strip("-") or "model"
        candidate, number = base, 2
        while candidate in taken:
            candidate, number = f"{base}-{number}", number + 1
        return candidate

    def _forget(self, path: str) -> None:
        entries = self._registry.load()
        gone = tuple(added for added in entries.added if added.path == path)
        rest = tuple(added for added in entries.added if added.path != path)
        self._registry.save(replace(entries, added=rest, forgotten=(*entries.forgotten, *gone)))


def _check_removable(info: ModelInfo) -> None:
    if info.bundled:
        raise UnsupportedRequestError(
            f"{info.name} is part of the app and stays.",
            "It takes little space; other models can be removed.",
        )
    if info.is_foreign:
        raise UnsupportedRequestError(
            f"{info.name} belongs to {info.origin} and is only read here.",
            f"Remove it in {info.origin}, or stop showing {info.origin}'s models.",
        )


def _belonging(path: Path, models: Path) -> list[Path]:
    """Return what goes with a model of a models folder; other models in its folder stay."""
    if is_gguf(path):
        return [part for part in split_files.parts(path) if part.exists() or part.is_symlink()]
    if not any(path in found.path.parents for found in scan(models).models):
        return [path]
    files = [file for file in path.iterdir() if file.is_file()]
    return [file for file in files if file.suffix.lower() != ".gguf"]
