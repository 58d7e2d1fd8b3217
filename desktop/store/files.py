"""The store's small files: written whole, and in words for a person where that does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.store.failures import store_error
from inference.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path


def write_atomically(path: Path, data: bytes, place: str) -> None:
    """Replace a file; after a crash either the old or the new one is there.

    Args:
        path: The file; its folder is made where missing.
        data: Its whole content.
        place: What it is, named in the sentence when it fails.

    Raises:
        StoreError: One of its children; the old file is untouched.
    """
    try:
        replace_file(path, data)
    except OSError as exc:
        raise store_error(exc, place) from exc
