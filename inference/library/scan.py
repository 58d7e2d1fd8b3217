"""Find the models in a models folder, whatever the depth: ``org/name/file.gguf`` and others.

Looks at names, sizes and times only. Works on plain strings: ten thousand files are looked through
each time the list is read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from inference.library import split_files
from inference.library.checkpoint_folder import INDEX, PICKLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_DEPTH = 6
"""Folders below the models folder that are looked into."""

Stamp: TypeAlias = "tuple[str | int, ...]"
"""Name, size in bytes and time of change (ns) of each file: another one when the files change."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model: an id from its place in the folder, its file or folder, and its files' stamp."""

    id: str
    place: str
    stamp: Stamp
    is_folder: bool

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.place)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found, and a sentence for each folder that could not be read."""

    models: tuple[Found, ...]
    problems: tuple[str, ...]


def scan(folder: Path) -> Scan:
    """Look through a models folder by names only; hidden folders are left out.

    A GGUF model in several parts counts once. A folder with a config.json counts as a checkpoint,
    unless GGUF files lie there and no other weights do: many GGUF downloads bring a config.json.
    """
    walk = _Walk()
    walk.look(str(folder), "", 0)
    found: dict[str, Found] = {}
    for path, found_id, stamp, is_folder in sorted(walk.models):
        if found_id in found:  # a folder and a file of one name
            found_id += "-native" if is_folder else "-gguf"  # noqa: PLW2901  the id it gets
        found[found_id] = Found(found_id, path, stamp, is_folder)
    return Scan(tuple(found.values()), tuple(walk.problems))


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a model by its path; empty when it is not there."""
    if path.is_dir():
        try:
            with os.scandir(path) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
                return _stamp(sorted(entries, key=_name))
        except OSError:
            return ()
    stamps: list[str | int] = []
    for file in split_files.parts(split_files.first_part(path)):
        try:
            facts = file.stat()
        except OSError:
            continue
        stamps += (file.name, facts.st_size, facts.st_mtime_ns)
    return tuple(stamps)


class _Walk:
    """One walk through a folder and all below it."""

    def __init__(self) -> None:
        self.models: list[tuple[str, str, Stamp, bool]] = []
        self.problems: list[str] = []

    def look(self, folder: str, place: str, depth: int) -> None:
        """Look into one folder; ``place`` is where it is in the models folder, with ``/``."""
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=_name)
        except FileNotFoundError:
            return
        except OSError as exc:
            self.problems.append(f"The folder {folder} cannot be read ({exc.strerror or exc}).")
            return
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        files = {entry.name: entry for entry in entries if _is_model_file(entry)}
        for main, parts in _models(files).items():
            found_id = f"{place}{split_files.stem_of(main)}"
            path = os.path.join(folder, main)  # noqa: PTH118  see the module
            self.models.append((path, found_id, _stamp(files[part] for part in parts), False))
        names = [entry.name for entry in entries]
        if depth and _is_checkpoint(names, has_gguf=bool(files)):
            self.models.append((folder, place[:-1], _stamp(entries), True))
        if depth < MAX_DEPTH:
            for entry in entries:
                if entry.name not in files and entry.is_dir():
                    self.look(entry.path, f"{place}{entry.name}/", depth + 1)


def _models(files: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the models among GGUF files: each one's main file, and all of its files."""
    grouped: dict[str, list[str]] = {}
    for name in files:
        grouped.setdefault(split_files.first_part_name(name), []).append(name)
    # Without its first part a model is known by the lowest that is there.
    return {first if first in files else min(parts): parts for first, parts in grouped.items()}


def _stamp(entries: Iterable[os.DirEntry[str]]) -> Stamp:
    stamps: list[str | int] = []
    for entry in entries:
        try:
            facts = entry.stat()
        except OSError:  # a link to nothing, or gone since
            continue
        stamps += (entry.name, facts.st_size, facts.st_mtime_ns)
    return tuple(stamps)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _is_model_file(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    return name.endswith(".gguf") and not name.startswith("mmproj") and not entry.is_dir()


def _is_checkpoint(names: list[str], *, has_gguf: bool) -> bool:
    if "config.json" not in names:
        return False
    has_weights = any(
        name == INDEX or name.endswith(".safetensors") or os.path.splitext(name)[1] in PICKLES  # noqa: PTH122  see the module
        for name in names
    )
    return has_weights or not has_gguf
