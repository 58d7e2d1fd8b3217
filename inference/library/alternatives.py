"""Where a model that cannot run as it is can be had as GGUF: in the catalogue, or by searching."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from inference.library.catalog import load_catalog

if TYPE_CHECKING:
    from inference.library.catalog import CatalogEntry, CatalogFamily

_WORD: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)*")
_FORMS: Final = re.compile(
    r"[-_.]?(?:gptq|awq|bnb|bitsandbytes|fp8|nf4|hqq|exl[23]|mlx|int[48]|[48]bits?|w\d+a\d+|gs?\d+"
    r"|dynamic|marlin)(?![a-z])",
    re.IGNORECASE,
)


def gguf_alternative(name: str) -> str:
    """Return a next step for the person.

    Args:
        name: What the model is called: its folder, or its repository.
    """
    plain = _FORMS.sub("", name.rpartition("/")[2]).strip("-_. ") or name
    found = _in_catalogue(plain)
    if found is None:
        return (
            "Look for it as GGUF on the Models page, or with "
            f"`glasshouse models search {plain} --form gguf`: that engine knows many more models."
        )
    family, entry = found
    return (
        f"The catalogue has {family.name} as GGUF ({entry.version}): get it on the Models page, or "
        f"with `glasshouse models pull {entry.repo} --file {entry.wanted}`."
    )


def _in_catalogue(name: str) -> tuple[CatalogFamily, CatalogEntry] | None:
    """Return the family all of whose words the name has, the one with most words first."""
    words = _words(name)
    matches = [
        (len(of_family), family)
        for family in load_catalog().families
        if (of_family := _words(family.name)) <= words
    ]
    for _, family in sorted(matches, key=lambda match: -match[0]):
        entries = [e for e in family.entries if e.form == "gguf" and e.can_run and not e.gated]
        if entries:
            return family, min(entries, key=lambda entry: len(words ^ _words(entry.weights)))
    return None


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.rpartition("/")[2].casefold()))
