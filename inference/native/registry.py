"""Which families there are: one line each. No torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inference.native.config_reader import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.native.config import NetworkConfig
    from inference.native.families.base import Family

_FILES = (
    "gemma2",
    "gemma3",
    "gpt2",
    "gpt_neox",
    "granite",
    "llama",
    "mistral",
    "olmo2",
    "phi3",
    "qwen2",
    "qwen3",
    "smollm3",
)  # in families/

FAMILIES: tuple[Family, ...] = tuple(
    import_module(f"inference.native.families.{file}").FAMILY for file in _FILES
)
_BY_NAME = {family.name: family for family in FAMILIES}


def family_of(config: NetworkConfig) -> Family:
    """Return the family a config names."""
    return _BY_NAME[config.family]


def family_described(config: Mapping[str, Any]) -> Family:
    """Return the family that a ``config.json`` names.

    Raises:
        UnsupportedArchitectureError: There is no network for it.
    """
    named, model_type = config.get("architectures"), config.get("model_type")
    for family in FAMILIES:
        if model_type in (family.name, None) and named and family.architecture in named:
            return family
        if model_type == family.name and not named:
            return family
    name = named[0] if named else model_type
    raise unsupported(f"its architecture, {name!r:.60}, is none of those it has a network for")
