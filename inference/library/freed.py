"""What removing files really gives back: links and files that live on elsewhere free nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def freed_bytes(paths: Iterable[Path]) -> int:
    """Return the bytes that deleting files and folders would free.

    A symbolic link frees nothing of what it points to. A file with several names (hard links)
    counts only where all of its names are among the paths.
    """
    names: dict[tuple[int, int], int] = {}
    freed = 0
    for facts in _facts(paths):
        inode = (facts.st_dev, facts.st_ino)
        names[inode] = names.get(inode, 0) + 1
        if names[inode] == max(facts.st_nlink, 1):
            freed += facts.st_size
    return freed


def used_bytes(paths: Iterable[Path]) -> int:
    """Return what files and folders take on their disk; a file with several names counts once."""
    sizes = {(facts.st_dev, facts.st_ino): facts.st_size for facts in _facts(paths)}
    return sum(sizes.values())


def _facts(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    for path in paths:
        for file in _files(path):
            try:
                facts = file.lstat()
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                yield facts


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)
