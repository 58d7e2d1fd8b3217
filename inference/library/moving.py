"""Moving and copying files so that either all of them arrive or nothing has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from inference.library.download.patience import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inference.cancel import CancelToken

    Moves = Sequence[tuple[Path, Path]]

BLOCK = 8_000_000
"""Bytes that are copied between two looks at whether to stop."""


def rename_all(moves: Moves) -> None:
    """Give files and folders their new places on the same disk, all or none; raises OSError."""
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.replace(source)
        raise


def copy_all(moves: Moves, cancel: CancelToken, on_copied: Callable[[int], None]) -> None:
    """Copy files under names of their own, with their times; the caller removes half a copy.

    Args:
        moves: Files and where their copies go.
        cancel: Ends the copying.
        on_copied: Told the bytes of each piece.

    Raises:
        StoppedError: Cancelled.
        OSError: Something cannot be read or written.
    """
    for source, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reading, target.open("xb") as writing:
            while data := reading.read(BLOCK):
                if cancel.cancelled:
                    raise StoppedError
                writing.write(data)
                on_copied(len(data))
            writing.flush()
            os.fsync(writing.fileno())
        shutil.copystat(source, target)


def same_content(one: Path, other: Path, cancel: CancelToken) -> bool:
    """Tell whether two files hold the same bytes; raises ``StoppedError`` and OSError."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while data := first.read(BLOCK):
            if cancel.cancelled:
                raise StoppedError
            if data != second.read(BLOCK):
                return False
    return True


def files_below(path: Path) -> tuple[Path, ...]:
    """Return a file itself, or all files in a folder and below, in order; raises OSError."""
    if not path.is_dir():
        return (path,)
    found: list[Path] = []
    for folder, _, names in os.walk(path, onerror=_raise):
        found += (Path(folder, name) for name in names)
    return tuple(sorted(found))


def drop_empty_parents(path: Path, top: Path) -> None:
    """Remove the folders above a path that are empty now, below ``top``."""
    for parent in path.parents:
        if parent == top:
            return
        try:
            parent.rmdir()
        except OSError:
            return


def _raise(error: OSError) -> None:
    raise error
