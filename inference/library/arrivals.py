"""Bring a model from elsewhere into a models folder: copied or moved, whole or not at all.

All parts of a GGUF model and all files of a checkpoint folder come together. Copies are made under
a hidden name on the target's disk and get their own names when everything is there. Files of other
apps are never moved.
"""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from inference.errors import (
    DiskFullError,
    ModelNotFoundError,
    StoreError,
    UnsupportedRequestError,
)
from inference.library import split_files
from inference.library.describe import is_gguf
from inference.library.download import receipts
from inference.library.download.patience import StoppedError
from inference.library.download.plan import RESERVE_BYTES, free_bytes
from inference.library.download.receipts import find_receipt
from inference.library.moving import (
    copy_all,
    drop_empty_parents,
    files_below,
    rename_all,
    same_content,
)
from inference.library.other_apps import find_places
from inference.library.registry import Moved, store_error
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inference.cancel import CancelToken
    from inference.library.folders import ModelFolders

_log = logging.getLogger(__name__)

Way: TypeAlias = Literal["copy", "move"]
Progress: TypeAlias = "Callable[[int, int], None]"
"""Told the bytes that have arrived, and of how many."""

HIDDEN = ".arriving"
_ORG = "added"
_STALE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """What will be brought, and where to.

    Attributes:
        source: The file, the first of several parts, or the folder.
        target: The same in the models folder.
        files: Every file and its new place.
        total_bytes: What they hold.
        models: The models folder.
        way: Copied or moved.
        same_disk: Whether a move only renames.
    """

    source: Path
    target: Path
    files: tuple[tuple[Path, Path], ...]
    total_bytes: int
    models: Path
    way: Way
    same_disk: bool


def plan_arrival(path: Path, models: Path, way: Way, cancel: CancelToken) -> Arrival:
    """Choose the place of a model, and check that it can come.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        models: The models folder that receives it.
        way: Copied or moved.
        cancel: Ends the comparison with a file of the same name.

    Raises:
        ModelNotFoundError: The files cannot be read.
        UnsupportedRequestError: It is there already, or belongs to another app and would be moved.
        DiskFullError: It does not fit.
        StoppedError: Cancelled.
    """
    path = Path(path).expanduser().absolute()
    if is_gguf(path):
        path = split_files.first_part(path)
    if way == "move":
        _check_movable(path)
    try:
        sources = _sources(path)
        total = sum(file.stat().st_size for file in sources)
        place = _free_place(path, sources, models, cancel)
    except OSError as exc:
        raise ModelNotFoundError(
            f"{path} cannot be read.", "Check that its drive is connected.", str(exc)
        ) from exc
    base = path if path.is_dir() else path.parent
    files = tuple((file, place / file.relative_to(base)) for file in sources)
    target = place if path.is_dir() else place / path.name
    same_disk = way == "move" and _same_disk(path, models)
    if not same_disk:
        _check_space(path, models, total)
    return Arrival(path, target, files, total, models, way, same_disk)


def carry_out(arrival: Arrival, cancel: CancelToken, on_progress: Progress) -> Moved | None:
    """Bring the files; return the way back of a move, ``None`` for a copy.

    Where the originals of a move cannot be removed, it is a copy too.

    Raises:
        StoppedError: Cancelled; nothing has changed.
        StoreError: The models folder cannot be written, or is full; nothing has changed.
    """
    try:
        if arrival.same_disk:
            rename_all(arrival.files)
        else:
            _copy(arrival, cancel, on_progress)
    except OSError as exc:
        raise store_error(exc, arrival.models) from exc
    if not arrival.source.is_dir() and not arrival.target.is_dir():
        with _files_are_there():
            receipts.follow(arrival.files, arrival.target.parent)
    on_progress(arrival.total_bytes, arrival.total_bytes)
    if arrival.way == "copy" or not (arrival.same_disk or _drop_originals(arrival)):
        return None
    _drop_empty_folders(arrival.source)
    files = tuple((str(target), str(source)) for source, target in arrival.files)
    return Moved(str(arrival.target), str(arrival.source), files, time.time())


def take_back(moved: Moved, models: Path, cancel: CancelToken) -> None:
    """Put moved files back to where they were.

    Raises:
        UnsupportedRequestError: Their old place is taken.
        StoppedError: Cancelled; they stay.
        StoreError: The files cannot be moved.
    """
    pairs = tuple((Path(now), Path(before)) for now, before in moved.files)
    taken = [before for _, before in pairs if before.exists()]
    if taken:
        raise UnsupportedRequestError(
            f"{taken[0].name} cannot go back: another file has taken its place.",
            f"Move {taken[0]} away first.",
        )
    home = Path(moved.before).parent
    try:
        home.mkdir(parents=True, exist_ok=True)
        if pairs[0][0].stat().st_dev == home.stat().st_dev:
            rename_all(pairs)
        else:
            _copy_back(pairs, cancel)
    except OSError as exc:
        raise store_error(exc, home) from exc
    if not Path(moved.before).is_dir():
        with _files_are_there():
            receipts.forget(Path(moved.now).parent, [now.name for now, _ in pairs])
    _drop_empty_folders(Path(moved.now))
    drop_empty_parents(pairs[0][0], models)


@contextmanager
def _files_are_there() -> Iterator[None]:
    """Let a note about files that have arrived fail: without it their check says less."""
    try:
        yield
    except OSError as exc:
        _log.info("what is known of the moved files was not written down: %s", exc)


def _copy_back(pairs: tuple[tuple[Path, Path], ...], cancel: CancelToken) -> None:
    """Copy to places that are free, then remove the originals; raises OSError, StoppedError."""
    try:
        copy_all(pairs, cancel, lambda _bytes: None)
    except (OSError, StoppedError):
        for _, before in pairs:
            before.unlink(missing_ok=True)
        raise
    for now, _ in pairs:
        now.unlink()


def owner_of(path: Path) -> str:
    """Return the other app that a file or folder belongs to, or nothing."""
    try:
        places = {place.folder.resolve(): place.name for place in find_places()}
        return next((places[one] for one in path.resolve().parents if one in places), "")
    except OSError:
        return ""


def _check_movable(path: Path) -> None:
    app = owner_of(path)
    if app:
        raise UnsupportedRequestError(
            f"{path.name} belongs to {app}, which would miss it.",
            "Link it (nothing is copied), or make a copy.",
        )
    if path.is_symlink():
        raise UnsupportedRequestError(
            f"{path.name} is a link to a file elsewhere, so moving it would move only the link.",
            "Link it, make a copy, or move the file it leads to.",
        )


def _sources(path: Path) -> tuple[Path, ...]:
    return files_below(path) if path.is_dir() else split_files.parts(path)


def _free_place(path: Path, sources: tuple[Path, ...], models: Path, cancel: CancelToken) -> Path:
    """Return the folder for the files: ``org/name``, with a number where that is taken."""
    if models in path.parents:
        raise UnsupportedRequestError(
            f"{path.name} is in the models folder {models} already.", "It is on the list."
        )
    found = find_receipt(path)
    name = path.name if path.is_dir() else split_files.stem(path)
    first = models / found[1].repo if found and _is_plain(found[1].repo) else models / _ORG / name
    place, number = first, 2
    while _is_taken(place, path, sources):
        twin = place / path.name
        if not path.is_dir() and twin.is_file() and same_content(path, twin, cancel):
            raise UnsupportedRequestError(
                f"The same file is in the models folder already: {twin}.", "It is on the list."
            )
        place, number = first.with_name(f"{first.name}-{number}"), number + 1
    return place


def _is_taken(place: Path, path: Path, sources: tuple[Path, ...]) -> bool:
    if path.is_dir():
        return place.exists()
    return any((place / source.name).exists() for source in sources) or place.is_file()


def _is_plain(repo: str) -> bool:
    parts = repo.split("/")
    return len(parts) == 2 and all(part.strip(". ") and "\\" not in part for part in parts)


def _same_disk(path: Path, models: Path) -> bool:
    there = next((one for one in (models, *models.parents) if one.exists()), None)
    return there is not None and there.stat().st_dev == path.stat().st_dev


def _check_space(path: Path, models: Path, total: int) -> None:
    free = free_bytes(models)
    if total + RESERVE_BYTES > free:
        raise DiskFullError(
            f"{path.name} needs {format_bytes(total)} on the disk of {models}, and "
            f"{format_bytes(free)} are free.",
            f"Free {format_bytes(total + RESERVE_BYTES - free)}, or link it where it lies: that "
            "needs no space.",
        )


def _copy(arrival: Arrival, cancel: CancelToken, on_progress: Progress) -> None:
    """Copy under a hidden name, then rename; raises OSError and StoppedError."""
    _drop_stale(arrival.models)
    hidden = arrival.models / HIDDEN / uuid.uuid4().hex
    arrived = 0

    def count(copied: int) -> None:
        nonlocal arrived
        arrived += copied
        on_progress(arrived, arrival.total_bytes)

    parts = [(source, hidden / str(n)) for n, (source, _) in enumerate(arrival.files)]
    try:
        copy_all(parts, cancel, count)
        rename_all([(hidden / str(n), target) for n, (_, target) in enumerate(arrival.files)])
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        drop_empty_parents(hidden, arrival.models)


def _drop_originals(arrival: Arrival) -> bool:
    """Remove what was copied; ``False`` where nothing could be removed."""
    for number, (source, _) in enumerate(arrival.files):
        try:
            source.unlink()
        except OSError:
            return number > 0
    return True


def _drop_empty_folders(folder: Path) -> None:
    """Remove a folder that holds only empty folders, if it is one."""
    if not folder.is_dir():
        return
    for inner in sorted(folder.rglob("*"), reverse=True):
        if inner.is_dir():
            drop_empty_parents(inner / "x", inner.parent)
    drop_empty_parents(folder / "x", folder.parent)


def _drop_stale(models: Path) -> None:
    """Remove what a copy left that was killed long ago."""
    for left in (models / HIDDEN).glob("*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def hindrances(path: Path, folders: ModelFolders) -> tuple[str, str]:
    """Return why a model can be neither copied nor moved here, one sentence each; empty = it can.

    Nothing is compared and nothing is changed; ``plan_arrival`` says the rest.
    """
    try:
        models = folders.target()
    except StoreError as error:
        return error.message, error.message
    no_copy = no_move = ""
    try:
        _check_movable(path)
    except UnsupportedRequestError as error:
        no_move = error.message
    try:
        total = sum(file.stat().st_size for file in _sources(path))
        _check_space(path, models, total)
    except DiskFullError as error:
        no_copy = error.message
        if not _same_disk(path, models):
            no_move = no_move or error.message
    except OSError as exc:
        no_copy = f"{path.name} cannot be read ({exc.strerror or exc})."
        no_move = no_copy
    return no_copy, no_move
