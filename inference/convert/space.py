"""Whether a file that is about to be written fits on its disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import DiskFullError
from inference.library.download.plan import RESERVE_BYTES, free_bytes
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from pathlib import Path


def check_space(path: Path, needed_bytes: int) -> None:
    """Refuse to begin what would not fit.

    Args:
        path: The file to come.
        needed_bytes: Its size.

    Raises:
        DiskFullError: Less is free, or so little that chats could not be saved afterwards.
    """
    free = free_bytes(path.parent)
    if needed_bytes + RESERVE_BYTES > free:
        raise DiskFullError(
            f"{path.name} needs {format_bytes(needed_bytes)} on the disk of {path.parent}, and "
            f"{format_bytes(free)} are free.",
            f"Free {format_bytes(needed_bytes + RESERVE_BYTES - free)}, or choose a folder on "
            "another disk. Nothing was written.",
        )
