"""What a person says about a model and what the app remembers of its use, one note per model.

One JSON file in the data folder, read by the window and the command line, always replaced as a
whole. Notes are kept by the model's path: they outlast a drive that is away, and follow files
that the app moves. What a newer version wrote into a note stays in it.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from inference.errors import StoreError
from inference.files import replace_file
from inference.library.model_defaults import ModelDefaults
from inference.library.registry import store_error
from inference.types import ModelKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from inference.types import ModelInfo

_log = logging.getLogger(__name__)
FILE = "model-notes.json"


class ModelNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept about one model.

    Attributes:
        kind: As the person corrected it; ``None`` = as found.
        favourite: Whether it comes first in lists.
        text: The person's own words.
        last_used: When it was last loaded, in seconds since the epoch; 0 = never here.
        defaults: What it is loaded and asked with unless something else is chosen.
    """

    kind: ModelKind | None = None
    favourite: bool = False
    text: str = ""
    last_used: float = 0.0
    defaults: ModelDefaults = ModelDefaults()


_NOTHING = ModelNote()
_FIELDS = frozenset(ModelNote.__struct_fields__)


class ModelNotes:
    """All notes. May be used from several threads; another process's changes are seen.

    Args:
        path: The JSON file, ``<data>/model-notes.json``; made by the first change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._stamp: object = None
        self._raw: dict[str, dict[str, Any]] = {}
        self._notes: dict[str, ModelNote] = {}

    def all(self) -> Mapping[str, ModelNote]:
        """Return every note by the model's path, as ``key`` writes it."""
        with self._lock:
            self._read()
            return self._notes

    def of(self, info: ModelInfo) -> ModelNote:
        """Return a model's note; an empty one where there is none."""
        return self.all().get(key(info.path), _NOTHING)

    def change(self, info: ModelInfo, **changes: object) -> ModelNote:
        """Change fields of a model's note and return it: ``change(info, favourite=True)``.

        Raises:
            StoreError: It cannot be saved.
            TypeError: No such field.
        """
        return self.update(info, lambda note: msgspec.structs.replace(note, **changes))

    def update(self, info: ModelInfo, change: Callable[[ModelNote], ModelNote]) -> ModelNote:
        """Replace a model's note by what ``change`` makes of it; raises ``StoreError``."""
        with self._lock:
            self._read()
            place = key(info.path)
            note = change(self._notes.get(place, _NOTHING))
            if note != self._notes.get(place, _NOTHING):
                foreign = {
                    name: value
                    for name, value in self._raw.get(place, {}).items()
                    if name not in _FIELDS
                }
                raw = {**self._raw, place: foreign | msgspec.to_builtins(note)}
                self._write({name: entry for name, entry in raw.items() if entry})
            return note

    def used(self, info: ModelInfo, now: float) -> None:
        """Remember that a model was loaded now (seconds since the epoch); never raises."""
        try:
            self.change(info, last_used=now)
        except StoreError as exc:  # a full disk must not keep anybody from chatting
            _log.info("the use of %s was not noted: %s", info.id, exc.detail)

    def moved(self, old: str, new: str) -> None:
        """Let a note follow files that were moved; raises ``StoreError``."""
        with self._lock:
            self._read()
            if key(old) in self._raw:
                raw = dict(self._raw)
                raw[key(new)] = raw.pop(key(old))
                self._write(raw)

    def _read(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp and stamp is not None:
            return
        raw = _load(self._path)
        self._raw = raw
        self._notes = {place: _note(entry) for place, entry in raw.items()}
        self._stamp = stamp

    def _write(self, raw: dict[str, dict[str, Any]]) -> None:
        content = {"schema_version": 1, "notes": raw}
        try:
            if _damaged(self._path):
                self._path.replace(self._path.with_suffix(".damaged.json"))
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(content)))
        except OSError as exc:
            raise store_error(exc, self._path.parent) from exc
        self._raw = raw
        self._notes = {place: _note(entry) for place, entry in raw.items()}
        self._stamp = _stamp(self._path)


def key(path: str) -> str:
    """Return a model's path as notes are kept by: one spelling for one place."""
    return os.path.normcase(path).encode("utf-8", "backslashreplace").decode()


def _note(entry: dict[str, Any]) -> ModelNote:
    """Read one note; a field that makes no sense here becomes the default."""
    known = dict(entry)
    if isinstance(entry.get("defaults"), dict):
        known["defaults"] = _usable(entry["defaults"], ModelDefaults)
    return msgspec.convert(_usable(known, ModelNote), ModelNote)


def _usable(entry: dict[str, Any], form: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the fields of ``form`` whose values it can take, one by one."""
    usable: dict[str, Any] = {}
    for name in form.__struct_fields__:
        if name not in entry:
            continue
        try:
            msgspec.convert({name: entry[name]}, form)
        except msgspec.ValidationError:
            continue
        usable[name] = entry[name]
    return usable


def _load(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = msgspec.json.decode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, msgspec.DecodeError) as exc:
        _log.info("the notes about models cannot be read: %s", exc)
        return {}
    notes = content.get("notes") if isinstance(content, dict) else None
    if not isinstance(notes, dict):
        return {}
    return {place: entry for place, entry in notes.items() if isinstance(entry, dict)}


def _damaged(path: Path) -> bool:
    try:
        msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError:
        return True
    except OSError:
        return False
    return False


def _stamp(path: Path) -> object:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino
