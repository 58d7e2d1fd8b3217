"""Two sides of a comparison as a line: medians, their ratio, the target, every round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        name: What was measured.
        unit: Of the figures; larger ones are better.
        ours: Our rounds.
        theirs: The other side's, taken in turns with ours.
        target: The ratio to reach.
    """

    name: str
    unit: str
    ours: list[float]
    theirs: list[float]
    target: float

    @property
    def ratio(self) -> float:
        """Median against median."""
        return statistics.median(self.ours) / statistics.median(self.theirs)


def print_heading(other: str, threads: int) -> None:
    """Print the head of the table."""
    print(f"{f'{threads} threads':24}{'ours':>9}{other:>22}{'ratio':>8}{'target':>8}   rounds")


def print_row(row: Row) -> bool:
    """Print one comparison; return whether its target is met."""
    pairs = "  ".join(f"{a:.1f}/{b:.1f}" for a, b in zip(row.ours, row.theirs, strict=True))
    print(
        f"{row.name:24}{statistics.median(row.ours):9.2f}{statistics.median(row.theirs):22.2f}"
        f"{row.ratio:8.2f}{row.target:8.2f}   {pairs} {row.unit}",
        flush=True,
    )
    return row.ratio >= row.target
