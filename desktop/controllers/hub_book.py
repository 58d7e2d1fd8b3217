"""Models of a hub as rows and pages. Knows no Qt; made in worker threads, read in any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from desktop.controllers.catalog_book import contexts_up_to
from desktop.discover_values import Filters, FoundModel, FoundPage, FoundVersion, ModelFacts
from inference.library.download.selection import CHECKPOINT
from inference.library.fit import Fit, judge_by_size
from inference.library.repository import recommended, version_fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop.controllers.installed_index import InstalledIndex
    from desktop.discover_values import FitOrigin
    from inference.library.gguf_header import GgufHeader
    from inference.library.hub_search import HubModel
    from inference.library.machine import Machine
    from inference.library.repository import Repository, Version

PREFIX: Final = "hub:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository as far as it was read.

    Attributes:
        model: What the search said.
        repository: Its rows.
        header: Of one of its GGUF files, once it was read.
        header_bytes: How much of such a file is no weights.
    """

    model: HubModel
    repository: Repository
    header: GgufHeader | None = None
    header_bytes: int = 0


def found(model: HubModel) -> FoundModel:
    """Return a search result as a row."""
    name = model.repo.partition("/")[2] or model.repo
    return FoundModel(
        key=PREFIX + model.repo,
        name=name,
        kinds=() if model.kind == "unknown" else (model.kind,),
        author=model.author,
        license=model.license,
        size_bytes=model.about_bytes,
        from_size="gguf" in model.forms,
        gated=bool(model.gated),
        problem=model.problem,
        words=f"{model.repo} {model.license} {model.architecture}".casefold(),
        forms=model.forms,
    )


def fit(model: FoundModel, machine: Machine) -> Fit:
    """Judge a search result roughly, by the size of its usual download."""
    if model.problem or not model.size_bytes:
        return Fit("unknown")
    return judge_by_size(model.size_bytes, machine)


def largest_that_fits(machine: Machine) -> int:
    """Return the size in bytes of the largest usual download that runs here, to a MB."""
    low, high = 0, 1 << 44
    while high - low > 1_000_000:
        middle = (low + high) // 2
        if judge_by_size(middle, machine).runs:
            low = middle
        else:
            high = middle
    return low


def passing(
    rows: Iterable[FoundModel], filters: Filters, most_bytes: int, words: list[str]
) -> tuple[FoundModel, ...]:
    """Return those of the results that were loaded which are looked for now.

    Args:
        rows: What was loaded.
        filters: What is looked for; its text is in ``words``.
        most_bytes: See ``largest_that_fits``.
        words: Lower case; each has to be among a row's words.
    """
    for word in words:  # first, and row by row without a call: this is done for each letter typed
        rows = [row for row in rows if word in row.words]
    if filters == Filters(filters.text, sort=filters.sort, hub_sort=filters.hub_sort):
        return tuple(rows)
    return tuple(row for row in rows if _passes(row, filters, most_bytes))


def _passes(model: FoundModel, filters: Filters, most_bytes: int) -> bool:
    if filters.kinds and model.kinds and not set(model.kinds) & set(filters.kinds):
        return False
    if filters.form != "any" and filters.form not in model.forms:
        return False
    if filters.licenses and model.license not in filters.licenses:
        return False
    if filters.fits and (model.problem or model.size_bytes > most_bytes):
        return False
    return not (filters.without_sign_in and model.gated)


def page(opened: Opened, n_ctx: int, machine: Machine | None, index: InstalledIndex) -> FoundPage:
    """Return a repository opened.

    Args:
        opened: What was read.
        n_ctx: Context in tokens; 0 gives the usual one.
        machine: What is free; ``None`` while nobody looked.
        index: What is installed.
    """
    model, repository = opened.model, opened.repository
    base = unread_page(model)
    facts = _facts(opened)
    contexts = contexts_up_to(facts.n_ctx_train)
    n_ctx = n_ctx if n_ctx in contexts else min(4_096, contexts[-1])
    fits = {version.label: _fit(opened, version, n_ctx, machine) for version in repository.versions}
    best = recommended(repository.versions, fits)
    versions = tuple(
        _version(opened, version, fits[version.label], index) for version in repository.versions
    )
    return replace(
        base,
        license=repository.listing.license or base.license,
        gated=bool(repository.listing.gated),
        versions=tuple(
            replace(one, recommended=best is not None and one.id == best.label) for one in versions
        ),
        facts=facts,
        n_ctx=n_ctx,
        contexts=contexts,
        reason=repository.reason,
        can_read_header=opened.header is None
        and any(version.engine == "gguf" for version in repository.runnable),
    )


def unread_page(model: HubModel) -> FoundPage:
    """Return what the search said about a model, before its repository was read."""
    return FoundPage(
        key=PREFIX + model.repo,
        name=model.repo.partition("/")[2] or model.repo,
        author=model.author,
        license=model.license,
        gated=bool(model.gated),
        kinds=(model.kind,),
        kind=model.kind,
        facts=ModelFacts(
            architecture=model.architecture,
            n_ctx_train=model.n_ctx_train,
            parameters=model.parameters,
        ),
        contexts=contexts_up_to(model.n_ctx_train),
        reason=model.problem,
        repo=model.repo,
    )


def _facts(opened: Opened) -> ModelFacts:
    model, repository = opened.model, opened.repository
    shapes = [repository.shape(version, opened.header) for version in repository.versions]
    shape = next((one for one in shapes if one is not None and one.known), None)
    if shape is None:
        return unread_page(model).facts
    return ModelFacts(
        architecture=model.architecture or (opened.header.architecture if opened.header else ""),
        experts=shape.experts,
        n_ctx_train=shape.n_ctx_train or model.n_ctx_train,
        kv_bytes_per_token=shape.kv_bytes_per_token(),
        n_vocab=shape.n_vocab,
        parameters=model.parameters,
        n_layers=shape.n_layers,
    )


def _fit(opened: Opened, version: Version, n_ctx: int, machine: Machine | None) -> Fit:
    if version.problem:
        return Fit("unknown")
    if machine is None:
        return Fit("waiting")
    return version_fit(
        opened.repository,
        version,
        machine,
        opened.header,
        n_ctx=n_ctx,
        header_bytes=opened.header_bytes if version.engine == "gguf" else 0,
    )


def _version(opened: Opened, version: Version, fit: Fit, index: InstalledIndex) -> FoundVersion:
    listing = opened.repository.listing
    origin: FitOrigin = ""
    if fit.memory is not None:
        origin = "size" if fit.rough else "header" if version.engine == "gguf" else "config"
    wanted = version.main or CHECKPOINT
    name = PurePosixPath(version.main).name
    return FoundVersion(
        id=version.label,
        kind=opened.model.kind,
        engine=version.engine,
        label=version.label,
        size_bytes=max(0, version.weights_bytes),
        quality=version.quality.words,
        parts=version.parts,
        fit=fit,
        origin=origin,
        repo=listing.repo,
        wanted=wanted,
        revision=listing.revision,
        gated=bool(listing.gated),
        problem=version.problem,
        installed_id=index.find(listing.repo, version.engine, name),
    )
