"""Our parameter names and Hugging Face's, in both directions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inference.native.registry import family_of

if TYPE_CHECKING:
    from inference.native.config import NetworkConfig


def hugging_face_name(ours: str, config: NetworkConfig) -> str:
    """Return Hugging Face's name of one of our parameters."""
    stem, _, kind = ours.rpartition(".")
    layer = re.search(r"\d+", stem)
    pattern = re.sub(r"\d+", "{}", stem)
    theirs = family_of(config).names[pattern]
    return f"{theirs.format(layer.group() if layer else '')}.{kind}"


def full_name(theirs: str, config: NetworkConfig) -> str:
    """Complete or renew a name from a file, where older files use another."""
    return family_of(config).full_name(theirs)


def is_constant(theirs: str, config: NetworkConfig) -> bool:
    """Say whether a tensor of that name may be left aside: its values follow from the config."""
    return family_of(config).constants.fullmatch(theirs) is not None
