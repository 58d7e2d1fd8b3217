"""Which model is the other half of a pair: the base of an instruct model, or the reverse.

The curated catalogue knows pairs; beyond it, two models are a pair whose names differ only in the
word for their kind and whose networks have the same shape. Knows no Qt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from desktop.controllers.catalog_book import PREFIX
from desktop.controllers.choosing import STARTERS
from desktop.controllers.installed_index import InstalledIndex
from inference.library.catalog import load_catalog
from inference.library.kinds import BASE, INSTRUCT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inference.library.catalog import Catalog, CatalogEntry, CatalogFamily, CatalogKind
    from inference.types import EngineKind, ModelInfo

_NO_NAME: Final = BASE | INSTRUCT | {"gguf", "hf"}
"""Words that may differ between the names of a pair."""


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A model of the catalogue that is not on this computer.

    Attributes:
        name: Of its family, e.g. ``Qwen3 4B``.
        kind: Which of the family.
        version: ``Q4_K_M``, ``BF16`` ...
        version_id: Of that version on its page.
        key: Of its page among the models to be found.
    """

    name: str
    kind: CatalogKind
    version: str
    version_id: str
    key: str


@dataclass(frozen=True, slots=True)
class OtherHalf:
    """What there is to set beside a model.

    Attributes:
        model: The other half, where it is installed.
        fetchable: The other half, where only the catalogue has it.
        starter: A starter model, whose own pair can be taken instead; none beside a starter model.
    """

    model: ModelInfo | None = None
    fetchable: Fetchable | None = None
    starter: ModelInfo | None = None


def other_half(
    model: ModelInfo, installed: Iterable[ModelInfo], catalog: Catalog | None = None
) -> OtherHalf:
    """Find the other half of a model's pair.

    Args:
        model: Base, or anything but base.
        installed: Everything on this computer.
        catalog: Of curated models; the app's own without it.
    """
    usable = [
        other
        for other in installed
        if not (other.problem or other.absent or other.kind == "embedding")
    ]
    starter = None
    if not model.bundled:
        starter = next((other for other in usable if other.id in STARTERS), None)
    if model.kind == "embedding":
        return OtherHalf(starter=starter)
    catalog = catalog or load_catalog()
    known = _entry_of(model, catalog)
    others = [
        other
        for other in usable
        if _is_base(other) != _is_base(model) and other.n_layers == model.n_layers
    ]
    others = _worth_a_look(others, _names(model) | (_called(known[0]) if known else set()))
    found = _curated(others, known[0]) if known else []
    found = found or [other for other in others if _is_pair(model, other)]
    if found:
        return OtherHalf(_likest(model, found), starter=starter)
    partner = catalog.partner(known[1]) if known else None
    if known is None or partner is None or not partner.can_run:
        return OtherHalf(starter=starter)
    key = PREFIX + known[0].id
    fetchable = Fetchable(known[0].name, partner.kind, partner.version, partner.id, key)
    return OtherHalf(fetchable=fetchable, starter=starter)


def _is_base(model: ModelInfo) -> bool:
    return model.kind == "base"


def _engine(entry: CatalogEntry) -> EngineKind:
    return "gguf" if entry.form == "gguf" else "native"


def _entry_of(model: ModelInfo, catalog: Catalog) -> tuple[CatalogFamily, CatalogEntry] | None:
    """Return the entry a model was made from: by where it lies, else by its names and kind."""
    place = InstalledIndex((model,))
    engine = model.engine
    entries = [one for one in catalog.entries() if _engine(one[1]) == engine]
    for family, entry in entries:
        if place.find(entry.repo, engine, entry.wanted):
            return family, entry
    names = _names(model)
    same = [
        (family, entry)
        for family, entry in entries
        if (entry.kind == "base") == _is_base(model) and _words(entry.weights) in names
    ]
    exact = (one for one in same if one[1].version.casefold() == model.quantization.casefold())
    return next(exact, same[0] if same else None)


def _curated(others: Sequence[ModelInfo], family: CatalogFamily) -> list[ModelInfo]:
    """Return the models among others that lie where those of a family do, or are called so."""
    by_id = {other.id: other for other in others}
    place = InstalledIndex(others)
    ids = (place.find(entry.repo, _engine(entry), entry.wanted) for entry in family.entries)
    lie_there = [by_id[model_id] for model_id in dict.fromkeys(ids) if model_id]
    called = _called(family)
    return lie_there + [other for other in others if _names(other) & called]


def _called(family: CatalogFamily) -> set[tuple[str, ...]]:
    return {_words(entry.weights) for entry in family.entries}


def _worth_a_look(models: Sequence[ModelInfo], names: set[tuple[str, ...]]) -> list[ModelInfo]:
    """Return the models that could be called so; there may be thousands, and no time for all."""
    heads = {name[0] for name in names}
    return [
        one
        for one in models
        if any(head in one.name.casefold() or head in one.path.casefold() for head in heads)
    ]


def _is_pair(model: ModelInfo, other: ModelInfo) -> bool:
    return model.architecture == other.architecture and bool(_names(model) & _names(other))


def _likest(model: ModelInfo, found: Sequence[ModelInfo]) -> ModelInfo:
    """Return the one in the same form and version, or as near to it as there is."""
    return min(
        found,
        key=lambda one: (one.engine != model.engine, one.quantization != model.quantization),
    )


def _names(model: ModelInfo) -> set[tuple[str, ...]]:
    """Return what a model is called, by itself and by its file, without its kind and version."""
    path = PurePath(model.path.replace("\\", "/"))
    file = path.stem if model.engine == "gguf" else path.name
    version = model.quantization.casefold()
    file = file.casefold().replace(version, "") if version else file
    return {words for words in (_words(model.name), _words(file)) if words}


def _words(name: str) -> tuple[str, ...]:
    parts = re.split(r"[^a-z0-9]+", name.rpartition("/")[2].casefold())
    return tuple(part for part in parts if part and part not in _NO_NAME)
