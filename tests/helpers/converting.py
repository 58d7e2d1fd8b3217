"""Checkpoints made into GGUF files in a moment, and how far two lists of chances are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.convert.write import Labels, convert

if TYPE_CHECKING:
    from pathlib import Path

    from inference.convert.write import FileType
    from inference.types import Candidate


def converted(folder: Path, file_type: FileType = "F16") -> Path:
    """Write ``folder`` as a GGUF file beside it."""
    path = folder.with_name(f"{folder.name}-{file_type}.gguf")
    convert(folder, path, file_type, Labels("Converted"), lambda _done, _total: None)
    return path


def worst_difference(
    ours: tuple[tuple[Candidate, ...], ...], theirs: tuple[tuple[Candidate, ...], ...]
) -> float:
    """Return the largest difference of the chances in two lists per position, natural log."""
    assert len(ours) == len(theirs)
    return max(_difference(one, other) for one, other in zip(ours, theirs, strict=True))


def _difference(ours: tuple[Candidate, ...], theirs: tuple[Candidate, ...]) -> float:
    """Compare two top lists, rank by rank and token by token.

    Ranks of nearly equal chances may be swapped, so the chances are compared at each rank, and
    those of each token that both lists have.
    """
    assert len(ours) == len(theirs)
    by_rank = max(abs(a.logprob - b.logprob) for a, b in zip(ours, theirs, strict=True))
    known = {candidate.id: candidate.logprob for candidate in theirs}
    shared = [abs(a.logprob - known[a.id]) for a in ours if a.id in known]
    # A token in one list only must have about the chance of the other list's last rank.
    strangers = [abs(a.logprob - theirs[-1].logprob) for a in ours if a.id not in known]
    return max(by_rank, *shared, *strangers)
