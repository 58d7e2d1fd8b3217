"""What is removed can come back until the trash is emptied, and nothing else goes with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from inference.errors import ModelNotFoundError, ReadOnlyFolderError
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    paths = AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))
    paths.models.mkdir()
    return paths


@pytest.fixture
def library(paths: AppPaths, tmp_path: Path) -> Library:
    return Library(paths, tmp_path / "no starters")


def _ids(library: Library) -> list[str]:
    return [info.id for info in library.list()]


def test_a_gguf_file_in_a_checkpoint_folder_stays_when_the_folder_goes(
    library: Library, paths: AppPaths
) -> None:
    folder = tiny_llama(paths.models / "org/both")
    file = tiny_gguf(folder / "other.gguf")
    names = sorted(path.name for path in folder.iterdir())
    assert _ids(library) == ["org/both", "org/both/other"]
    removal = library.remove("org/both")
    assert _ids(library) == ["org/both/other"]
    assert [path.name for path in folder.iterdir()] == ["other.gguf"]
    moved = [path for path in paths.models.glob(".trash/*/*") if path.name != "removed.json"]
    assert removal.freed_bytes == sum(path.stat().st_size for path in moved)
    library.restore("org/both")
    assert sorted(path.name for path in folder.iterdir()) == names
    assert file.exists()


def test_a_restore_that_was_cut_off_goes_on(library: Library, paths: AppPaths) -> None:
    parts = [paths.models / f"big-0000{n}-of-00002.gguf" for n in (1, 2)]
    for part in parts:
        tiny_gguf(part)
    library.remove("big")
    first = next(paths.models.glob(".trash/*/0"))
    first.rename(parts[0])  # and then the power went
    library.restore("big")
    assert all(part.exists() for part in parts)
    assert not list(paths.models.glob(".trash/*"))


def test_an_emptying_that_was_cut_off_brings_no_half_model_back(
    library: Library, paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_gguf(paths.models / "mine.gguf")
    library.remove("mine")

    def cut_off(_path: Path) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", cut_off)
        with pytest.raises(ReadOnlyFolderError):
            library.empty_trash()
    with pytest.raises(ModelNotFoundError):
        library.restore("mine")
    assert library.empty_trash() > 0
    assert not (paths.models / ".trash").exists()


def test_emptying_gives_up_forgotten_links_and_keeps_their_files(
    library: Library, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    library.add(file)
    library.remove("mine")
    assert library.empty_trash() == 0
    assert file.exists()
    with pytest.raises(ModelNotFoundError):
        library.restore("mine")


def test_a_forgotten_file_that_is_added_again_has_its_old_name(
    library: Library, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    library.add(file)
    library.remove("mine")
    assert library.add(file).id == "mine"
    assert _ids(library) == ["mine"]
    with pytest.raises(ModelNotFoundError):
        library.restore("mine")
