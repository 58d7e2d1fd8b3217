from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import msgspec
import pytest

from inference.cancel import CancelToken
from inference.errors import (
    CorruptCheckpointError,
    DiskFullError,
    ModelNotFoundError,
    ReadOnlyFolderError,
    UnsupportedRequestError,
)
from inference.library import arrivals, moving
from inference.library.download.patience import StoppedError
from inference.library.download.receipts import NAME, Receipt, Stored, read_receipt, unchanged
from inference.library.download.values import RemoteFile
from inference.library.download.verify import MEMORY, verify
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))


@pytest.fixture
def library(paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "person"))
    return Library(paths, tmp_path / "no starters")


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A move cannot rename, as between two disks."""
    monkeypatch.setattr(arrivals, "_same_disk", lambda _path, _models: False)


def split(folder: Path) -> list[Path]:
    """Two files that are named as the parts of one model (each whole by itself)."""
    folder.mkdir(parents=True, exist_ok=True)
    return [tiny_gguf(folder / f"big-{number:05d}-of-00002.gguf") for number in (1, 2)]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_copy_has_its_own_place_and_leaves_the_original(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    told: list[tuple[int, int]] = []
    info = library.bring(source, "copy", on_progress=lambda *done: told.append(done))
    target = paths.models / "added" / "mine" / "mine.gguf"
    assert (info.id, info.path, info.origin) == ("added/mine/mine", str(target), "models folder")
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mtime_ns == source.stat().st_mtime_ns
    size = source.stat().st_size
    assert told[-1] == (size, size)
    assert [path.name for path in paths.models.iterdir()] == ["added"]


@pytest.mark.parametrize("disk", ["same", "other"])
def test_a_move_can_be_undone_and_the_note_goes_along(
    disk: str, library: Library, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if disk == "other":
        request.getfixturevalue("other_disk")
    (tmp_path / "place").mkdir()
    source = tiny_gguf(tmp_path / "place" / "mine.gguf")
    content = source.read_bytes()
    linked = library.add(source)
    library.notes.change(linked, favourite=True)
    info = library.bring(source, "move")
    assert not source.exists()
    assert Path(info.path).read_bytes() == content
    assert [one.id for one in library.list()] == [info.id]
    assert library.notes.of(info).favourite
    back = library.restore(info.id)
    assert back.path == str(source)
    assert source.read_bytes() == content
    assert not Path(info.path).exists()
    assert library.notes.of(back).favourite
    assert [one.path for one in library.list()] == [str(source)]


@pytest.mark.usefixtures("other_disk")
def test_a_move_whose_original_cannot_be_removed_is_a_copy(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == source:
            raise PermissionError(13, "read-only")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    info = library.bring(source, "move")
    assert source.exists()
    assert Path(info.path).exists()
    with pytest.raises(ModelNotFoundError):
        library.restore(info.id)


def test_a_way_back_that_breaks_off_leaves_the_model_where_it_is(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_gguf(tmp_path / "place.gguf")
    info = library.bring(source, "move")

    def full(moves: object, _cancel: object, _on_copied: object) -> None:
        next(iter(target for _, target in moves)).write_bytes(b"half")  # type: ignore[attr-defined]  pairs
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrivals, "copy_all", full)
    moved = library._registry.load().moved[0]
    pairs = tuple((Path(now), Path(before)) for now, before in moved.files)
    with pytest.raises(OSError, match="No space"):
        arrivals._copy_back(pairs, CancelToken())
    assert not source.exists()
    assert Path(info.path).exists()


def test_the_way_back_of_a_move_ends_when_the_app_closes(library: Library, tmp_path: Path) -> None:
    info = library.bring(tiny_gguf(tmp_path / "mine.gguf"), "move")
    library.empty_trash()
    with pytest.raises(ModelNotFoundError):
        library.restore(info.id)
    assert Path(info.path).exists()


def test_all_parts_of_a_model_come_together(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    parts = split(tmp_path / "place")
    arrival = arrivals.plan_arrival(parts[1], paths.models, "move", CancelToken())
    assert [source for source, _ in arrival.files] == parts
    arrivals.carry_out(arrival, CancelToken(), lambda *_: None)
    assert sorted(path.name for path in arrival.target.parent.iterdir()) == [
        part.name for part in parts
    ]
    assert not any(part.exists() for part in parts)
    parts[0].write_bytes(b"only one of two")
    with pytest.raises(ModelNotFoundError, match="cannot be read"):
        arrivals.plan_arrival(parts[0], paths.models, "copy", CancelToken())


def test_a_checkpoint_folder_comes_whole(library: Library, paths: AppPaths, tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "place" / "tiny")
    (folder / "more").mkdir()
    (folder / "more" / "notes.txt").write_text("mine")
    before = tree(folder)
    copied = library.bring(folder, "copy")
    assert copied.engine == "native"
    assert tree(Path(copied.path)) == before
    moved = library.bring(folder, "move")
    assert moved.path == str(paths.models / "added" / "tiny-2")
    assert tree(Path(moved.path)) == before
    assert not folder.exists()
    assert library.restore(moved.id).path == str(folder)
    assert tree(folder) == before


def test_a_downloaded_file_keeps_its_authors_name(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    receipt = Receipt("org/name-GGUF", "https://hub.example")
    (tmp_path / NAME).write_bytes(msgspec.json.encode(receipt))
    assert library.bring(source, "copy").id == "org/name-GGUF/mine"
    (tmp_path / NAME).write_bytes(msgspec.json.encode(Receipt("../../evil", "")))
    assert library.bring(source, "copy").id == "added/mine/mine"
    assert list(paths.models.parent.rglob("evil")) == []


@pytest.mark.parametrize("way", ["copy", "move"])
def test_what_is_known_of_a_downloaded_file_comes_with_it_and_goes_back(
    library: Library, paths: AppPaths, tmp_path: Path, way: arrivals.Way
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    published = RemoteFile("mine.gguf", file.stat().st_size, sha256=sha256)
    stored = Stored(published, sha256, file.stat().st_mtime_ns, "", "a" * 40)
    other = Stored(RemoteFile("other.gguf", 1, sha256=sha256), sha256, 0, "", "a" * 40)
    known = {"mine.gguf": stored, "other.gguf": other}
    receipt = Receipt("org/name-GGUF", "https://hub.example", "mit", known)
    (tmp_path / NAME).write_bytes(msgspec.json.encode(receipt))
    info = library.bring(file, way)
    here = Path(info.path)
    assert read_receipt(here.parent) == msgspec.structs.replace(
        receipt, files={"mine.gguf": stored}
    )
    assert unchanged(here.parent, published) == stored
    checked = verify(here, paths.data / MEMORY, CancelToken(), lambda *_: None)
    assert checked.published
    assert checked.good
    if way == "move":
        library.restore(info.id)
        assert not here.parent.exists()
        assert unchanged(tmp_path, published) == stored


def test_a_move_is_a_move_where_what_is_known_of_the_file_cannot_be_written_down(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    published = RemoteFile("mine.gguf", file.stat().st_size, sha256=sha256)
    stored = Stored(published, sha256, file.stat().st_mtime_ns, "", "a" * 40)
    receipt = Receipt("org/name", "https://hub.example", "", {"mine.gguf": stored})
    (tmp_path / NAME).write_bytes(msgspec.json.encode(receipt))
    (paths.models / "org" / "name" / NAME).mkdir(parents=True)  # where the note would go
    info = library.bring(file, "move")
    assert not file.exists()
    library.restore(info.id)  # the way back is known
    assert file.exists()


def test_a_hash_that_was_remembered_follows_a_moved_file_and_comes_back(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    memory = paths.data / MEMORY

    def verdict(path: Path) -> str:
        return verify(path, memory, CancelToken(), lambda *_: None).files[0].verdict

    assert verdict(file) == "first seen"
    info = library.bring(file, "move")
    assert verdict(Path(info.path)) == "intact"
    library.restore(info.id)
    assert verdict(file) == "intact"
    file.write_bytes(file.read_bytes() + b"x")
    assert verdict(file) == "changed"


def test_another_file_of_the_same_name_gets_a_place_of_its_own_and_the_same_file_none(
    library: Library, tmp_path: Path
) -> None:
    for place, seed in (("one", 1), ("two", 2)):
        (tmp_path / place).mkdir()
        tiny_gguf(tmp_path / place / "mine.gguf", seed=seed)
    first = library.bring(tmp_path / "one" / "mine.gguf", "copy")
    second = library.bring(tmp_path / "two" / "mine.gguf", "copy")
    assert (first.id, second.id) == ("added/mine/mine", "added/mine-2/mine")
    for place in ("one", "two"):
        with pytest.raises(UnsupportedRequestError, match="same file is in the models folder"):
            library.bring(tmp_path / place / "mine.gguf", "move")
    with pytest.raises(UnsupportedRequestError, match="already"):
        library.bring(Path(first.path), "copy")
    assert len(library.list()) == 2


def test_nothing_is_copied_that_does_not_fit(
    library: Library, paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 1_000))
    with pytest.raises(DiskFullError, match="are free") as caught:
        library.bring(source, "copy")
    assert "link it where it lies" in caught.value.hint
    assert not paths.models.exists()
    assert library.bring(source, "move").path  # on the same disk it needs no space


@pytest.mark.usefixtures("other_disk")
@pytest.mark.parametrize("way", ["copy", "move"])
def test_a_cancelled_copy_leaves_nothing_behind(
    way: arrivals.Way, library: Library, paths: AppPaths, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(moving, "BLOCK", 1_000)
    parts = split(tmp_path / "place")
    before = tree(tmp_path / "place")
    cancel = CancelToken()

    def stop(done: int, total: int) -> None:
        if done > total * 0.7:  # in the second file
            cancel.cancel()

    arrival = arrivals.plan_arrival(parts[0], paths.models, way, cancel)
    with pytest.raises(StoppedError):
        arrivals.carry_out(arrival, cancel, stop)
    assert tree(tmp_path / "place") == before
    assert not any(paths.models.rglob("*"))
    assert library.list() == ()


def test_a_damaged_file_is_not_brought(library: Library, paths: AppPaths, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF nonsense")
    with pytest.raises(CorruptCheckpointError):
        library.bring(tmp_path / "bad.gguf", "move")
    with pytest.raises(ModelNotFoundError):
        library.bring(tmp_path / "none.gguf", "copy")
    assert not paths.models.exists()


def test_other_apps_files_and_links_are_copied_but_never_moved(
    library: Library, tmp_path: Path
) -> None:
    place = tmp_path / "person" / ".lmstudio" / "models" / "org" / "name"
    place.mkdir(parents=True)
    theirs = tiny_gguf(place / "theirs.gguf")
    with pytest.raises(UnsupportedRequestError, match="belongs to LM Studio"):
        library.bring(theirs, "move")
    link = tmp_path / "link.gguf"
    link.symlink_to(theirs)
    with pytest.raises(UnsupportedRequestError):
        library.bring(link, "move")
    copied = Path(library.bring(link, "copy").path)
    assert not copied.is_symlink()
    assert copied.read_bytes() == theirs.read_bytes()
    assert link.is_symlink()


def test_a_taken_old_place_is_not_overwritten(library: Library, tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    info = library.bring(source, "move")
    source.write_bytes(b"something else")
    with pytest.raises(UnsupportedRequestError, match="has taken its place"):
        library.restore(info.id)
    assert source.read_bytes() == b"something else"
    assert Path(info.path).exists()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this user may write everywhere"
)
def test_a_models_folder_that_takes_nothing_is_a_sentence(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    source = tiny_gguf(tmp_path / "mine.gguf")
    paths.models.mkdir(mode=0o500)
    try:
        for way in ("copy", "move"):
            with pytest.raises(ReadOnlyFolderError, match="cannot be changed"):
                library.bring(source, way)  # type: ignore[arg-type]  one of the two
        assert source.exists()
    finally:
        paths.models.chmod(0o700)


def test_a_models_folder_that_cannot_be_made_is_a_sentence(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    paths.models.write_text("a file where the folder should be")
    source = tiny_gguf(tmp_path / "mine.gguf")
    with pytest.raises(ReadOnlyFolderError, match="cannot be changed"):
        library.bring(source, "move")
    assert source.exists()


def test_what_a_killed_copy_left_is_removed_by_a_later_one(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    left = paths.models / arrivals.HIDDEN / "old"
    left.mkdir(parents=True)
    (left / "0").write_bytes(bytes(100))
    os.utime(left, (1.0, 1.0))
    library.bring(tiny_gguf(tmp_path / "mine.gguf"), "copy")
    assert not left.exists()
