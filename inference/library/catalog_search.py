"""Find families in the catalogue by text and by what fits; propose what to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from inference.library.fit import Fit, judge, judge_by_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.library.catalog import Catalog, CatalogEntry, CatalogFamily, CatalogKind
    from inference.library.machine import Machine
    from inference.types import EngineKind

CatalogSort: TypeAlias = Literal["recommended", "name", "size", "parameters"]

_RANK = {"gpu": 0, "partly": 1, "processor": 2, "unknown": 3, "too_large": 4}
_USABLE_TOKENS_PER_S = 5.0
_STUDY = ("smollm2-135m", "gpt2")


@dataclass(frozen=True, slots=True)
class CatalogQuery:
    """What is looked for; an empty field looks for everything.

    Attributes:
        text: Words that have to be in name, author, architecture, licence or repository.
        kinds: Any of these.
        engines: Any of these, for an architecture that this version of the app knows.
        licenses: Licence ids.
        fits: Only what can be loaded on this computer.
        without_sign_in: Only what needs no account.
        sort: In which order.
    """

    text: str = ""
    kinds: tuple[CatalogKind, ...] = ()
    engines: tuple[EngineKind, ...] = ()
    licenses: tuple[str, ...] = ()
    fits: bool = False
    without_sign_in: bool = False
    sort: CatalogSort = "recommended"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model to begin with: why, which, and how it fits."""

    reason: str
    family: CatalogFamily
    entry: CatalogEntry
    fit: Fit


def search_catalog(
    catalog: Catalog, query: CatalogQuery, machine: Machine | None = None
) -> tuple[CatalogFamily, ...]:
    """Return the families that have an entry as wanted; those keep all their entries.

    Args:
        catalog: Where to look.
        query: What for.
        machine: Needed for ``query.fits``.
    """
    found = [family for family in catalog.families if _wanted(family, query, machine)]
    key = _SORTS[query.sort]
    return tuple(sorted(found, key=key) if key else found)


def entry_fit(
    family: CatalogFamily,
    entry: CatalogEntry,
    machine: Machine,
    n_ctx: int | None = None,
    kv_cache_type: str = "f16",
) -> Fit:
    """Judge one entry; roughly where its shape is not in the catalogue."""
    plan = family.plan(entry, n_ctx, kv_cache_type)
    if plan is not None:
        return judge(plan, machine)
    if entry.form == "gguf":
        return judge_by_size(family.roughly_bytes(entry) or 0, machine)
    return Fit("unknown")


def family_fit(family: CatalogFamily, machine: Machine) -> Fit:
    """Return the best fit among a family's downloads, of equal ones the quickest."""
    fits = [entry_fit(family, entry, machine) for entry in family.entries if entry.can_run]
    return min(
        fits, key=lambda fit: (_RANK[fit.verdict], -fit.tokens_per_s), default=Fit("unknown")
    )


def propose(catalog: Catalog, machine: Machine) -> tuple[Proposal, ...]:
    """Return up to three models to begin with on this computer, all without sign-in.

    The best answers that come at a usable speed, quick answers, and a base model to look inside.
    """
    chat = [
        (family, entry, fit)
        for family, entry in catalog.entries()
        if entry.kind == "instruct" and entry.form == "gguf" and not entry.gated
        and family.parameters and _pleasant(fit := entry_fit(family, entry, machine))
    ]  # fmt: skip
    chat.sort(key=lambda found: -(found[0].parameters or 0))
    proposals: list[Proposal] = []
    if chat:
        proposals.append(Proposal("The best answers on this computer", *_lighter(chat, 0)))
        quick = [item for item in chat if (item[0].parameters or 0) < 0.6 * _weights(proposals[0])]
        if quick:
            proposals.append(Proposal("Quick answers", *_lighter(quick, 0)))
    for family_id in _STUDY:
        family = catalog.family(family_id)
        entries = family.entries if family else ()
        base = [e for e in entries if e.kind == "base" and e.can_run and not e.gated]
        if family and base and (fit := entry_fit(family, base[0], machine)).runs:
            proposals.append(Proposal("To look inside a model", family, base[0], fit))
            break
    return tuple(proposals)


def _lighter(
    found: list[tuple[CatalogFamily, CatalogEntry, Fit]], at: int
) -> tuple[CatalogFamily, CatalogEntry, Fit]:
    """Of the family at ``at`` take its smallest file: the difference to larger ones is small."""
    family = found[at][0]
    same = [item for item in found if item[0].id == family.id]
    return min(same, key=lambda item: family.roughly_bytes(item[1]) or 0)


def _weights(proposal: Proposal) -> int:
    return proposal.family.parameters or 0


def _pleasant(fit: Fit) -> bool:
    if fit.verdict == "processor":
        return not fit.tokens_per_s or fit.tokens_per_s >= _USABLE_TOKENS_PER_S
    return fit.verdict == "gpu"


def _wanted(family: CatalogFamily, query: CatalogQuery, machine: Machine | None) -> bool:
    if query.licenses and family.license.id not in query.licenses:
        return False
    text = " ".join(
        [
            *(family.id, family.name, family.author, family.license.id),
            *(f"{entry.repo} {entry.weights} {entry.architecture}" for entry in family.entries),
        ]
    ).casefold()
    if not all(word in text for word in query.text.casefold().split()):
        return False
    return any(_entry_wanted(family, entry, query, machine) for entry in family.entries)


def _entry_wanted(
    family: CatalogFamily, entry: CatalogEntry, query: CatalogQuery, machine: Machine | None
) -> bool:
    if query.kinds and entry.kind not in query.kinds:
        return False
    if query.engines and not (entry.can_run and set(entry.engines) & set(query.engines)):
        return False
    if query.without_sign_in and entry.gated:
        return False
    if query.fits and machine is not None:
        return entry.can_run and entry_fit(family, entry, machine).runs
    return True


def _known_first(value: int | None) -> tuple[bool, int]:
    return value is None, value or 0


_SORTS: dict[CatalogSort, Callable[[CatalogFamily], tuple[bool, int] | str] | None] = {
    "recommended": None,
    "name": lambda family: family.name.casefold(),
    "size": lambda family: _known_first(family.smallest_bytes),
    "parameters": lambda family: _known_first(family.parameters),
}
