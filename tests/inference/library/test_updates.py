from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inference.errors import RepositoryNotFoundError, UnsupportedRequestError
from inference.library.details import known_sha256, origin_of, read_details
from inference.library.hub import Hub
from inference.library.updates import check_update
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.fetching import fetch, plan_of
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub
from tests.inference.library.download.conftest import HURRIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        yield hub


def anonymous(endpoint: str) -> Hub:
    return Hub(endpoint, token="")


def downloaded(hub: LocalHub, tmp_path: Path) -> Path:
    content = tiny_gguf(tmp_path / "made.gguf").read_bytes()
    hub.add("org/m", {"m.gguf": content, "README.md": b"about it"})
    return fetch(plan_of(hub, "org/m", tmp_path / "models"), HURRIED).with_name("m.gguf")


def test_a_download_is_the_newest_until_its_own_file_changes(hub: LocalHub, tmp_path: Path) -> None:
    path = downloaded(hub, tmp_path)
    repo = hub.repos["org/m"]
    first = repo.head
    same = check_update(path, anonymous)
    assert (same.is_newer, same.revision, same.newest) == (False, first, first)
    assert "newest version" in same.words
    repo.commit({"README.md": b"more about it"})
    other = check_update(path, anonymous)
    assert (other.is_newer, other.newest) == (False, repo.head)
    assert "files are the same" in other.words
    repo.commit({"m.gguf": b"newer weights"})
    newer = check_update(path, anonymous)
    assert newer.is_newer
    assert newer.changed == ("m.gguf",)
    assert "newer version of this model: m.gguf" in newer.words


def test_a_file_that_the_authors_took_away_is_said(hub: LocalHub, tmp_path: Path) -> None:
    path = downloaded(hub, tmp_path)
    hub.add("org/m", {"other.gguf": b"weights"})
    gone = check_update(path, anonymous)
    assert (gone.is_newer, gone.gone) == (False, ("m.gguf",))
    del hub.repos["org/m"]
    with pytest.raises(RepositoryNotFoundError):
        check_update(path, anonymous)


def test_a_model_from_elsewhere_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequestError, match="not known where"):
        check_update(tiny_gguf(tmp_path / "mine.gguf"), anonymous)


def test_a_snapshot_of_the_cache_is_compared_by_its_blobs(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tiny_gguf(tmp_path / "made.gguf").read_bytes()
    repo = hub.add("org/m", {"m.gguf": content})
    entry = repo.commits[repo.head]["m.gguf"]
    cached = tmp_path / "models--org--m"
    snapshot = cached / "snapshots" / repo.head
    snapshot.mkdir(parents=True)
    (cached / "blobs").mkdir()
    (cached / "blobs" / entry.sha256).write_bytes(content)
    path = snapshot / "m.gguf"
    path.symlink_to(cached / "blobs" / entry.sha256)
    assert origin_of(path).repo == "org/m"
    assert origin_of(path).revision == repo.head
    assert known_sha256(path) == entry.sha256
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    assert not check_update(path, anonymous).is_newer
    repo.commit({"m.gguf": b"newer weights"})
    assert check_update(path, anonymous).is_newer


def test_details_name_types_vocabulary_origin_and_hash(hub: LocalHub, tmp_path: Path) -> None:
    path = downloaded(hub, tmp_path)
    details = read_details(path)
    assert [share.type_name for share in details.types] == ["F32"]
    assert details.types[0].parameters == sum(one.parameters for one in details.types)
    assert details.types[0].size_bytes == 4 * details.types[0].parameters
    assert details.vocabulary == "gpt2 (gpt-2)"
    assert (details.origin.repo, details.origin.revision) == ("org/m", hub.repos["org/m"].head)
    assert len(details.sha256) == 64
    assert details.files == ("m.gguf",)


def test_details_of_a_folder_and_of_damage(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "folder")
    details = read_details(folder)
    assert details.types[0].type_name == "float32"
    assert details.files == ("model.safetensors",)
    assert details.vocabulary
    assert details.sha256 == ""
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert read_details(tmp_path / "bad.gguf").types == ()
