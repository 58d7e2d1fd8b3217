"""``glasshouse models list | show | add | remove | restore``; the others have their own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.cli import console, discover, pull
from inference.cli.options import add_json, add_model
from inference.errors import InferenceError
from inference.library.estimate import estimate
from inference.library.installed import Library
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

    from inference.types import ModelInfo


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` and its commands."""
    parser = commands.add_parser("models", help="list and manage the models on this computer")
    actions = parser.add_subparsers(metavar="COMMAND", required=True)
    shown = actions.add_parser("list", help="everything installed")
    shown.set_defaults(handler=list_models)
    one = actions.add_parser("show", help="facts about one model")
    add_model(one)
    one.set_defaults(handler=show)
    added = actions.add_parser("add", help="use a file or folder where it lies")
    added.add_argument("path", metavar="PATH", type=Path)
    added.set_defaults(handler=add)
    removed = actions.add_parser("remove", help="take a model off the list; can be undone")
    add_model(removed)
    removed.set_defaults(handler=remove)
    restored = actions.add_parser("restore", help="bring a removed model back")
    restored.add_argument("model", metavar="ID")
    restored.set_defaults(handler=restore)
    for action in (shown, one, added, removed, restored):
        add_json(action)
    discover.add_parsers(actions)
    pull.add_parsers(actions)


def list_models(arguments: argparse.Namespace) -> int:
    """Print one line per model."""
    library = Library(app_paths())
    models = library.list()
    for problem in library.problems:
        console.note(problem)
    if arguments.json:
        for info in models:
            console.json_line(msgspec.to_builtins(info))
        return 0
    if not models:
        console.line(
            f"No models yet. Put .gguf files or checkpoint folders into {app_paths().models}"
        )
        return 0
    head = ("ID", "KIND", "ENGINE", "WEIGHTS", "TYPE", "SIZE", "")
    console.table([head, *(_row(info) for info in models)], right=(3, 5))
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Print what is known about one model from its files."""
    info = Library(app_paths()).find(arguments.model)
    needed = _estimate(info)
    if arguments.json:
        console.json_line({**msgspec.to_builtins(info), "estimate_bytes": needed})
        return 0
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
        ("chat template", "yes" if info.has_chat_template else "no: it continues text only"),
        ("size", console.size_text(info.size_bytes)),
        ("memory", f"about {console.size_text(needed)}, derived" if needed else "not known"),
        ("license", info.license or "not stated"),
        ("origin", info.origin or "not on the list"),
        ("path", info.path),
    ]
    if info.problem:
        rows.append(("problem", info.problem))
    console.table(rows)
    return 0


def add(arguments: argparse.Namespace) -> int:
    """Put a file or folder on the list."""
    info = Library(app_paths()).add(arguments.path)
    if arguments.json:
        console.json_line(msgspec.to_builtins(info))
    else:
        console.line(f"Added {info.id}. It stays at {info.path}.")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """Take a model off the list."""
    library = Library(app_paths())
    removal = library.remove(library.find(arguments.model).id)
    info = removal.info
    if arguments.json:
        console.json_line({"id": info.id, "path": info.path, "freed_bytes": removal.freed_bytes})
        return 0
    what = (
        f"its {console.size_text(removal.freed_bytes)} are in the trash"
        if removal.freed_bytes
        else f"its files at {info.path} are untouched"
    )
    console.line(f"Removed {info.id}; {what}.")
    until = " until then" if removal.freed_bytes else ""
    if removal.freed_bytes:
        console.line("The window empties the trash for good when it closes.")
    console.line(f"`{console.PROGRAM} models restore {info.id}` brings it back{until}.")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Bring a removed model back."""
    info = Library(app_paths()).restore(arguments.model)
    if arguments.json:
        console.json_line(msgspec.to_builtins(info))
    else:
        console.line(f"{info.id} is back.")
    return 0


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
        "cannot be loaded" if info.problem else "",
    )


def _estimate(info: ModelInfo) -> int:
    try:
        return estimate(Path(info.path)).total_bytes
    except InferenceError:
        return 0
