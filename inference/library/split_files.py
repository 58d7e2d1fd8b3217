"""GGUF models in several files: ``name-00001-of-00003.gguf`` and so on."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_MOST_PARTS = 1_000


def first_part(path: Path) -> Path:
    """Return the file that llama.cpp is given: the first part, or the file itself."""
    name = first_part_name(path.name)
    return path if name == path.name else path.with_name(name)


def first_part_name(name: str) -> str:
    """Return the same for a file's name."""
    match = _PART.fullmatch(name)
    if match is None:
        return name
    return f"{match['stem']}-00001-of-{match['count']}{name[-5:]}"


def parts(path: Path) -> tuple[Path, ...]:
    """Return all files of a model, whether they exist or not, first part first."""
    match = _PART.fullmatch(path.name)
    if match is None or not 1 <= int(match["count"]) <= _MOST_PARTS:
        return (path,)
    names = (
        f"{match['stem']}-{number:05d}-of-{match['count']}{path.suffix}"
        for number in range(1, int(match["count"]) + 1)
    )
    return tuple(path.with_name(name) for name in names)


def stem(path: Path) -> str:
    """Return the model's name in a file name: without ending and part number."""
    return stem_of(path.name)


def stem_of(name: str) -> str:
    """Return the same for a name that is no path here, e.g. one in a hub's listing."""
    match = _PART.fullmatch(name)
    if match is not None:
        return match["stem"]
    return os.path.splitext(name.rpartition("/")[2])[0]  # noqa: PTH122  asked for every file of a list
