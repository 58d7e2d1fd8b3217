"""Find the models in the models folder, whatever the depth: ``org/name/file.gguf`` and others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from inference.library import split_files
from inference.library.checkpoint_folder import INDEX, PICKLES

MAX_DEPTH = 6
"""Folders below the models folder that are looked into."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model in the models folder: an id from its place there, and its file or folder."""

    id: str
    path: Path


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
    paths: list[Path] = []
    problems: list[str] = []
    _walk(folder, 0, paths, problems)
    found: dict[str, Found] = {}
    for path in sorted(paths):
        found_id = _id(path.relative_to(folder), is_folder=path.is_dir())
        if found_id in found:  # a folder and a file of one name
            found_id += "-native" if path.is_dir() else "-gguf"
        found[found_id] = Found(found_id, path)
    return Scan(tuple(found.values()), tuple(problems))


def _id(relative: Path, *, is_folder: bool) -> str:
    name = relative.name if is_folder else split_files.stem(relative)
    return (relative.parent / name).as_posix()


def _walk(folder: Path, depth: int, paths: list[Path], problems: list[str]) -> None:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as exc:
        problems.append(f"The folder {folder} cannot be read ({exc.strerror or exc}).")
        return
    names = [entry.name for entry in entries if not entry.name.startswith(".")]
    files = {Path(folder, name) for name in names if _is_model_file(name)}
    first = {split_files.first_part(path) for path in files}
    paths.extend(sorted(path if path in files else _any_part(path, files) for path in first))
    if depth and _is_checkpoint(names, has_gguf=bool(files)):
        paths.append(folder)
    if depth < MAX_DEPTH:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir():
                _walk(Path(entry.path), depth + 1, paths, problems)


def _any_part(first: Path, files: set[Path]) -> Path:
    return min(path for path in files if split_files.first_part(path) == first)


def _is_model_file(name: str) -> bool:
    return name.lower().endswith(".gguf") and not name.lower().startswith("mmproj")


def _is_checkpoint(names: list[str], *, has_gguf: bool) -> bool:
    if "config.json" not in names:
        return False
    has_weights = any(
        name == INDEX or name.endswith(".safetensors") or Path(name).suffix in PICKLES
        for name in names
    )
    return has_weights or not has_gguf
