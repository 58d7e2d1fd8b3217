"""Writing a small file so that it is either the old one or the new one, never half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from desktop.store.failures import store_error


def write_atomically(path: Path, data: bytes, place: str) -> None:
    """Write beside the file, sync, and put it in the file's place.

    Args:
        path: The file; its folder is made where missing.
        data: Its whole content.
        place: What it is, named in the sentence when it fails.

    Raises:
        StoreError: One of its children; the old file is untouched.
    """
    part: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        if part is not None:
            part.unlink(missing_ok=True)
        raise store_error(exc, place) from exc
