"""``glasshouse models list | show``; the other commands have files of their own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.cli import compare, console, discover, keep, make, pull
from inference.cli.options import add_json, add_model
from inference.errors import InferenceError
from inference.library.details import read_details
from inference.library.estimate import estimate
from inference.library.installed import Library
from inference.library.overview import look_over
from inference.library.template_doctor import Diagnosis, examine_template
from inference.library.template_facts import template_facts
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

    from inference.library.details import ModelDetails
    from inference.library.notes import ModelNote
    from inference.library.updates import UpdateCheck
    from inference.types import ModelInfo


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` and its commands."""
    parser = commands.add_parser("models", help="list and manage the models on this computer")
    actions = parser.add_subparsers(metavar="COMMAND", required=True)
    shown = actions.add_parser("list", help="everything installed")
    shown.add_argument(
        "--folders", action="store_true", help="where they are: models folders, other apps, disks"
    )
    shown.set_defaults(handler=list_models)
    one = actions.add_parser("show", help="facts about one model")
    add_model(one)
    one.add_argument(
        "--check-update", action="store_true", help="ask the hub whether there is a newer version"
    )
    one.set_defaults(handler=show)
    for action in (shown, one):
        add_json(action)
    keep.add_parsers(actions)
    discover.add_parsers(actions)
    pull.add_parsers(actions)
    make.add_parsers(actions)
    compare.add_parser(actions)


def list_models(arguments: argparse.Namespace) -> int:
    """Print one line per model."""
    library = Library(app_paths())
    models = library.list()
    for problem in library.problems:
        console.note(problem)
    if arguments.folders:
        _list_folders(library, models, as_json=arguments.json)
        return 0
    if arguments.json:
        for info in models:
            console.json_line(msgspec.to_builtins(info))
        return 0
    if not models:
        console.line(
            f"No models yet. Put .gguf files or checkpoint folders into {library.folders.default()}"
        )
        return 0
    head = ("ID", "KIND", "ENGINE", "WEIGHTS", "TYPE", "SIZE", "")
    console.table([head, *(_row(info) for info in models)], right=(3, 5))
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Print what is known about one model from its files."""
    paths = app_paths()
    library = Library(paths)
    info = library.find(arguments.model)
    needed = _estimate(info)
    note = library.notes.of(info)
    details = read_details(Path(info.path), paths.data / "hashes.json")
    template = _template(info, note)
    update = _update(info) if arguments.check_update else None
    if arguments.json:
        told = {
            **msgspec.to_builtins(info),
            "estimate_bytes": needed,
            "types": [asdict(share) for share in details.types],
            "tokenizer": details.vocabulary,
            "repo": details.origin.repo,
            "revision": details.origin.revision,
            "sha256": details.sha256,
            "template": template and _told(template),
            "favourite": note.favourite,
            "note": note.text,
            "last_used": note.last_used or None,
        }
        if update is not None:
            told["update"] = {**asdict(update), "is_newer": update.is_newer}
        console.json_line(told)
        return 0
    console.table([*_fact_rows(info, needed, template), *_detail_rows(details, note)])
    if update is not None:
        console.line(update.words)
    return 0


def _template(info: ModelInfo, note: ModelNote) -> Diagnosis | None:
    """Let the doctor look at the chat template in use; ``None`` where the files cannot be read."""
    try:
        facts = template_facts(Path(info.path))
    except (InferenceError, OSError):
        return None
    return examine_template(facts, note.defaults.template.source or None)


def _told(template: Diagnosis) -> dict[str, object]:
    return {
        "verdict": template.verdict,
        "sentence": template.sentence,
        "findings": [finding.text for finding in template.findings],
        "mend": template.mend.name if template.mend else None,
    }


def _template_words(template: Diagnosis | None, info: ModelInfo) -> str:
    if template is None:
        return "yes" if info.has_chat_template else "no: it continues text only"
    missing = template.verdict == "missing"
    words = "no: it continues text only" if missing else template.sentence
    if template.mend is None or info.kind == "base":
        return words
    return f"{words.rstrip('.')}. The window can put {template.mend.title} in its place."


def _fact_rows(info: ModelInfo, needed: int, template: Diagnosis | None) -> list[tuple[str, str]]:
    rows = [
        ("id", info.id),
        ("name", info.name),
        ("kind", _KINDS[info.kind]),
        ("engine", info.engine),
        ("architecture", info.architecture or "not known"),
        ("weights", f"{info.parameters:,} ({info.quantization})"),
        ("blocks", str(info.n_layers or "not known")),
        ("vocabulary", f"{info.n_vocab:,} tokens"),
        ("context", f"{info.n_ctx_train:,} tokens, as trained"),
        ("chat template", _template_words(template, info)),
        ("size", console.size_text(info.size_bytes)),
        ("memory", f"about {console.size_text(needed)}, derived" if needed else "not known"),
        ("license", info.license or "not stated"),
        ("origin", info.origin or "not on the list"),
        ("path", info.path),
    ]
    if info.problem:
        rows.append(("problem", info.problem))
    return rows


def _detail_rows(details: ModelDetails, note: ModelNote) -> list[tuple[str, str]]:
    types = ", ".join(
        f"{share.type_name} {share.tensors} tensors {console.size_text(share.size_bytes)}"
        for share in details.types
    )
    used = datetime.fromtimestamp(note.last_used, UTC).astimezone() if note.last_used else None
    at = f" at {details.origin.revision[:12]}" if details.origin.revision else ""
    rows = [
        ("types", types),
        ("tokenizer", details.vocabulary),
        ("from", f"{details.origin.repo}{at}" if details.origin.repo else ""),
        ("sha256", details.sha256),
        ("last used", f"{used:%Y-%m-%d %H:%M}" if used else ""),
        ("favourite", "yes" if note.favourite else ""),
        ("note", note.text),
    ]
    return [row for row in rows if row[1]]


def _list_folders(library: Library, models: tuple[ModelInfo, ...], *, as_json: bool) -> None:
    overview = look_over(library.folders, models)
    if as_json:
        for folder in overview.folders:
            console.json_line({**asdict(folder), "path": str(folder.path)})
        for app in overview.apps:
            console.json_line({**asdict(app), "folders": [str(one) for one in app.folders]})
        return
    rows = [("MODELS FOLDER", "STATE", "MODELS", "SIZE", "FREE", "")]
    for folder in overview.folders:
        marks = ["downloads go here" if folder.is_default else ""]
        if folder.trash_bytes:
            marks.append(f"{console.size_text(folder.trash_bytes)} in the trash")
        rows.append(
            (
                str(folder.path),
                folder.state,
                str(folder.models),
                console.size_text(folder.used_bytes),
                console.size_text(folder.free_bytes) if folder.total_bytes else "?",
                ", ".join(filter(None, marks)),
            )
        )
    for app in overview.apps:
        state = {True: "shown", False: "not shown", None: "not asked"}[app.shown]
        size = console.size_text(app.used_bytes) if app.shown else "?"
        where = ", ".join(map(str, app.folders)) or "not there"
        rows.append((where, state, str(app.models) if app.shown else "?", size, "?", app.name))
    console.table(rows, right=(2, 3, 4))
    console.line(f"Models take {console.size_text(overview.used_bytes)} in all.")


def _update(info: ModelInfo) -> UpdateCheck:
    # The hub's client takes half a second to import; other commands do without.
    from inference.library.updates import check_update  # noqa: PLC0415

    return check_update(Path(info.path))


_KINDS = {
    "base": "base: continues text",
    "instruct": "instruct: answers",
    "thinking": "thinking: thinks first, then answers",
    "embedding": "embedding: turns texts into numbers, writes none",
    "unknown": "not stated",
}


def _row(info: ModelInfo) -> tuple[str, ...]:
    return (
        info.id,
        info.kind,
        info.engine,
        console.count_text(info.parameters),
        info.quantization,
        console.size_text(info.size_bytes),
        "absent" if info.absent else "cannot be loaded" if info.problem else "",
    )


def _estimate(info: ModelInfo) -> int:
    try:
        return estimate(Path(info.path)).total_bytes
    except InferenceError:
        return 0
