"""The catalogue as rows and pages. Knows no Qt; made in a worker thread, read in any."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from desktop.discover_values import FoundModel, FoundPage, FoundVersion, ModelFacts
from inference.library.catalog import load_catalog
from inference.library.catalog_search import CatalogQuery, family_fit, search_catalog
from inference.library.fit import Fit, Plan, judge, judge_by_size
from inference.library.quality import quality_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from desktop.controllers.installed_index import InstalledIndex
    from desktop.discover_values import Filters, FitOrigin, FoundKind
    from inference.library.catalog import Catalog, CatalogEntry, CatalogFamily
    from inference.library.machine import Machine
    from inference.library.memory_shape import MemoryShape
    from inference.types import EngineKind

PREFIX: Final = "catalog:"
CONTEXTS: Final = (1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072)
_UNKNOWN_CONTEXT: Final = 32_768
_KIND_ORDER: Final[tuple[FoundKind, ...]] = ("instruct", "thinking", "base")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a page is judged on.

    Attributes:
        machine: What is free; ``None`` while nobody looked.
        index: What is installed.
        n_ctx: Context in tokens; 0 gives the usual one.
        shapes: Widths that were read from a header, by the repository of the original weights.
        sizes: Exact sizes that were read from a listing, by entry id.
    """

    machine: Machine | None
    index: InstalledIndex
    n_ctx: int = 0
    shapes: Mapping[str, MemoryShape] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


class CatalogBook:
    """All families of the catalogue.

    Args:
        catalog: ``None`` takes the one of this version of the app.
    """

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._catalog = catalog or load_catalog()
        self._rows = {family.id: _row(family) for family in self._catalog.families}
        self.licenses: tuple[str, ...] = tuple(
            sorted({family.license.id for family in self._catalog.families}, key=str.casefold)
        )
        """Licence ids there are."""

    def found(self, filters: Filters, machine: Machine | None) -> tuple[FoundModel, ...]:
        """Return the families that are looked for, as rows."""
        engines = {"gguf": ("gguf",), "safetensors": ("native",)}.get(filters.form, ())
        wanted = {name.casefold() for name in filters.licenses}
        query = CatalogQuery(
            text=filters.text,
            kinds=tuple(kind for kind in filters.kinds if kind != "unknown"),
            engines=engines,  # type: ignore[arg-type]  # the literals above
            licenses=tuple(name for name in self.licenses if name.casefold() in wanted),
            fits=filters.fits,
            without_sign_in=filters.without_sign_in,
            sort=filters.sort,
        )
        if wanted and not query.licenses:
            return ()
        families = search_catalog(self._catalog, query, machine)
        return tuple(self._rows[family.id] for family in families)

    def fit(self, key: str, machine: Machine) -> Fit:
        """Return how the best form of a family fits."""
        family = self._catalog.family(key.removeprefix(PREFIX))
        return family_fit(family, machine) if family is not None else Fit("unknown")

    def installed(self, key: str, index: InstalledIndex) -> bool:
        """Whether a form of a family is on this computer."""
        family = self._catalog.family(key.removeprefix(PREFIX))
        return family is not None and any(_installed_id(entry, index) for entry in family.entries)

    def entry(self, key: str, version_id: str) -> CatalogEntry | None:
        """Return the entry behind a row of a page."""
        family = self._catalog.family(key.removeprefix(PREFIX))
        entries = family.entries if family else ()
        return next((entry for entry in entries if entry.id == version_id), None)

    def page(self, key: str, kind: FoundKind, ground: Ground) -> FoundPage | None:
        """Return a family opened; ``None`` where there is no such family.

        Args:
            key: Of the row.
            kind: Which model of the pair; one that the family lacks gives the usual one.
            ground: What it is judged on.
        """
        family = self._catalog.family(key.removeprefix(PREFIX))
        if family is None:
            return None
        kinds = tuple(one for one in _KIND_ORDER if one in family.kinds)
        kind = kind if kind in kinds else kinds[0]
        entries = [entry for entry in family.entries if entry.kind == kind]
        first = entries[0]
        shape = ground.shapes.get(first.weights) or family.memory_shape(first)
        trained = max(entry.n_ctx_train for entry in entries)
        if shape is not None:
            trained = trained or shape.n_ctx_train
        contexts = contexts_up_to(trained)
        n_ctx = ground.n_ctx if ground.n_ctx in contexts else min(4_096, contexts[-1])

        def version(entry: CatalogEntry) -> FoundVersion:
            return self._version(family, entry, replace(ground, n_ctx=n_ctx))

        versions = mark_recommended(one_of_each([version(entry) for entry in entries]))
        partners = {entry.id: self._catalog.partner(entry) for entry in entries}
        return FoundPage(
            key=key,
            name=family.name,
            author=family.author,
            license=family.license.id,
            about=family.about,
            gated=family.gated,
            kinds=kinds,
            kind=kind,
            versions=versions,
            partner={
                entry_id: version(partner)
                for entry_id, partner in partners.items()
                if partner is not None and partner.can_run
            },
            facts=_facts(family, entries, shape, trained),
            n_ctx=n_ctx,
            contexts=contexts,
            reason="" if any(not one.problem for one in versions) else versions[0].problem,
            repo=_card_repo(entries),
            can_read_header=any(one.fit.rough or not one.fit.memory for one in versions),
        )

    def _version(self, family: CatalogFamily, entry: CatalogEntry, ground: Ground) -> FoundVersion:
        size = ground.sizes.get(entry.id) or family.roughly_bytes(entry) or 0
        fit, origin = _fit(family, entry, size, ground)
        problem = ""
        if not entry.can_run:
            problem = (
                f"The native engine does not know its architecture ({entry.architecture}); take "
                "a GGUF version."
            )
        neighbour = self._catalog.find(entry.neighbour) if entry.neighbour else None
        return FoundVersion(
            id=entry.id,
            kind=entry.kind,
            engine=_engine(entry),
            label=entry.version,
            size_bytes=size,
            quality=quality_of(entry.version).words,
            parts=max(1, len(entry.files)),
            fit=fit,
            origin=origin,
            repo=entry.repo,
            wanted=entry.wanted,
            revision=entry.revision or "",
            gated=entry.gated,
            neighbour=(PREFIX + neighbour[0].id, neighbour[1].id) if neighbour else ("", ""),
            problem=problem,
            note=entry.note,
            installed_id=_installed_id(entry, ground.index),
        )


def contexts_up_to(trained: int) -> tuple[int, ...]:
    """Return the contexts to choose from, the longest that a model was trained for last."""
    most = trained or _UNKNOWN_CONTEXT
    steps = [step for step in CONTEXTS if step < most]
    return (*steps, most)


def mark_recommended(versions: Iterable[FoundVersion]) -> tuple[FoundVersion, ...]:
    """Group by engine and mark the row to begin with: the first that runs, GGUF before native.

    The versions come in the order of recommendation; shown they are from small to large.
    """
    rows = list(versions)
    open_rows = [row for row in rows if not row.problem]
    ranked = sorted(open_rows, key=lambda row: (not row.fit.runs, row.gated, row.engine != "gguf"))
    best = ranked[0].id if ranked else ""
    ordered = sorted(rows, key=lambda row: (row.engine != "gguf", row.size_bytes))
    return tuple(replace(row, recommended=row.id == best) for row in ordered)


def one_of_each(versions: Iterable[FoundVersion]) -> list[FoundVersion]:
    """Leave out what somebody else offers as well: a row like another says nothing new.

    Of rows of one engine and label the one that is installed stays, else the one that needs no
    account, else the first; the versions come in the order of recommendation.
    """
    best: dict[tuple[str, str], FoundVersion] = {}
    for row in versions:
        rival = best.setdefault((row.engine, row.label), row)
        if _worth(row) > _worth(rival):
            best[row.engine, row.label] = row
    return list(best.values())


def _worth(row: FoundVersion) -> tuple[bool, bool]:
    return bool(row.installed_id), not row.gated


def _fit(
    family: CatalogFamily, entry: CatalogEntry, size: int, ground: Ground
) -> tuple[Fit, FitOrigin]:
    if ground.machine is None:
        return Fit("waiting"), ""
    read = ground.shapes.get(entry.weights)
    shape = read or family.memory_shape(entry)
    if shape is not None and size:
        plan = Plan(_engine(entry), shape, size, family.parameters or 0, ground.n_ctx)
        return judge(plan, ground.machine), "header" if read else "catalogue"
    if entry.form == "gguf" and size:
        return judge_by_size(size, ground.machine), "size"
    return Fit("unknown"), ""


def _engine(entry: CatalogEntry) -> EngineKind:
    return "gguf" if entry.form == "gguf" else "native"


def _card_repo(entries: list[CatalogEntry]) -> str:
    """Return whose card is shown: the original's, unless that wants an account."""
    closed = {entry.repo for entry in entries if entry.gated}
    names = [entry.weights for entry in entries] + [entry.repo for entry in entries]
    return next((name for name in names if name not in closed), names[0])


def _facts(
    family: CatalogFamily, entries: list[CatalogEntry], shape: MemoryShape | None, trained: int
) -> ModelFacts:
    return ModelFacts(
        architecture=next((one.architecture for one in entries if one.architecture), ""),
        experts=shape.experts if shape else 0,
        n_ctx_train=trained,
        kv_bytes_per_token=shape.kv_bytes_per_token() if shape else 0.0,
        n_vocab=shape.n_vocab if shape else 0,
        thinking=next((one.thinking for one in entries if one.thinking), ""),
        parameters=family.parameters or 0,
        n_layers=shape.n_layers if shape else 0,
    )


def _installed_id(entry: CatalogEntry, index: InstalledIndex) -> str:
    return index.find(entry.repo, _engine(entry), entry.wanted)


def _row(family: CatalogFamily) -> FoundModel:
    known = [entry for entry in family.entries if family.roughly_bytes(entry)]
    runnable = any(entry.can_run for entry in family.entries)
    words = [family.name, family.author, family.license.id]
    return FoundModel(
        key=PREFIX + family.id,
        name=family.name,
        kinds=family.kinds,
        author=family.author,
        license=family.license.id,
        size_bytes=family.smallest_bytes or 0,
        from_size=len(known) > 1,
        gated=family.gated,
        problem="" if runnable else "No engine of this version of the app can run it yet.",
        words=" ".join(words).casefold(),
        forms=tuple(sorted({entry.form for entry in family.entries})),
    )
