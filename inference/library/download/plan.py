"""Plan first: names, files, bytes, free disk. Nothing is fetched for a plan that cannot work."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import NoSpaceError
from inference.library.download import receipts
from inference.library.download.names import check_distinct, safe_path, safe_repo
from inference.library.download.parts import PartFile
from inference.library.download.selection import choose
from inference.library.download.values import Plan
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from inference.library.download.selection import Choice
    from inference.library.download.values import Listing

RESERVE_BYTES = 100_000_000
"""Left free on the disk: chats and settings are written there, too."""


def make_plan(listing: Listing, models: Path, wanted: str | Choice = "") -> Plan:
    """Choose files, check their names, and check that they fit on the disk.

    Args:
        listing: What the hub has.
        models: The models folder; the files go to ``org/name`` in it.
        wanted: A file, a part of a GGUF file's name, nothing (the usual choice), or a choice.

    Raises:
        DownloadError: One of its children: nothing to run, an unsafe name, too little space.
    """
    choice = choose(listing, wanted) if isinstance(wanted, str) else wanted
    folder = models.absolute() / safe_repo(listing.repo)
    check_distinct([safe_path(file.path) for file in choice.files])
    plan = Plan(
        repo=listing.repo,
        revision=listing.revision,
        endpoint=listing.endpoint,
        folder=str(folder),
        files=choice.files,
        main=choice.main,
        license=listing.license,
    )
    check_space(plan)
    return plan


def check_space(plan: Plan) -> None:
    """Raise ``NoSpaceError`` when what is missing does not fit on the disk."""
    folder = Path(plan.folder)
    needed = missing_bytes(plan)
    free = free_bytes(folder)
    if needed and needed + RESERVE_BYTES > free:
        raise NoSpaceError(
            f"{plan.repo} needs {format_bytes(needed)} more on the disk of {folder}, and "
            f"{format_bytes(free)} are free.",
            f"Free {format_bytes(needed + RESERVE_BYTES - free)}, choose a smaller file, or use a "
            "models folder on another disk. Nothing was downloaded.",
        )


def missing_bytes(plan: Plan) -> int:
    """Return how many bytes of a plan are not on this disk yet."""
    folder = Path(plan.folder)
    missing = 0
    for file in plan.files:
        if receipts.unchanged(folder, file) is None:
            missing += file.size_bytes - PartFile(folder, file).size_on_disk()
    return missing


def free_bytes(folder: Path) -> int:
    """Return the free space where a folder is, or will be made."""
    return disk_space(folder)[0]


def disk_space(folder: Path) -> tuple[int, int]:
    """Return free and all bytes of the disk where a folder is, or will be made; 0 if unknown."""
    for place in (folder, *folder.parents):
        try:
            use = shutil.disk_usage(place)
        except OSError:
            continue
        return use.free, use.total
    return 0, 0


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, links not followed; 0 where there is none."""
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total
