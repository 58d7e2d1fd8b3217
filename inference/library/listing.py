"""The list of all models: shipped ones, the models folders, files added, other apps' models.

Looks at names and times each time, reads the headers of what is new in a few threads, and keeps
the facts (``known``). A folder on a drive that is away keeps its models, with the facts of the last
time.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inference.errors import InferenceError
from inference.library import notes, split_files
from inference.library.describe import describe, is_gguf
from inference.library.estimate import estimate
from inference.library.gguf_header import headers_kept
from inference.library.known import Facts, KnownModels, Place
from inference.library.other_apps import NAMES, find_places, models_in
from inference.library.scan import Stamp, scan, stamp_of
from inference.types import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from inference.library.folders import ModelFolders
    from inference.library.notes import ModelNote, ModelNotes
    from inference.library.other_apps import App
    from inference.library.registry import Registry
    from inference.types import ModelKind

_STARTERS = ("starter-instruct", "starter-base")
_STARTER_FORMS = (("", "-Q8_0.gguf"), ("-f16", "-F16.gguf"), ("-native", ""))
_THREADS = 2  # one waits for the disk while the other reads; more only hold up the window
_FEW = 4  # new models that are not worth a thread


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A model as its place tells it, before its facts are looked up."""

    id: str
    path: str
    origin: str
    stamp: Stamp = ()
    name: str = ""  # what to call it where its files do not say
    kind: ModelKind | None = None
    bundled: bool = False
    absent: str = ""  # why it cannot be looked at now, for a person


@dataclass(frozen=True, slots=True)
class Listed:
    """What one reading gave.

    Attributes:
        models: All of them, in order.
        problems: A sentence for each folder that could not be read.
        unread: Models whose files have not been opened yet; they are listed by name only.
    """

    models: tuple[ModelInfo, ...]
    problems: tuple[str, ...] = ()
    unread: int = 0


class Listing:
    """Makes the list. Not for several threads at once.

    Args:
        starters: Where the shipped models lie.
        folders: The models folders.
        registry: Files added from elsewhere.
        known: Facts that were read before.
        model_notes: Corrections of kinds.
    """

    def __init__(
        self,
        starters: Path,
        folders: ModelFolders,
        registry: Registry,
        known: KnownModels,
        model_notes: ModelNotes,
    ) -> None:
        self._starters = starters
        self._folders = folders
        self._registry = registry
        self._known = known
        self._notes = model_notes
        self._problems: list[str] = []
        self._places: set[str] = set()
        self._paths: set[str] | None = None  # before the first reading
        self.other_names: dict[str, str] = {}
        """Ids, lower case, of what is on the list under another one: its path."""

    def read(self, within_s: float | None = None) -> Listed:
        """Make the list.

        Args:
            within_s: Seconds for opening files that are new; those that are left come with the
                next reading. ``None`` opens all of them.
        """
        self._problems, self._places = [], set()
        self.other_names.clear()
        candidates = list(_one_each(self._candidates(), self.other_names))
        unread = self._read_new(candidates, within_s)
        noted = self._notes.all()
        models = tuple(_corrected(self._info(one), noted) for one in candidates)
        self._paths = {one.path for one in candidates}
        self._known.save()
        return Listed(models, tuple(self._problems), unread)

    def open(self, path: str) -> None:
        """Read a model's facts before the others', if it is on the list and they are not known."""
        one = next((one for one in _one_each(self._candidates(), {}) if one.path == path), None)
        if one is not None and not one.absent:
            self._learnt(one.path, one.stamp, one.name)

    def forget_others(self) -> None:
        """Forget what is on no list any more; called when that can no longer be undone."""
        if self._paths is not None:
            self._known.keep_only(self._paths, self._places)
            self._known.save()

    def estimate(self, info: ModelInfo) -> int:
        """Return the memory that a listed model would take, in bytes; 0 when not known."""
        facts = self._known.remembered(info.path)
        return facts.estimate_bytes if facts is not None else 0

    def _candidates(self) -> Iterator[_Candidate]:
        yield from self._shipped()
        for folder in self._folders.all():
            yield from self._in_folder(folder)
        for added in self._registry.load().added:
            stamp = stamp_of(Path(added.path))
            away = "" if stamp else _drive_away(Path(added.path))
            yield _Candidate(added.id, added.path, "added", stamp, absent=away)
        yield from self._foreign()

    def _shipped(self) -> Iterator[_Candidate]:
        for name in _STARTERS:
            kind: ModelKind = "instruct" if name.endswith("instruct") else "base"
            title = ""  # only a GGUF file says one; the folder beside it is the same model
            for suffix, ending in _STARTER_FORMS:
                path = self._starters / f"{name}{ending}"
                stamp = stamp_of(path)
                if not stamp:
                    continue
                if not title:
                    own = self._learnt(str(path), stamp).info.name
                    title = "" if own in {path.name, path.stem} else own
                yield _Candidate(
                    name + suffix, str(path), "starter", stamp, title, kind, bundled=True
                )

    def _in_folder(self, folder: Path) -> Iterator[_Candidate]:
        place = self._known.place(str(folder))
        self._places.add(str(folder))
        is_own = folder == self._folders.own
        away = folder_away(folder, place, is_own=is_own)
        if away:
            for model_id, path in place.models if place else ():
                yield _Candidate(model_id, path, "models folder", absent=away)
            return
        result = scan(folder)
        self._problems += result.problems
        models = tuple((found.id, found.place) for found in result.models)
        self._known.see(str(folder), Place(models, os.path.ismount(folder)))
        for found in result.models:
            yield _Candidate(found.id, found.place, "models folder", found.stamp)

    def _foreign(self) -> Iterator[_Candidate]:
        choices = self._folders.choices().apps
        wanted = [app for app, name in NAMES.items() if choices.get(app)]
        found = find_places() if wanted else ()
        for place in (one for one in found if one.app in wanted):
            models = models_in(place)
            listed = tuple((model.id, str(model.path)) for model in models)
            key = f"{place.app}:{place.folder}"
            self._places.add(key)
            self._known.see(key, Place(listed, os.path.ismount(place.folder)))
            for model in models:
                # A blob or snapshot is called by its hash.
                name = "" if model.path.suffix.lower() == ".gguf" else model.name
                stamp = stamp_of(model.path)
                yield _Candidate(model.id, str(model.path), place.name, stamp, name)
        for app in wanted:
            yield from self._foreign_away(app, {str(one.folder) for one in found})

    def _foreign_away(self, app: App, there: Collection[str]) -> Iterator[_Candidate]:
        """Give what an app had in folders that are not there now."""
        for key, place in self._known.places_of(f"{app}:"):
            folder = key.partition(":")[2]
            if folder not in there:
                self._places.add(key)
                away = f"The folder {folder} of {NAMES[app]} is not there. Connect its drive."
                for model_id, path in place.models:
                    name = model_id.partition("/")[2]
                    yield _Candidate(model_id, path, NAMES[app], name=name, absent=away)

    def _read_new(self, candidates: Sequence[_Candidate], within_s: float | None) -> int:
        """Open what is new, and return how many are left for the next time."""
        new = [
            one
            for one in candidates
            if not one.absent and self._known.facts(one.path, one.stamp) is None
        ]
        if len(new) <= _FEW:
            for one in new:
                self._learnt(one.path, one.stamp, one.name)
            return 0
        end = None if within_s is None else time.monotonic() + within_s
        waiting = iter(new)

        def work(_number: int) -> list[tuple[str, Facts]]:
            done: list[tuple[str, Facts]] = []
            while end is None or time.monotonic() < end:
                one = next(waiting, None)  # one step of a list's iterator: safe between threads
                if one is None:
                    break
                done.append((one.path, read_facts(one.path, one.stamp, one.name)))
            return done

        count = 0
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="headers") as pool:
            for done in pool.map(work, range(_THREADS)):
                for path, facts in done:
                    self._known.learn(path, facts)
                count += len(done)
        return len(new) - count

    def _learnt(self, path: str, stamp: Stamp, called: str = "") -> Facts:
        facts = self._known.facts(path, stamp)
        if facts is None:
            facts = read_facts(path, stamp, called)
            self._known.learn(path, facts)
        return facts

    def _info(self, one: _Candidate) -> ModelInfo:
        facts = self._known.remembered(one.path)
        if one.absent:
            info = facts.info if facts is not None else _by_name(one)
            info = replace(info, problem=one.absent, absent=True)
        else:
            fresh = facts is not None and facts.stamp == one.stamp
            info = facts.info if facts is not None and fresh else _by_name(one)
        name, kind = info.name, one.kind or info.kind
        if one.name and (one.bundled or name in _stand_ins(one.path)):
            name = one.name
        return replace(
            info, id=one.id, name=name, kind=kind, origin=one.origin, bundled=one.bundled
        )


def _stand_ins(path: str) -> frozenset[str]:
    """Return what a model is called whose files do not say a name."""
    name = Path(path).name
    return frozenset({"", name, split_files.stem_of(name)})


def read_facts(path: str, stamp: Stamp, called: str = "") -> Facts:
    """Open a model's files and return what they say; never raises for what is wrong with them."""
    with headers_kept():
        info = describe(Path(path), called)
        needed = 0
        if not info.problem:
            try:
                needed = estimate(Path(path)).total_bytes
            except (InferenceError, OSError):
                needed = 0
    return Facts(stamp, info, needed)


def folder_away(folder: Path, place: Place | None, *, is_own: bool) -> str:
    """Return a sentence when a models folder is on a drive that is away, else nothing.

    An empty mount point of a drive that was mounted there is such a folder too. The app's own
    folder is made when it is needed, so it is away only where it leads to another drive.
    """
    was_mounted = place is not None and place.was_mounted
    try:
        there = folder.is_dir() or folder.is_file()
        if there and was_mounted and not os.path.ismount(folder):
            there = any(folder.iterdir())
    except OSError:
        there = False
    if there or (is_own and not was_mounted and not folder.is_symlink()):
        return ""
    return f"The models folder {folder} is not there. Connect its drive to use this model."


def _drive_away(path: Path) -> str:
    """Return a sentence when even the folder of an added file is gone, else nothing."""
    try:
        there = path.parent.is_dir()
    except OSError:
        there = False
    if there:
        return ""
    return f"The folder {path.parent} is not there. Connect its drive to use this model."


def _by_name(one: _Candidate) -> ModelInfo:
    """Return what a name alone tells of a model."""
    path = Path(one.path)
    name = one.name or split_files.stem(path)
    is_file = is_gguf(path) if not one.absent else path.suffix.lower() == ".gguf"
    return ModelInfo(one.id, name, one.path, "gguf" if is_file else "native")


def _one_each(
    candidates: Iterator[_Candidate], other_names: dict[str, str]
) -> Iterator[_Candidate]:
    """Leave out what is listed already, noting its name, and give everything an id of its own."""
    paths: set[str] = set()
    ids: set[str] = set()
    for one in candidates:
        place = notes.key(one.path)
        if place in paths:
            other_names.setdefault(one.id.lower(), one.path)
            continue
        paths.add(place)
        own, number = one.id, 2
        while own in ids:
            own, number = f"{one.id}-{number}", number + 1
        ids.add(own)
        yield one if own == one.id else _renamed(one, own)


def _renamed(one: _Candidate, model_id: str) -> _Candidate:
    return _Candidate(
        model_id, one.path, one.origin, one.stamp, one.name, one.kind, one.bundled, one.absent
    )


def _corrected(info: ModelInfo, noted: Mapping[str, ModelNote]) -> ModelInfo:
    """Return the facts with the kind that the person chose."""
    note = noted.get(notes.key(info.path))
    return replace(info, kind=note.kind) if note is not None and note.kind else info
