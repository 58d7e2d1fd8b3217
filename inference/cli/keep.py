"""``glasshouse models add | remove | restore``: files, whole folders of models, other apps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.options import add_json, clean_path
from inference.cli.session import INTERRUPTED, interruptible
from inference.errors import ModelNotFoundError
from inference.library.checkpoint_folder import is_checkpoint_folder
from inference.library.download.patience import StoppedError
from inference.library.installed import Library
from inference.library.lookup import find_removed
from inference.library.other_apps import NAMES
from inference.library.overview import app_places
from inference.library.scan import scan
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

    from inference.library.arrivals import Progress, Way
    from inference.types import ModelInfo


def add_parsers(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the three commands to ``models``."""
    added = actions.add_parser(
        "add",
        help="use a file or folder where it lies, or bring it into the models folder",
        description="PATH is a .gguf file, a checkpoint folder, or a folder full of models, which "
        "becomes one of the models folders.",
    )
    added.add_argument("path", metavar="PATH", type=_path, nargs="?")
    way = added.add_mutually_exclusive_group()
    way.add_argument("--link", action="store_true", help="leave it where it lies (the default)")
    way.add_argument("--copy", action="store_true", help="copy it into the models folder")
    way.add_argument("--move", action="store_true", help="move it there; `restore` moves it back")
    way.add_argument("--default", action="store_true", help="downloads go to this models folder")
    way.add_argument("--app", choices=tuple(NAMES), help="show the models of another app")
    added.set_defaults(handler=add, parser=added)
    removed = actions.add_parser(
        "remove",
        help="take a model off the list; can be undone",
        description="MODEL is a model, a models folder (its files are not touched), or with "
        "--app another app, whose models are not shown any more.",
    )
    removed.add_argument("model", metavar="MODEL", type=clean_path, nargs="?")
    removed.add_argument("--app", choices=tuple(NAMES), help="stop showing another app's models")
    removed.set_defaults(handler=remove, parser=removed)
    restored = actions.add_parser(
        "restore", help="bring a removed model back, or a moved one to where it was"
    )
    restored.add_argument("model", metavar="ID")
    restored.set_defaults(handler=restore)
    for action in (added, removed, restored):
        add_json(action)


def add(arguments: argparse.Namespace) -> int:
    """Put a file or folder on the list."""
    _check_one_of(arguments, arguments.path)
    library = Library(app_paths())
    if arguments.app:
        return _show_app(library, arguments)
    path: Path = arguments.path.expanduser()
    if arguments.default or _holds_models(path):
        return _add_folder(library, path, arguments)
    way: Way | None = "copy" if arguments.copy else "move" if arguments.move else None
    if way is not None:
        return _bring(library, path, way, arguments)
    info = library.add(path)
    if not _said_as_json(info, arguments):
        console.line(f"Added {info.id}. It stays at {info.path}.")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """Take a model or a folder off the list, or hide another app's models."""
    _check_one_of(arguments, arguments.model)
    library = Library(app_paths())
    if arguments.app:
        return _hide_app(library, arguments)
    folder = library.folders.find(Path(arguments.model))
    if folder is not None:
        library.folders.drop(folder)
        if arguments.json:
            console.json_line({"folder": str(folder), "freed_bytes": 0})
        else:
            console.line(f"{folder} is off the list; its files are untouched.")
        return 0
    removal = library.remove(library.find(arguments.model).id)
    info = removal.info
    if arguments.json:
        console.json_line({"id": info.id, "path": info.path, "freed_bytes": removal.freed_bytes})
        return 0
    what = f"its files at {info.path} are untouched"
    if removal.in_trash:
        what = f"its {console.size_text(removal.freed_bytes)} are in the trash"
    if removal.in_trash and not removal.freed_bytes:
        what = "it was linked from elsewhere, so nothing is freed"
    console.line(f"Removed {info.id}; {what}.")
    if removal.in_trash:
        console.line("The window empties the trash for good when it closes.")
    until = " until then" if removal.in_trash else ""
    console.line(f"`{console.PROGRAM} models restore {info.id}` brings it back{until}.")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Bring a removed model back, or a moved one to where it was."""
    library = Library(app_paths())
    info = library.restore(find_removed(arguments.model, library.restorable()))
    if not _said_as_json(info, arguments):
        console.line(f"{info.id} is back.")
    return 0


def _bring(library: Library, path: Path, way: Way, arguments: argparse.Namespace) -> int:
    cancel = CancelToken()
    try:
        with interruptible(cancel):
            info = library.bring(path, way, cancel, _progress(path, as_json=arguments.json))
    except StoppedError:
        console.note("Stopped. Nothing has changed.")
        return INTERRUPTED
    if _said_as_json(info, arguments):
        return 0
    console.line(f"{'Copied' if way == 'copy' else 'Moved'} to {info.path}. It is {info.id}.")
    if way == "move":
        if path.exists():
            console.note(f"{path} could not be removed, so it is a copy.")
        else:
            console.line(f"`{console.PROGRAM} models restore {info.id}` moves it back.")
    return 0


def _progress(path: Path, *, as_json: bool) -> Progress:
    """Return what says how far a copy is: JSON lines, or one line that changes on a terminal."""
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        percent = 100 * done // max(1, total)
        if percent == told:
            return
        told = percent
        if as_json:
            console.json_line(
                {"event": "progress", "file": path.name, "done": done, "total": total}
            )
        elif sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{path.name}  {percent} %", end=end, file=sys.stderr, flush=True)

    return tell


def _add_folder(library: Library, path: Path, arguments: argparse.Namespace) -> int:
    folder = library.folders.add(path, make_default=arguments.default)
    inside = [info for info in library.list() if folder in Path(info.path).parents]
    if arguments.json:
        console.json_line(
            {
                "folder": str(folder),
                "default": folder == library.folders.default(),
                "models": len(inside),
            }
        )
        return 0
    number = "1 model" if len(inside) == 1 else f"{len(inside)} models"
    console.line(f"{folder} is a models folder now, with {number}.")
    if arguments.default:
        console.line("Downloads go there.")
    return 0


def _show_app(library: Library, arguments: argparse.Namespace) -> int:
    name = NAMES[arguments.app]
    if arguments.app not in app_places():
        raise ModelNotFoundError(
            f"No folder of {name} was found on this computer.",
            "If its models are in an unusual place, add that folder: `models add PATH`.",
        )
    library.folders.answer_apps({arguments.app: True})
    number = sum(info.origin == name for info in library.list())
    if arguments.json:
        console.json_line({"app": arguments.app, "shown": True, "models": number})
    else:
        console.line(f"The models of {name} are listed now: {number}. They stay where they are.")
    return 0


def _hide_app(library: Library, arguments: argparse.Namespace) -> int:
    library.folders.answer_apps({arguments.app: False})
    if arguments.json:
        console.json_line({"app": arguments.app, "shown": False})
    else:
        console.line(f"The models of {NAMES[arguments.app]} are not listed any more.")
    return 0


def _holds_models(path: Path) -> bool:
    """Tell a folder with models in it from a model that is a folder."""
    return path.is_dir() and not is_checkpoint_folder(path) and bool(scan(path).models)


def _check_one_of(arguments: argparse.Namespace, what: object) -> None:
    if (what is None) == (arguments.app is None):
        arguments.parser.error("name one thing: a path or model, or an app with --app")


def _said_as_json(info: ModelInfo, arguments: argparse.Namespace) -> bool:
    if arguments.json:
        console.json_line(msgspec.to_builtins(info))
    return bool(arguments.json)


def _path(text: str) -> Path:
    return Path(clean_path(text))
