"""``glasshouse models search | fit``: find models and judge whether they suit this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.options import add_json, clean_path, whole
from inference.errors import DownloadError, ModelNotFoundError
from inference.host.ask import ask_engine
from inference.library.catalog import load_catalog
from inference.library.catalog_search import (
    CatalogQuery,
    entry_fit,
    family_fit,
    search_catalog,
)
from inference.library.fit import Fit, judge
from inference.library.installed import Library
from inference.library.machine import Machine, this_machine
from inference.library.memory_shape import KV_BYTES
from inference.library.plans import plan_of_path
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

    from inference.library.catalog import CatalogFamily
    from inference.library.hub_search import HubModel

Row: TypeAlias = "tuple[str, str, int, Fit]"
"""Version, engine, bytes to download or on disk, and how it fits."""

_KINDS = ("base", "instruct", "thinking")


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to ``models``."""
    _add_search(actions)
    judged = actions.add_parser(
        "fit",
        help="tell whether a model suits this computer, before loading or downloading it",
        description="Memory for weights, context and buffers, derived from the model's header, "
        "against what is free now. MODEL is an installed model, a .gguf file, a folder, an entry "
        "of the catalogue, or ORG/NAME on the hub.",
    )
    judged.add_argument("model", metavar="MODEL", type=clean_path)
    judged.add_argument("--context", type=whole(1), metavar="N", help="tokens (default: 4096)")
    judged.add_argument("--cache-type", choices=tuple(KV_BYTES), default="f16")
    add_json(judged)
    judged.set_defaults(handler=fit)


def _add_search(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    found = actions.add_parser(
        "search",
        help="look through the catalogue and the hub",
        description="Curated models first; they are there without a network. Then the hub's.",
    )
    found.add_argument("text", metavar="TEXT", nargs="*", help="words, ORG/NAME, or an address")
    found.add_argument("--author", default="", help="only this author's models")
    found.add_argument("--form", choices=("any", "gguf", "safetensors"), default="any")
    found.add_argument("--kind", choices=_KINDS, action="append", default=[])
    found.add_argument("--license", action="append", default=[], metavar="ID")
    found.add_argument("--fits", action="store_true", help="only what this computer can load")
    found.add_argument("--sort", choices=("trending", "downloads", "likes", "new"))
    found.add_argument("--limit", type=whole(1, 1_000), default=20, metavar="N")
    found.add_argument("--offline", action="store_true", help="only the catalogue")
    add_json(found)
    found.set_defaults(handler=search)


def search(arguments: argparse.Namespace) -> int:
    """Print matching models; 1 when there are none."""
    machine = machine_now()
    text = console.clean(" ".join(arguments.text))
    engines = {"gguf": ("gguf",), "safetensors": ("native",)}.get(arguments.form, ())
    query = CatalogQuery(
        text=" ".join(part for part in (text, arguments.author) if part),
        kinds=tuple(arguments.kind),
        engines=engines,  # type: ignore[arg-type]  # the literals above
        licenses=tuple(arguments.license),
        fits=arguments.fits,
    )
    families = search_catalog(load_catalog(), query, machine)[: arguments.limit]
    for family in families:
        _say_family(family, machine, as_json=arguments.json)
    models: tuple[HubModel, ...] = ()
    if not arguments.offline:
        try:
            models = _from_hub(arguments, text, machine)
        except DownloadError as error:
            if not families:
                raise
            console.note(f"{error.message} Only the catalogue was searched.")
    for model in models:
        _say_model(model, as_json=arguments.json)
    if not families and not models:
        console.note("Nothing matches. Try fewer words or fewer filters.")
        return 1
    return 0


def fit(arguments: argparse.Namespace) -> int:
    """Print a row per version; 1 when none of them can be loaded."""
    machine = machine_now()
    name, rows = _rows(arguments, machine)
    if arguments.json:
        for row in rows:
            console.json_line(_as_json(name, row))
    else:
        console.line(f"{name}, with a context of {_context(rows)} tokens")
        head = ("VERSION", "ENGINE", "SIZE", "MEMORY", "ON THIS COMPUTER (derived)")
        console.table([head, *map(_as_cells, rows)], right=(2, 3))
        console.line(_about(machine))
    return 0 if any(row[3].runs for row in rows) else 1


def machine_now() -> Machine:
    """Return what is free now, GPUs included; starts the engine's process to ask for them."""
    return this_machine(app_paths().cache, ask_engine("gguf").devices)


def _rows(arguments: argparse.Namespace, machine: Machine) -> tuple[str, list[Row]]:
    catalog, name = load_catalog(), arguments.model
    n_ctx, cache = arguments.context, arguments.cache_type
    for family in catalog.families:
        entries = [one for one in family.entries if name.lower() == one.id]
        if name.lower() == family.id:  # what somebody else offers as well would say the same twice
            each = {(one.form, one.version, one.kind): one for one in reversed(family.entries)}
            entries = [one for one in family.entries if one in each.values()]
        if entries:
            rows: list[Row] = [
                (
                    f"{one.version} {one.kind}",
                    one.engines[0],
                    family.roughly_bytes(one) or 0,
                    entry_fit(family, one, machine, n_ctx, cache),
                )
                for one in entries
            ]
            return family.name, rows
    try:
        info = Library(app_paths()).find(name)
    except ModelNotFoundError:
        if name.count("/") != 1 or name.endswith(".gguf") or name.startswith((".", "/", "~")):
            raise
        return _hub_rows(name, machine, n_ctx, cache)
    plan = plan_of_path(Path(info.path), n_ctx, cache)
    row = (info.quantization, info.engine, info.size_bytes, judge(plan, machine))
    return info.id, [row]


def _hub_rows(repo: str, machine: Machine, n_ctx: int | None, cache: str) -> tuple[str, list[Row]]:
    # The hub's client takes half a second to import; other commands do without.
    from inference.library.hub import Hub  # noqa: PLC0415
    from inference.library.hub_search import open_repository  # noqa: PLC0415
    from inference.library.remote_header import (  # noqa: PLC0415
        RemoteFiles,
        header_bytes,
        read_gguf,
    )
    from inference.library.repository import version_fit, with_architecture  # noqa: PLC0415

    hub, cancel = Hub(), CancelToken()
    repository = open_repository(hub, repo, lambda it: RemoteFiles(it, hub.token, cancel))
    prefix = None
    ggufs = [version for version in repository.runnable if version.engine == "gguf"]
    if ggufs:
        with RemoteFiles(repository.listing, hub.token, cancel) as files:
            prefix = read_gguf(files.source(ggufs[0].main))
        repository = with_architecture(repository, prefix.header.architecture)
    if not repository.runnable:
        raise ModelNotFoundError(f"{repo} has nothing that can run here.", repository.reason)
    rows: list[Row] = [
        (
            version.label,
            version.engine,
            version.weights_bytes,
            version_fit(
                repository,
                version,
                machine,
                prefix.header if prefix else None,
                n_ctx=n_ctx,
                kv_cache_type=cache,
                header_bytes=header_bytes(prefix) if prefix and version.engine == "gguf" else 0,
            ),
        )
        for version in repository.runnable
    ]
    return repository.listing.repo, rows


def _from_hub(arguments: argparse.Namespace, text: str, machine: Machine) -> tuple[HubModel, ...]:
    # The hub's client takes half a second to import; other commands do without.
    from inference.library.hub import Hub  # noqa: PLC0415
    from inference.library.hub_search import HubQuery, Search  # noqa: PLC0415

    memory = machine.free_bytes + sum(
        gpu.free_bytes for gpu in machine.gpus if not gpu.shares_memory
    )
    query = HubQuery(
        text=text,
        author=arguments.author,
        form=arguments.form,
        kinds=tuple(arguments.kind),
        licenses=tuple(license_id.lower() for license_id in arguments.license),
        most_bytes=memory if arguments.fits else 0,
        sort=arguments.sort or ("downloads" if text else "trending"),
    )
    return Search(Hub(), query).next_page(arguments.limit).models


def _say_family(family: CatalogFamily, machine: Machine, *, as_json: bool) -> None:
    judged = family_fit(family, machine)
    if as_json:
        console.json_line(
            {
                "source": "catalogue",
                "id": family.id,
                "name": family.name,
                "author": family.author,
                "kinds": list(family.kinds),
                "license": family.license.id,
                "parameters": family.parameters,
                "from_bytes": family.smallest_bytes,
                "gated": family.gated,
                "verdict": judged.verdict,
                "words": judged.words,
                "entries": [
                    {"id": one.id, "repo": one.repo, "revision": one.revision, "kind": one.kind,
                     "version": one.version, "size_bytes": one.size_bytes}
                    for one in family.entries
                ],
            }
        )  # fmt: skip
        return
    size = console.size_text(family.smallest_bytes) if family.smallest_bytes else "?"
    kinds = ", ".join(family.kinds)
    console.line(f"{family.id}  {kinds}, {family.license.id}, from {size}. {judged.words}.")


def _say_model(model: HubModel, *, as_json: bool) -> None:
    if as_json:
        console.json_line({"source": "hub", **msgspec.to_builtins(model)})
        return
    facts = [
        "" if model.kind == "unknown" else model.kind,
        console.count_text(model.parameters) if model.parameters else "",
        "+".join(model.forms),
        model.license,
        "sign-in needed" if model.gated else "",
        f"{model.downloads:,} downloads",
    ]
    problem = f". {model.problem}" if model.problem else ""
    console.line(f"{model.repo}  {', '.join(filter(None, facts))}{problem}")


def _as_cells(row: Row) -> tuple[str, ...]:
    version, engine, size, judged = row
    memory = console.size_text(judged.memory.total_bytes) if judged.memory else "?"
    words = f"{judged.words}, roughly" if judged.rough else judged.words
    return (version, engine, console.size_text(size) if size > 0 else "?", memory, words)


def _as_json(name: str, row: Row) -> dict[str, console.Json]:
    version, engine, size, judged = row
    memory = judged.memory
    return {
        "model": name,
        "version": version,
        "engine": engine,
        "size_bytes": size if size > 0 else None,
        "weights_bytes": memory.weights_bytes if memory else None,
        "kv_cache_bytes": memory.kv_cache_bytes if memory else None,
        "buffers_bytes": memory.buffers_bytes if memory else None,
        "total_bytes": memory.total_bytes if memory else None,
        "context": judged.n_ctx,
        "verdict": judged.verdict,
        "words": judged.words,
        "gpu_layers": judged.gpu_layers,
        "layers": judged.layers,
        "tokens_per_s": round(judged.tokens_per_s, 2),
        "over_bytes": judged.over_bytes,
        "rough": judged.rough,
        "origin": "derived",
    }


def _context(rows: list[Row]) -> str:
    contexts = {row[3].n_ctx for row in rows if row[3].n_ctx}
    return f"{max(contexts):,}" if contexts else "4,096"


def _about(machine: Machine) -> str:
    parts = [f"{machine.free_bytes / 1e9:.1f} of {machine.total_bytes / 1e9:.1f} GB free"]
    parts += [
        f"{gpu.name}: {gpu.free_bytes / 1e9:.1f} of {gpu.total_bytes / 1e9:.1f} GB free"
        for gpu in machine.gpus
    ]
    if machine.bandwidth_bytes_per_s:
        parts.append(f"memory speed {machine.bandwidth_bytes_per_s / 1e9:.0f} GB/s, measured")
    return "; ".join(parts)
