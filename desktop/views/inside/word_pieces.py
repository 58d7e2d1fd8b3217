"""Words as a model has them, asked for and written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.inside import ReadWords
from desktop.widgets.charts.pieces import shown
from inference.inside.word_forms import both_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.inside.word_forms import Pieces


def both_ways(wanted: Sequence[str]) -> ReadWords:
    """Ask for each word with a space in front and without."""
    return ReadWords(both_forms(wanted))


def cut(pieces: Pieces) -> str:
    """Write a word as the model has it, e.g. ``·king`` or ``·pal|ind|rome``."""
    return "|".join(shown(piece) for piece in pieces)
