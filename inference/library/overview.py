"""Where models are and what they take: each models folder, each other app, and all together."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from inference.library import split_files
from inference.library.describe import is_gguf
from inference.library.freed import used_bytes
from inference.library.other_apps import NAMES, find_places
from inference.library.trash import Trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from inference.library.folders import FolderChoices, ModelFolders
    from inference.library.other_apps import App
    from inference.types import ModelInfo

FolderState: TypeAlias = Literal["ready", "not made yet", "absent", "read only", "unreadable"]


@dataclass(frozen=True, slots=True)
class FolderView:
    """One models folder.

    Attributes:
        path: Where it is.
        state: ``absent`` = on a drive that is away; its models are remembered.
        is_default: Whether downloads go there.
        is_own: Whether it is the app's own, which stays on the list.
        models: How many models it holds.
        used_bytes: What they take on its disk; of one that is away, what they took.
        trash_bytes: What removed models still take.
        free_bytes: Free on its disk; 0 when it is away.
        total_bytes: Size of its disk; 0 when it is away.
    """

    path: Path
    state: FolderState
    is_default: bool
    is_own: bool
    models: int
    used_bytes: int
    trash_bytes: int = 0
    free_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AppView:
    """Another app whose models can be used where they are.

    Attributes:
        app: ``ollama``, ``lmstudio`` ...
        name: For people.
        folders: Where it keeps models.
        shown: Whether they are listed; ``None`` = nobody was asked yet.
        models: How many; 0 while they are not shown: nothing is looked at before a yes.
        used_bytes: What they take.
    """

    app: App
    name: str
    folders: tuple[Path, ...]
    shown: bool | None
    models: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All places; ``used_bytes`` counts what is on this computer and ours to remove."""

    folders: tuple[FolderView, ...]
    apps: tuple[AppView, ...]
    used_bytes: int
    linked: int
    """Models that lie elsewhere and are only linked."""


def look_over(folders: ModelFolders, models: Sequence[ModelInfo]) -> Overview:
    """Look at every place; slow disks make it slow, so not in the thread of a window.

    Args:
        folders: The lists.
        models: What ``Library.list`` gave.
    """
    chosen, default = folders.choices(), folders.default()
    views = tuple(_folder(path, folders, models, default) for path in folders.all())
    present = [view for view in views if view.state != "absent"]
    return Overview(
        views,
        _apps(chosen, models),
        sum(view.used_bytes + view.trash_bytes for view in present),
        sum(info.origin == "added" for info in models),
    )


def app_places() -> Mapping[App, tuple[Path, ...]]:
    """Return the other apps whose folders are on this computer; looks at nothing inside them."""
    found: dict[App, tuple[Path, ...]] = {}
    for place in find_places():
        found[place.app] = (*found.get(place.app, ()), place.folder)
    return found


def _folder(
    path: Path, folders: ModelFolders, models: Iterable[ModelInfo], default: Path
) -> FolderView:
    inside = [
        info
        for info in models
        if info.origin == "models folder" and path in Path(info.path).parents
    ]
    state = _state(path, inside, is_own=path == folders.own)
    if state == "absent":
        used = sum(info.size_bytes for info in inside)
    else:
        used = used_bytes(_files(inside))
    free = total = trash = 0
    if state not in {"absent", "unreadable"}:
        free, total = _disk(path)
        trash = Trash(path).bytes_held()
    return FolderView(
        path, state, path == default, path == folders.own, len(inside), used, trash, free, total
    )


def _state(path: Path, inside: Sequence[ModelInfo], *, is_own: bool) -> FolderState:
    if any(info.absent for info in inside):
        return "absent"
    try:
        if not path.is_dir():
            return "not made yet" if is_own else "absent"
        with os.scandir(path):
            pass
    except OSError:
        return "unreadable"
    return "ready" if os.access(path, os.W_OK) else "read only"


def _apps(chosen: FolderChoices, models: Sequence[ModelInfo]) -> tuple[AppView, ...]:
    views: list[AppView] = []
    places = app_places()
    for app, name in NAMES.items():
        shown = chosen.apps.get(app)
        theirs = [info for info in models if info.origin == name]
        if app in places or shown:
            used = used_bytes(file.resolve() for file in _files(theirs))
            views.append(AppView(app, name, places.get(app, ()), shown, len(theirs), used))
    return tuple(views)


def _files(models: Iterable[ModelInfo]) -> Iterable[Path]:
    for info in models:
        path = Path(info.path)
        if is_gguf(path):
            yield from split_files.parts(path)
        elif info.origin == "models folder":
            yield path
        else:  # a snapshot's files are links
            yield from (file for file in path.rglob("*") if file.is_file())


def _disk(path: Path) -> tuple[int, int]:
    for place in (path, *path.parents):
        try:
            usage = shutil.disk_usage(place)
        except OSError:
            continue
        return usage.free, usage.total
    return 0, 0
