"""Where an answer ends by the chat template in use, beyond what the files list as an end.

A template that a person chose may end turns with a token that the model's files do not name as an
end, or with plain text. Both engines look here after loading; it knows no engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.library.template_doctor import turn_stops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.library.template_facts import TemplateFacts


@dataclass(frozen=True, slots=True)
class TurnEnds:
    """What ends an answer: ids of special tokens, which have no text, and texts."""

    ids: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()


def find_turn_ends(facts: TemplateFacts, specials: Mapping[str, int]) -> TurnEnds:
    """Return what the template of ``facts`` ends a turn with and no file names as an end.

    Args:
        facts: Of the loaded model, with the template in use.
        specials: Its special tokens, text to id.
    """
    stops = turn_stops(facts)
    return TurnEnds(
        tuple(specials[stop] for stop in stops if stop in specials),
        tuple(stop for stop in stops if stop not in specials),
    )
