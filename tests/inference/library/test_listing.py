from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from inference.errors import ModelNotFoundError, ReadOnlyFolderError, UnsupportedRequestError
from inference.library import listing
from inference.library.installed import Library
from inference.library.known import FILE, Facts
from inference.paths import AppPaths
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from inference.library.scan import Stamp
    from inference.types import ModelInfo


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder without other apps."""
    home = tmp_path / "person"
    home.mkdir()
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    return home


@pytest.fixture
def library(paths: AppPaths, tmp_path: Path, nobody: Path) -> Library:
    return Library(paths, tmp_path / "no starters")


def put(folder: Path, relative: str, **shape: object) -> Path:
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    return tiny_gguf(path, **shape)


def by_id(library: Library) -> dict[str, ModelInfo]:
    return {info.id: info for info in library.list()}


def again(paths: AppPaths, tmp_path: Path) -> Library:
    """The same after a restart."""
    return Library(paths, tmp_path / "no starters")


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that names every model whose files are opened from now on."""
    names: list[str] = []
    real = listing.read_facts

    def read(path: str, stamp: Stamp, called: str = "") -> Facts:
        names.append(path)
        return real(path, stamp, called)

    monkeypatch.setattr(listing, "read_facts", read)
    return names


def test_models_of_several_folders_are_listed_with_ids_of_their_own(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    put(paths.models, "org/name/a.gguf")
    put(tmp_path / "more", "org/name/a.gguf")
    put(tmp_path / "more", "org/name/b.gguf")
    library.folders.add(tmp_path / "more", make_default=True)
    found = by_id(library)
    assert list(found) == ["org/name/a", "org/name/a-2", "org/name/b"]
    assert found["org/name/a"].path.startswith(str(paths.models))
    assert found["org/name/a-2"].path.startswith(str(tmp_path / "more"))


def test_a_folder_that_is_away_keeps_its_models_with_their_facts_and_comes_back(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    path = put(drive, "org/name/mine.gguf", chat_template=None)
    library.folders.add(drive)
    before = library.find("org/name/mine")
    drive.rename(tmp_path / "unplugged")
    for shelf in (library, again(paths, tmp_path)):
        info = shelf.find("org/name/mine")
        assert info.absent
        assert "Connect its drive" in info.problem
        assert (info.kind, info.architecture, info.parameters, info.size_bytes, info.path) == (
            ("base", "llama", before.parameters, before.size_bytes, str(path))
        )
        with pytest.raises(ModelNotFoundError, match="Connect its drive"):
            shelf.remove(info.id)
    (tmp_path / "unplugged").rename(drive)
    assert again(paths, tmp_path).find("org/name/mine") == before


def test_the_empty_mount_point_of_a_drive_is_not_a_folder_without_models(
    library: Library, paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = tmp_path / "drive"
    path = put(drive, "mine.gguf")
    library.folders.add(drive)
    mounted = {str(drive)}
    monkeypatch.setattr(os.path, "ismount", lambda folder: str(folder) in mounted)
    assert not by_id(library)["mine"].absent
    mounted.clear()
    path.unlink()
    assert by_id(again(paths, tmp_path))["mine"].absent
    mounted.add(str(drive))  # plugged in again, and emptied elsewhere meanwhile
    assert by_id(again(paths, tmp_path)) == {}


def test_a_model_deleted_from_a_folder_that_is_there_is_gone(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    path = put(paths.models, "mine.gguf")
    assert list(by_id(library)) == ["mine"]
    path.unlink()
    assert by_id(again(paths, tmp_path)) == {}
    put(paths.models, "mine.gguf")
    assert list(by_id(library)) == ["mine"]
    shutil.rmtree(paths.models)  # the app's own folder is made anew, it is on no other drive
    assert by_id(library) == {}


def test_the_app_s_own_folder_may_be_a_link_to_a_drive_that_is_away(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    put(tmp_path / "drive", "mine.gguf")
    paths.models.symlink_to(tmp_path / "drive")
    assert not by_id(library)["mine"].absent
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    assert by_id(again(paths, tmp_path))["mine"].absent
    with pytest.raises(ReadOnlyFolderError, match="is not there"):
        library.folders.target()


def test_a_folder_taken_off_the_list_takes_its_models_with_it(
    library: Library, tmp_path: Path
) -> None:
    put(tmp_path / "more", "mine.gguf")
    library.folders.add(tmp_path / "more")
    assert list(by_id(library)) == ["mine"]
    library.folders.drop(tmp_path / "more")
    assert by_id(library) == {}
    assert (tmp_path / "more" / "mine.gguf").exists()


def test_a_folder_that_is_away_can_be_put_back_on_the_list_until_the_app_closes(
    library: Library, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    put(drive, "mine.gguf")
    library.folders.add(drive)
    library.list()
    drive.rename(tmp_path / "unplugged")
    library.folders.drop(drive)
    assert by_id(library) == {}
    library.folders.put_back(drive, make_default=True)
    assert by_id(library)["mine"].architecture == "llama"
    assert library.folders.default() == drive
    library.folders.drop(drive)
    library.list()
    library.empty_trash()
    library.folders.put_back(drive)
    assert by_id(library) == {}


def test_an_added_file_on_a_drive_that_is_away_is_remembered(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    path = put(tmp_path / "drive", "mine.gguf")
    before = library.add(path)
    library.list()
    path.parent.rename(tmp_path / "unplugged")
    info = again(paths, tmp_path).find("mine")
    assert info.absent
    assert info.parameters == before.parameters
    (tmp_path / "unplugged").rename(path.parent)
    assert again(paths, tmp_path).find("mine") == before


def test_files_are_opened_once_and_again_when_they_change(
    library: Library, paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths_of = [str(put(paths.models, f"m{n}.gguf")) for n in range(8)]
    names = opened(monkeypatch)
    first = library.list()
    assert sorted(names) == paths_of
    assert again(paths, tmp_path).list() == first
    assert len(names) == 8
    with open(paths_of[3], "ab") as file:  # noqa: PTH123  a plain string here
        file.write(b"more")
    again(paths, tmp_path).list()
    assert names[8:] == [paths_of[3]]


def test_only_the_model_that_is_meant_is_opened(
    library: Library, paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        put(paths.models, f"m{number}.gguf")
    names = opened(monkeypatch)
    assert library.find("m3").architecture == "llama"
    assert names == [str(paths.models / "m3.gguf")]


def test_a_list_within_no_time_names_everything_and_goes_on(
    library: Library, paths: AppPaths
) -> None:
    for number in range(8):
        put(paths.models, f"m{number}.gguf")
    tiny_llama(paths.models / "folder")
    first = library.list(within_s=0.0)
    assert library.unread == 9
    assert len(first) == 9
    assert {info.engine for info in first if info.id == "folder"} == {"native"}
    assert {info.architecture for info in first} == {""}
    assert {info.architecture for info in library.list()} == {"llama"}
    assert library.unread == 0
    assert all(library.estimate(info) > 0 for info in library.list())


def test_trouble_is_looked_at_again_after_a_restart(
    library: Library, paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.models.mkdir()
    (paths.models / "bad.gguf").write_bytes(b"GGUF nonsense")
    names = opened(monkeypatch)
    for _ in range(3):
        assert library.find("bad").problem
    assert len(names) == 1
    again(paths, tmp_path).list()
    assert len(names) == 2


def test_facts_that_cannot_be_kept_or_read_cost_time_only(
    library: Library, paths: AppPaths, tmp_path: Path
) -> None:
    put(paths.models, "mine.gguf")
    paths.data.write_text("a file where the folder should be")
    assert list(by_id(library)) == ["mine"]
    paths.data.unlink()
    paths.data.mkdir()
    (paths.data / FILE).write_bytes(b"\xc1 damaged")
    assert list(by_id(again(paths, tmp_path))) == ["mine"]


def ollama(home: Path) -> Path:
    blobs = home / ".ollama" / "models" / "blobs"
    blobs.mkdir(parents=True)
    content = tiny_gguf(home / "made.gguf").read_bytes()
    (home / "made.gguf").unlink()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / f"sha256-{digest}").write_bytes(content)
    manifest = blobs.parent / "manifests" / "registry.ollama.ai" / "library" / "tiny-chat" / "1b"
    manifest.parent.mkdir(parents=True)
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "size": len(content),
        "digest": f"sha256:{digest}",
    }
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))
    return blobs / f"sha256-{digest}"


def test_other_apps_models_are_listed_after_a_yes_only_and_stay(
    library: Library, nobody: Path
) -> None:
    blob = ollama(nobody)
    commit = "b" * 40
    snapshot = nobody / ".cache/huggingface/hub/models--org--tiny-instruct/snapshots" / commit
    tiny_llama(snapshot)
    put(nobody, ".lmstudio/models/org/name/model.gguf")
    assert by_id(library) == {}
    library.folders.answer_apps({"ollama": True, "huggingface": True, "lmstudio": False})
    found = by_id(library)
    assert set(found) == {"ollama/tiny-chat:1b", "huggingface/org/tiny-instruct"}
    chat = found["ollama/tiny-chat:1b"]
    assert (chat.origin, chat.engine, chat.path, chat.problem) == (
        ("Ollama", "gguf", str(blob), "")
    )
    cached = found["huggingface/org/tiny-instruct"]
    assert (cached.name, cached.engine, cached.problem) == ("org/tiny-instruct", "native", "")
    with pytest.raises(UnsupportedRequestError, match="belongs to Ollama") as caught:
        library.remove("ollama/tiny-chat:1b")
    assert "Remove it in Ollama" in caught.value.hint
    assert blob.exists()
    library.folders.answer_apps({"ollama": False, "lmstudio": True})
    assert set(by_id(library)) == {"huggingface/org/tiny-instruct", "lmstudio/org/name/model"}


def test_another_app_s_folder_that_is_away_keeps_its_models(
    library: Library, paths: AppPaths, tmp_path: Path, nobody: Path
) -> None:
    ollama(nobody)
    library.folders.answer_apps({"ollama": True})
    before = library.find("ollama/tiny-chat:1b")
    (nobody / ".ollama").rename(nobody / "unplugged")
    away = again(paths, tmp_path).find("ollama/tiny-chat:1b")
    assert away.absent
    assert "of Ollama is not there" in away.problem
    assert (away.parameters, away.origin) == (before.parameters, "Ollama")
    library.folders.answer_apps({"ollama": False})
    assert by_id(again(paths, tmp_path)) == {}
    library.folders.answer_apps({"ollama": True})
    (nobody / "unplugged").rename(nobody / ".ollama")
    assert again(paths, tmp_path).find("ollama/tiny-chat:1b") == before


def test_what_is_listed_twice_is_shown_once(library: Library, nobody: Path) -> None:
    path = put(nobody, ".lmstudio/models/org/name/model.gguf")
    library.add(path)
    library.folders.answer_apps({"lmstudio": True})
    assert [info.origin for info in library.list()] == ["added"]


def test_two_tags_of_one_file_are_listed_once_and_found_by_either(
    library: Library, nobody: Path
) -> None:
    blob = ollama(nobody)
    tags = nobody / ".ollama" / "models" / "manifests" / "registry.ollama.ai" / "library"
    first = tags / "tiny-chat" / "1b"
    first.with_name("latest").write_bytes(first.read_bytes())
    library.folders.answer_apps({"ollama": True})
    listed = [info.id for info in library.list() if info.path == str(blob)]
    assert listed == ["ollama/tiny-chat:1b"]
    assert library.find("ollama/tiny-chat:latest").id == "ollama/tiny-chat:1b"
    first.with_name("latest").unlink()
    with pytest.raises(ModelNotFoundError):
        library.find("ollama/tiny-chat:latest")
