from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from inference.errors import (
    ModelNotFoundError,
    ReadOnlyFolderError,
    StoreError,
    UnsupportedRequestError,
)
from inference.library.folders import FILE, ModelFolders
from inference.paths import AppPaths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))


@pytest.fixture
def folders(paths: AppPaths) -> ModelFolders:
    return ModelFolders(paths)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_the_app_s_own_folder_is_always_there_and_the_default(
    folders: ModelFolders, paths: AppPaths
) -> None:
    assert folders.all() == (paths.models,)
    assert folders.default() == paths.models
    assert folders.target() == paths.models  # made by whoever puts something into it
    with pytest.raises(UnsupportedRequestError, match="stays on the list"):
        folders.drop(paths.models)


def test_another_folder_can_be_added_made_the_default_and_dropped(
    folders: ModelFolders, paths: AppPaths, tmp_path: Path
) -> None:
    more = made(tmp_path / "more")
    assert folders.add(more) == more
    assert folders.default() == paths.models
    folders.make_default(more)
    again = ModelFolders(paths)
    assert again.all() == (paths.models, more)
    assert again.default() == more
    again.drop(more)
    assert folders.all() == (paths.models,)
    assert folders.default() == paths.models
    assert more.is_dir()


def test_adding_twice_lists_once_by_any_spelling(folders: ModelFolders, tmp_path: Path) -> None:
    more = made(tmp_path / "more")
    (tmp_path / "link").symlink_to(more)
    folders.add(more)
    assert folders.add(tmp_path / "link", make_default=True) == more
    assert len(folders.all()) == 2
    assert folders.default() == more


def test_folders_inside_each_other_are_refused(
    folders: ModelFolders, paths: AppPaths, tmp_path: Path
) -> None:
    inner = made(paths.models / "org")
    with pytest.raises(UnsupportedRequestError, match="lies in the models folder"):
        folders.add(inner)
    with pytest.raises(UnsupportedRequestError, match="listed twice"):
        folders.add(tmp_path)
    with pytest.raises(ModelNotFoundError, match="There is no folder"):
        folders.add(tmp_path / "nowhere")
    with pytest.raises(ModelNotFoundError, match="not one of the models folders"):
        folders.drop(tmp_path / "nowhere")
    assert folders.all() == (paths.models,)


def test_nothing_is_put_into_a_default_folder_that_is_away(
    folders: ModelFolders, tmp_path: Path
) -> None:
    more = made(tmp_path / "more")
    folders.add(more, make_default=True)
    more.rmdir()
    assert folders.default() == more
    with pytest.raises(ReadOnlyFolderError, match="is not there") as caught:
        folders.target()
    assert "Connect its drive" in caught.value.hint


def test_answers_about_apps_and_dropped_files_are_kept(
    folders: ModelFolders, paths: AppPaths
) -> None:
    assert folders.choices().apps == {}
    folders.answer_apps({"ollama": True, "jan": False})
    folders.answer_apps({"jan": True})
    folders.set_bringing("copy")
    kept = ModelFolders(paths).choices()
    assert kept.apps == {"ollama": True, "jan": True}
    assert kept.bringing == "copy"


def test_a_damaged_list_counts_as_none_and_is_kept_aside(
    folders: ModelFolders, paths: AppPaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths.config.mkdir()
    (paths.config / FILE).write_text("{ damaged")
    with caplog.at_level(logging.INFO):
        assert folders.all() == (paths.models,)
    assert "cannot be read" in caplog.text
    folders.add(made(tmp_path / "more"))
    assert len(folders.all()) == 2
    assert (paths.config / "models-folders.damaged.json").read_text() == "{ damaged"


def test_a_list_that_cannot_be_saved_is_a_sentence(
    folders: ModelFolders, paths: AppPaths, tmp_path: Path
) -> None:
    paths.config.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be changed"):
        folders.add(made(tmp_path / "more"))
