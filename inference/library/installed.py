"""The models on this computer: shipped ones, the models folder, and files added from elsewhere.

Reads headers only and remembers what it read, so a list is quick to make again.
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec.structs import replace

from inference.errors import InferenceError, ModelNotFoundError, UnsupportedRequestError
from inference.library import notes, split_files
from inference.library.checkpoint_folder import is_checkpoint_folder
from inference.library.describe import examine, is_gguf, size_on_disk
from inference.library.notes import ModelNotes
from inference.library.registry import Added, Entries, Registry
from inference.library.scan import scan
from inference.library.trash import Trash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inference.library.notes import ModelNote
    from inference.paths import AppPaths
    from inference.types import ModelInfo, ModelKind

EngineChoice: TypeAlias = Literal["auto", "gguf", "native"]

_STARTERS = ("starter-instruct", "starter-base")
_STARTER_FORMS = (("", "-Q8_0.gguf"), ("-f16", "-F16.gguf"), ("-native", ""))
_MANY = 8


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a model did.

    Attributes:
        info: The model as it was.
        freed_bytes: What its files take; they are gone for good when the trash is emptied. 0 for a
            model that was only forgotten: its file is untouched.
    """

    info: ModelInfo
    freed_bytes: int


class Library:
    """All installed models.

    May be used from several threads. Ids: shipped models are ``starter-instruct`` (GGUF, Q8_0),
    ``starter-instruct-f16`` (GGUF) and ``starter-instruct-native`` (folder), the same for
    ``starter-base``; in the models folder the place there without ending, e.g.
    ``org/name/name-Q4_K_M``; an added model's file name.

    Args:
        paths: The app's folders.
        starters: Where the shipped models lie; ``None`` means in the app itself.

    Attributes:
        problems: A sentence for each folder that the last ``list`` could not read.
        notes: Corrected kinds, favourites, notes and last use, per model.
    """

    def __init__(self, paths: AppPaths, starters: Path | None = None) -> None:
        self._models = paths.models
        if starters is None:
            starters = Path(str(importlib.resources.files("resources") / "starter"))
        self._starters = starters
        self._registry = Registry(paths.data / "models.json")
        self._trash = Trash(paths.models)
        self._lock = threading.RLock()
        self._known: dict[Path, tuple[object, ModelInfo, InferenceError | None]] = {}
        self.problems: tuple[str, ...] = ()
        self.notes = ModelNotes(paths.data / notes.FILE)

    def list(self) -> tuple[ModelInfo, ...]:
        """Return all models: shipped, then the models folder by name, then added ones."""
        with self._lock:
            taken: dict[str, ModelInfo] = {}
            for info in (*self._shipped(), *self._in_folder(), *self._added()):
                taken.setdefault(info.id, info)
            noted = self.notes.all()
            return tuple(_corrected(info, noted) for info in taken.values())

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
        models = self.list()
        wanted = name.strip()
        exact = [info for info in models if info.id.lower() == wanted.lower()]
        found = exact or _by_path(wanted, models) or _by_part(wanted, models)
        if len({_family(info) for info in found}) > 1:
            raise ModelNotFoundError(
                f"Several models match {wanted!r}.", f"Say which one: {_listed(found)}."
            )
        if not found:
            raise ModelNotFoundError(
                f"There is no installed model called {wanted!r}.", _nearest(wanted, models)
            )
        return _form(found, models, engine)

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
            self._registry.save(Entries(added=(*others, entry), forgotten=forgotten))
            return replace(info, id=entry.id, origin="added")

    def remove(self, model_id: str) -> Removal:
        """Take a model off this computer; ``restore`` brings it back.

        An added model is forgotten and its file untouched; one in the models folder moves to the
        trash there.

        Raises:
            ModelNotFoundError: No such id.
            UnsupportedRequestError: The model is shipped with the app.
            StoreError: The files or the list cannot be changed.
        """
        with self._lock:
            info = next((info for info in self.list() if info.id == model_id), None)
            if info is None:
                raise ModelNotFoundError(
                    f"There is no installed model called {model_id!r}.",
                    _nearest(model_id, self.list()),
                )
            if info.bundled:
                raise UnsupportedRequestError(
                    f"{info.name} is part of the app and stays.",
                    "It takes little space; other models can be removed.",
                )
            if info.origin == "added":
                self._forget(model_id)
                return Removal(info, 0)
            belonging = _belonging(Path(info.path), self._models)
            freed_bytes = sum(map(size_on_disk, belonging))
            self._trash.put(model_id, belonging)
            return Removal(info, freed_bytes)

    def restore(self, model_id: str) -> ModelInfo:
        """Bring the latest removed model of that id back.

        Raises:
            ModelNotFoundError: Nothing of that id was removed.
            StoreError: Its place is taken, or the folder cannot be changed.
        """
        with self._lock:
            entries = self._registry.load()
            again = [added for added in entries.forgotten if added.id == model_id]
            if again:
                rest = tuple(added for added in entries.forgotten if added.id != model_id)
                added = (*entries.added, again[-1])
                self._registry.save(Entries(added=added, forgotten=rest))
            else:
                self._trash.restore(model_id)
            return self.find(model_id)

    def empty_trash(self) -> int:
        """Give up what ``restore`` could bring back; return the bytes freed.

        Raises:
            StoreError: The files or the list cannot be changed.
        """
        with self._lock:
            entries = self._registry.load()
            if entries.forgotten:
                self._registry.save(Entries(added=entries.added))
            return self._trash.empty()

    def _shipped(self) -> Iterator[ModelInfo]:
        for name in _STARTERS:
            kind: ModelKind = "instruct" if name.endswith("instruct") else "base"
            title = ""  # only a GGUF file says one; the folder beside it is the same model
            for suffix, ending in _STARTER_FORMS:
                path = self._starters / f"{name}{ending}"
                if path.exists():
                    info = self._examined(path)
                    title = title or ("" if info.name in {path.name, path.stem} else info.name)
                    info = replace(info, id=name + suffix, kind=kind, name=title or info.name)
                    yield replace(info, bundled=True, origin="starter")

    def _in_folder(self) -> Iterator[ModelInfo]:
        result = scan(self._models)
        self.problems = result.problems
        for found in result.models:
            yield replace(self._examined(found.path), id=found.id, origin="models folder")

    def _added(self) -> Iterator[ModelInfo]:
        for added in self._registry.load().added:
            yield replace(self._examined(Path(added.path)), id=added.id, origin="added")

    def _examined(self, path: Path) -> ModelInfo:
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, *examine(path))
            self._known[path] = known
        return known[1]

    def _free_id(self, name: str) -> str:
        taken = {info.id for info in self.list()}
        taken |= {added.id for added in self._registry.load().forgotten}
        base = re.sub(r"[^\w.+-]+", "-", name).strip("-") or "model"
        candidate, number = base, 2
        while candidate in taken:
            candidate, number = f"{base}-{number}", number + 1
        return candidate

    def _forget(self, model_id: str) -> None:
        entries = self._registry.load()
        gone = tuple(added for added in entries.added if added.id == model_id)
        rest = tuple(added for added in entries.added if added.id != model_id)
        self._registry.save(Entries(added=rest, forgotten=(*entries.forgotten, *gone)))


def _corrected(info: ModelInfo, noted: Mapping[str, ModelNote]) -> ModelInfo:
    """Return the facts with the kind that the person chose."""
    note = noted.get(notes.key(info.path))
    return replace(info, kind=note.kind) if note is not None and note.kind else info


def _belonging(path: Path, models: Path) -> list[Path]:
    """Return what goes with a model of the models folder; other models in its folder stay."""
    if is_gguf(path):
        return [part for part in split_files.parts(path) if part.exists()]
    if not any(path in found.path.parents for found in scan(models).models):
        return [path]
    files = [file for file in path.iterdir() if file.is_file()]
    return [file for file in files if file.suffix.lower() != ".gguf"]


def _stamp(path: Path) -> object:
    """Return a value that changes when the files do."""
    if is_gguf(path):
        files = split_files.parts(split_files.first_part(path))
    else:
        try:
            files = tuple(sorted(path.iterdir()))
        except OSError:
            files = (path,)
    stamps: list[tuple[str, int, int]] = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        stamps.append((file.name, stat.st_size, stat.st_mtime_ns))
    return tuple(stamps)


def _by_path(name: str, models: tuple[ModelInfo, ...]) -> list[ModelInfo]:
    path = Path(name).expanduser().absolute()
    is_word = Path(name).name == name  # may happen to be the name of some folder here
    meant = path.is_file() or is_checkpoint_folder(path) or (path.is_dir() and not is_word)
    if not name or not (meant or name.lower().endswith(".gguf")):
        return []
    if is_gguf(path):
        path = split_files.first_part(path)
    installed = [info for info in models if Path(info.path) == path]
    if installed:
        return installed
    info, error = examine(path)
    if isinstance(error, ModelNotFoundError):
        raise error
    return [info]


def _by_part(name: str, models: tuple[ModelInfo, ...]) -> list[ModelInfo]:
    return [info for info in models if name and name.lower() in info.id.lower()]


def _family(info: ModelInfo) -> str:
    """Forms of one shipped model count as one model."""
    return re.sub(r"-(f16|native)$", "", info.id) if info.bundled else info.id


def _form(found: list[ModelInfo], models: tuple[ModelInfo, ...], engine: EngineChoice) -> ModelInfo:
    first = found[0]
    if engine in ("auto", first.engine):
        return first
    for info in models:
        if first.bundled and _family(info) == _family(first) and info.engine == engine:
            return info
    form, other = ("a GGUF file", "gguf") if first.engine == "gguf" else ("a folder", "native")
    raise UnsupportedRequestError(
        f"{first.id} is {form}, and the {engine} engine cannot run that.",
        f"Use --engine {other}, or choose another model.",
    )


def _listed(models: list[ModelInfo]) -> str:
    ids = [info.id for info in models]
    more = f" and {len(ids) - _MANY} more" if len(ids) > _MANY else ""
    return ", ".join(ids[:_MANY]) + more


def _nearest(name: str, models: tuple[ModelInfo, ...]) -> str:
    by_word = {word: info.id for info in models for word in (info.id, info.id.rsplit("/")[-1])}
    close = difflib.get_close_matches(name, by_word, n=3, cutoff=0.5)
    if close:
        ids = list(dict.fromkeys(by_word[word] for word in close))
        return f"Did you mean {' or '.join(ids)}?"
    if not models:
        return "No models are installed yet."
    return f"Installed are: {_listed(list(models))}."
