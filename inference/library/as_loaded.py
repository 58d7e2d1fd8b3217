"""Whether a model's files are still those that were loaded: else they tell of another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library.scan import stamp_of

if TYPE_CHECKING:
    from pathlib import Path

    from inference.library.scan import Stamp


def check_as_loaded(path: Path, stamp: Stamp) -> None:
    """Refuse files that are not those of ``stamp``, taken before they were loaded.

    Args:
        path: The file or folder.
        stamp: As ``stamp_of`` gives it; an empty one is not looked at.

    Raises:
        ModelNotFoundError: They are gone.
        CorruptCheckpointError: Others are in their place, or they were written to.
    """
    now = stamp_of(path) if stamp else stamp
    if now == stamp:
        return
    if not now:
        raise ModelNotFoundError(
            f"The files of {path.name} are gone since it was loaded; this needs them.",
            "Put them back, or choose another model.",
        )
    raise CorruptCheckpointError(
        f"The files of {path.name} were changed since it was loaded: they may be another model.",
        "Load the model again to look into what is there now.",
    )
