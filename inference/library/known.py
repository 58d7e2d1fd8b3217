"""What was read from models before: their facts by path, size and time, kept between starts.

It saves opening ten thousand files for each list, and it is how models on a drive that is away are
remembered. One file in the data folder; losing it costs time, and the names of models that are
away, never a model.
"""

from __future__ import annotations

import importlib.metadata
import logging
from typing import TYPE_CHECKING

import msgspec

from inference.files import replace_file
from inference.types import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from inference.library.scan import Stamp

_log = logging.getLogger(__name__)
FILE = "known-models.msgpack"
_OLD: Stamp = ("read by another version",)
_FORM = 1
"""Counted up when facts are read in another way, so that they are read again."""


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """One model as it was read; ``estimate_bytes`` is the memory it would take, 0 = not known."""

    stamp: tuple[str | int, ...]
    info: ModelInfo
    estimate_bytes: int = 0


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A folder as it was last seen.

    Attributes:
        models: Id and path of each model.
        was_mounted: Whether the folder itself was a mounted drive: its empty mount point is not
            the folder without models.
    """

    models: tuple[tuple[str, str], ...] = ()
    was_mounted: bool = False


class _Content(msgspec.Struct):
    made_by: str
    facts: dict[str, Facts] = {}
    places: dict[str, Place] = {}


class KnownModels:
    """The facts that were read so far. Not for several threads at once.

    Args:
        path: The file; made by ``save``, read by the first question.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: _Content | None = None
        self._trusted: set[str] = set()
        self._changed = False

    def facts(self, path: str, stamp: Stamp) -> Facts | None:
        """Return what is known of a model whose files have that stamp.

        Trouble is not believed from one start to the next: what could not be loaded then may be
        loadable now.
        """
        found = self._read().facts.get(path)
        if found is None or found.stamp != stamp:
            return None
        return None if found.info.problem and path not in self._trusted else found

    def remembered(self, path: str) -> Facts | None:
        """Return what was known of a model that cannot be looked at now."""
        return self._read().facts.get(path)

    def learn(self, path: str, facts: Facts) -> None:
        """Keep what was read."""
        self._trusted.add(path)
        content = self._read()
        if content.facts.get(path) != facts:
            content.facts[path] = facts
            self._changed = True

    def place(self, folder: str) -> Place | None:
        """Return a folder as it was last seen, ``None`` for one that is new."""
        return self._read().places.get(folder)

    def places_of(self, prefix: str) -> tuple[tuple[str, Place], ...]:
        """Return the folders whose names begin so, as they were last seen."""
        places = self._read().places
        return tuple((name, place) for name, place in places.items() if name.startswith(prefix))

    def see(self, folder: str, place: Place) -> None:
        """Keep how a folder is now."""
        content = self._read()
        if content.places.get(folder) != place:
            content.places[folder] = place
            self._changed = True

    def keep_only(self, paths: Collection[str], folders: Collection[str]) -> None:
        """Forget models and folders that are on no list any more."""
        content = self._read()
        old_facts, old_places = content.facts.keys() - paths, content.places.keys() - folders
        for name in old_facts:
            del content.facts[name]
        for name in old_places:
            del content.places[name]
        self._changed = self._changed or bool(old_facts or old_places)

    def save(self) -> None:
        """Write it down if something changed; a disk that takes nothing costs time only."""
        if not self._changed or self._content is None:
            return
        try:
            replace_file(self._path, _encoded(self._content))
        except OSError as exc:
            _log.info("the facts about models were not kept: %s", exc)
        self._changed = False

    def _read(self) -> _Content:
        if self._content is None:
            self._content = _load(self._path)
        return self._content


def _encoded(content: _Content) -> bytes:
    try:
        return msgspec.msgpack.encode(content)
    except UnicodeEncodeError:  # file names that are no text: those are read again each time
        places = {
            name: msgspec.structs.replace(
                place, models=tuple(model for model in place.models if _is_text(model[1]))
            )
            for name, place in content.places.items()
            if _is_text(name)
        }
        facts = {name: one for name, one in content.facts.items() if _is_text(name)}
        return msgspec.msgpack.encode(_Content(content.made_by, facts, places))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _load(path: Path) -> _Content:
    made_by = _made_by()
    try:
        content = msgspec.msgpack.decode(path.read_bytes(), type=_Content)
    except (OSError, msgspec.DecodeError):
        return _Content(made_by)
    if content.made_by != made_by:
        # Names of models that are away are worth keeping, old facts of those at hand are not.
        content.facts = {
            name: msgspec.structs.replace(one, stamp=_OLD) for name, one in content.facts.items()
        }
        content.made_by = made_by
    return content


def _made_by() -> str:
    try:
        version = importlib.metadata.version("glasshouse")
    except importlib.metadata.PackageNotFoundError:
        version = "sources"
    return f"{version} {_FORM}"
