from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from inference.errors import (
    CorruptCheckpointError,
    InferenceError,
    ModelNotFoundError,
    ReadOnlyFolderError,
    UnsupportedRequestError,
)
from inference.library import known
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from inference.library.lookup import EngineChoice

_STARTERS = [
    "starter-instruct",
    "starter-instruct-f16",
    "starter-instruct-native",
    "starter-base",
    "starter-base-f16",
    "starter-base-native",
]


@pytest.fixture(scope="module")
def starters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped models' layout with tiny random weights: quick, and whatever they are called."""
    folder = tmp_path_factory.mktemp("starter")
    for name in ("starter-instruct", "starter-base"):
        tiny_llama(folder / name)
        for form in ("Q8_0", "F16"):
            tiny_gguf(folder / f"{name}-{form}.gguf")
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))


@pytest.fixture
def library(paths: AppPaths, starters: Path) -> Library:
    return Library(paths, starters)


def _put(folder: Path, relative: str) -> Path:
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    return tiny_gguf(path)


def _ids(library: Library) -> list[str]:
    return [info.id for info in library.list()]


def test_shipped_models_come_first_in_all_their_forms(library: Library) -> None:
    assert _ids(library) == _STARTERS
    for info in library.list():
        assert info.bundled
        assert info.origin == "starter"
        assert info.kind == ("instruct" if "instruct" in info.id else "base")
        assert info.problem == ""


def test_every_form_of_a_shipped_model_has_the_same_name(library: Library) -> None:
    for starter in ("starter-instruct", "starter-base"):
        forms = [info for info in library.list() if info.id.startswith(starter)]
        assert len(forms) == 3
        assert len({info.name for info in forms}) == 1


def test_the_app_finds_its_own_starter_folder(paths: AppPaths) -> None:
    for info in Library(paths).list():
        assert info.bundled
        assert info.problem == ""


@pytest.mark.parametrize(
    ("name", "engine", "expected"),
    [
        ("starter-instruct", "auto", "starter-instruct"),
        ("starter-instruct", "gguf", "starter-instruct"),
        ("starter-instruct", "native", "starter-instruct-native"),
        ("starter-instruct-f16", "auto", "starter-instruct-f16"),
        ("starter-instruct-f16", "native", "starter-instruct-native"),
        ("starter-instruct-native", "gguf", "starter-instruct"),
        ("STARTER-BASE", "auto", "starter-base"),
        ("instruct", "auto", "starter-instruct"),
        ("base", "native", "starter-base-native"),
        ("base-f", "auto", "starter-base-f16"),
    ],
)
def test_a_name_and_an_engine_choose_the_form(
    name: str, engine: EngineChoice, expected: str, library: Library
) -> None:
    assert library.find(name, engine).id == expected


def test_the_models_folder_is_searched_in_depth(library: Library, paths: AppPaths) -> None:
    _put(paths.models, "org/name/name-Q4_K_M.gguf")
    _put(paths.models, "loose.gguf")
    _put(paths.models, ".trash/x/hidden.gguf")
    _put(paths.models, "org/name/mmproj-eyes.gguf")
    (paths.models / "org/name/config.json").write_text("{}")  # comes with many GGUF downloads
    tiny_llama(paths.models / "org/folder")
    assert _ids(library)[6:] == ["loose", "org/folder", "org/name/name-Q4_K_M"]
    assert {info.origin for info in library.list()[6:]} == {"models folder"}
    assert library.find("q4_k_m").id == "org/name/name-Q4_K_M"


def test_a_folder_and_a_file_of_one_name_get_ids_of_their_own(
    library: Library, paths: AppPaths
) -> None:
    _put(paths.models, "twin.gguf")
    tiny_llama(paths.models / "twin")
    found = {info.id: info.engine for info in library.list()[6:]}
    assert set(found.values()) == {"gguf", "native"}


def test_an_unclear_name_lists_the_candidates(library: Library) -> None:
    with pytest.raises(ModelNotFoundError, match="Several models match") as caught:
        library.find("starter")
    assert "starter-instruct" in caught.value.hint
    assert "starter-base" in caught.value.hint


def test_an_unknown_name_offers_what_is_close(library: Library) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        library.find("starter-instrukt")
    assert "Did you mean starter-instruct" in caught.value.hint
    with pytest.raises(ModelNotFoundError) as caught:
        library.find("zzzzzz")
    assert "Installed are: starter-instruct" in caught.value.hint
    with pytest.raises(ModelNotFoundError):
        library.find("")


def test_files_and_folders_can_be_named_by_path(library: Library, tmp_path: Path) -> None:
    file, folder = tiny_gguf(tmp_path / "mine.gguf"), tiny_llama(tmp_path / "mine")
    assert library.find(str(file)).path == str(file)
    assert library.find(str(folder)).engine == "native"
    with pytest.raises(ModelNotFoundError, match="There is no file"):
        library.find(str(tmp_path / "none.gguf"))
    with pytest.raises(ModelNotFoundError, match=r"no config\.json"):
        library.find(str(tmp_path))


def test_a_damaged_file_is_found_and_says_its_problem(library: Library, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert "cannot be used" in library.find(str(tmp_path / "bad.gguf")).problem


def test_a_folder_of_this_place_does_not_hide_a_model(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instruct").mkdir()
    assert library.find("instruct").id == "starter-instruct"


def test_a_model_of_the_other_engine_says_so(library: Library, paths: AppPaths) -> None:
    _put(paths.models, "mine.gguf")
    with pytest.raises(UnsupportedRequestError, match="native engine cannot") as caught:
        library.find("mine", "native")
    assert "--engine gguf" in caught.value.hint


def test_an_added_file_is_a_link_and_survives_a_restart(
    library: Library, paths: AppPaths, starters: Path, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "my model.gguf")
    added = library.add(file)
    assert (added.id, added.path, added.origin) == ("my-model", str(file), "added")
    again = Library(paths, starters)
    assert _ids(again)[6:] == ["my-model"]
    assert again.find("my-model") == added
    assert not paths.models.exists()


def test_adding_the_same_file_twice_lists_it_once(library: Library, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    assert library.add(file) == library.add(file)
    other = _put(tmp_path, "other/mine.gguf")
    assert library.add(other).id == "mine-2"
    assert _ids(library)[6:] == ["mine", "mine-2"]


def test_a_damaged_or_missing_file_is_not_added(library: Library, tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(9))
    with pytest.raises(CorruptCheckpointError):
        library.add(tmp_path / "bad.gguf")
    with pytest.raises(ModelNotFoundError):
        library.add(tmp_path / "none.gguf")
    assert _ids(library) == _STARTERS


def test_an_added_file_that_is_gone_stays_listed_with_its_problem(
    library: Library, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    library.add(file)
    file.unlink()
    assert "There is no file" in library.find("mine").problem
    tiny_gguf(file)
    assert library.add(file).problem == ""
    assert _ids(library)[6:] == ["mine"]


def test_a_changed_file_is_read_again(library: Library, paths: AppPaths) -> None:
    path = _put(paths.models, "mine.gguf")
    assert library.find("mine").problem == ""
    path.write_bytes(path.read_bytes()[:-1])
    assert "incomplete" in library.find("mine").problem


def test_removing_an_added_model_leaves_its_file(library: Library, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    library.add(file)
    removal = library.remove("mine")
    assert (removal.info.id, removal.freed_bytes) == ("mine", 0)
    assert file.exists()
    assert _ids(library) == _STARTERS
    assert library.restore("mine").path == str(file)
    assert _ids(library)[6:] == ["mine"]


def test_removing_from_the_models_folder_can_be_undone(library: Library, paths: AppPaths) -> None:
    path = _put(paths.models, "org/name/mine.gguf")
    content = path.read_bytes()
    removal = library.remove("org/name/mine")
    assert removal.freed_bytes == len(content)
    assert not (paths.models / "org").exists()
    assert _ids(library) == _STARTERS
    assert library.restore("org/name/mine").path == str(path)
    assert path.read_bytes() == content


def test_a_removed_folder_comes_back_whole(library: Library, paths: AppPaths) -> None:
    folder = tiny_llama(paths.models / "org/mine")
    files = sorted(file.name for file in folder.iterdir())
    library.remove("org/mine")
    assert not folder.exists()
    library.restore("org/mine")
    assert sorted(file.name for file in folder.iterdir()) == files


def test_the_latest_of_several_removals_comes_back(library: Library, paths: AppPaths) -> None:
    for size in range(12):
        path = _put(paths.models, "mine.gguf")
        path.write_bytes(path.read_bytes() + bytes(size))
        library.remove("mine")
    size_bytes = library.restore("mine").size_bytes
    path.unlink()
    assert size_bytes == _put(paths.models, "mine.gguf").stat().st_size + 11


def test_a_taken_place_is_not_overwritten(library: Library, paths: AppPaths) -> None:
    path = _put(paths.models, "mine.gguf")
    library.remove("mine")
    path.write_bytes(b"something else")
    with pytest.raises(ReadOnlyFolderError, match="another file has taken its place"):
        library.restore("mine")
    assert path.read_bytes() == b"something else"


def test_an_emptied_trash_frees_the_bytes_for_good(library: Library, paths: AppPaths) -> None:
    path = _put(paths.models, "mine.gguf")
    size_bytes = path.stat().st_size
    library.remove("mine")
    assert library.empty_trash() >= size_bytes
    assert library.empty_trash() == 0
    with pytest.raises(ModelNotFoundError, match="no removed model"):
        library.restore("mine")


def test_a_forged_note_in_the_trash_moves_nothing_outside(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    _put(paths.models, "mine.gguf")
    library.remove("mine")
    (note,) = paths.models.glob(".trash/*/removed.json")
    note.write_text('{"id": "mine", "order": 1, "paths": ["../escaped.gguf"]}')
    with pytest.raises(ModelNotFoundError):
        library.restore("mine")
    assert not (tmp_path / "escaped.gguf").exists()


def test_shipped_models_stay(library: Library) -> None:
    with pytest.raises(UnsupportedRequestError, match="part of the app"):
        library.remove("starter-base")
    with pytest.raises(ModelNotFoundError, match="no installed model"):
        library.remove("nothing")


def test_a_damaged_list_is_kept_aside_and_told_once(
    library: Library, paths: AppPaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths.data.mkdir()
    (paths.data / "models.json").write_text("{ damaged")
    with caplog.at_level(logging.WARNING):
        assert _ids(library) == _STARTERS
        library.add(tiny_gguf(tmp_path / "mine.gguf"))
    assert len(caplog.records) == 1
    assert _ids(library)[6:] == ["mine"]
    assert (paths.data / "models.damaged.json").read_text() == "{ damaged"


def test_an_interrupted_save_keeps_the_old_list(
    library: Library, paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(tiny_gguf(tmp_path / "one.gguf"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InferenceError, match="is full") as caught:
        library.add(tiny_gguf(tmp_path / "two.gguf"))
    assert type(caught.value).__name__ == "DiskFullError"
    assert _ids(library)[6:] == ["one"]
    assert {path.name for path in paths.data.iterdir()} == {"models.json", known.FILE}


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this user may write everywhere"
)
def test_read_only_folders_are_sentences(library: Library, paths: AppPaths, tmp_path: Path) -> None:
    _put(paths.models, "locked/mine.gguf")
    paths.data.mkdir()
    paths.data.chmod(0o500)
    (paths.models / "locked").chmod(0o500)
    try:
        with pytest.raises(ReadOnlyFolderError, match="cannot be changed"):
            library.add(tiny_gguf(tmp_path / "two.gguf"))
        with pytest.raises(ReadOnlyFolderError, match="cannot be changed"):
            library.remove("locked/mine")
        (paths.models / "locked").chmod(0o000)
        assert _ids(library) == _STARTERS
        assert "cannot be read" in library.problems[0]
    finally:
        paths.data.chmod(0o700)
        (paths.models / "locked").chmod(0o700)


def test_a_data_folder_that_cannot_be_made_is_a_sentence(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    paths.data.write_text("a file where the folder should be")
    with pytest.raises(ReadOnlyFolderError, match="cannot be changed"):
        library.add(tiny_gguf(tmp_path / "mine.gguf"))


def test_a_models_folder_that_is_a_file_is_a_sentence(library: Library, paths: AppPaths) -> None:
    paths.models.write_text("a file where the folder should be")
    assert _ids(library) == _STARTERS
    assert len(library.problems) == 1
    assert str(paths.models) in library.problems[0]


def test_a_move_that_breaks_off_halfway_moves_everything_back(
    library: Library, paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path as AnyPath

    paths.models.mkdir()
    names = [f"big-{n:05d}-of-00002.gguf" for n in (1, 2)]
    for name in names:
        tiny_gguf(paths.models / name)
    move = AnyPath.replace

    def fails_for_the_second(path: AnyPath, target: AnyPath) -> AnyPath:
        if path.name == names[1]:
            raise PermissionError(13, "in use")
        return move(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(AnyPath, "replace", fails_for_the_second)
        with pytest.raises(ReadOnlyFolderError):
            library.remove("big")
    assert sorted(path.name for path in paths.models.glob("*.gguf")) == names
    assert not list(paths.models.glob(".trash/*"))
    library.remove("big")
    assert not list(paths.models.glob("*.gguf"))
    library.restore("big")
    assert sorted(path.name for path in paths.models.glob("*.gguf")) == names


def test_a_corrected_kind_is_the_model_s_kind(
    library: Library, paths: AppPaths, starters: Path
) -> None:
    _put(paths.models, "mine.gguf")
    assert library.find("mine").kind == "unknown"
    library.notes.change(library.find("mine"), kind="base")
    assert library.find("mine").kind == "base"
    assert Library(paths, starters).find("mine").kind == "base"
    library.notes.change(library.find("mine"), kind=None)
    assert library.find("mine").kind == "unknown"


def test_several_threads_may_add_at_once(library: Library, tmp_path: Path) -> None:
    files = [tiny_gguf(tmp_path / f"model{n}.gguf") for n in range(4)]
    threads = [threading.Thread(target=library.add, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(_ids(library)[6:]) == ["model0", "model1", "model2", "model3"]
