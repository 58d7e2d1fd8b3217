"""The local hub is worth testing against only while the real client takes it for a hub."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import huggingface_hub as hf
import pytest
from huggingface_hub import errors, utils
from tqdm import tqdm

from tests.helpers.assets import asset
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator

WEIGHTS = b"weights " * 40_000
CONFIG = b'{"model_type": "llama"}'


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # its monitor thread outlives a test
    with LocalHub() as hub:
        hub.add("org/tiny", {"model.safetensors": WEIGHTS, "config.json": CONFIG})
        yield hub
    utils.close_session()


def api(hub: LocalHub, token: str | bool = False) -> hf.HfApi:
    return hf.HfApi(endpoint=hub.endpoint, token=token)


def fetch(hub: LocalHub, folder: Path, name: str, repo: str = "org/tiny", **more: Any) -> bytes:
    path = hf.hf_hub_download(
        repo, name, cache_dir=folder, endpoint=hub.endpoint, **{"token": False, **more}
    )
    return Path(path).read_bytes()


def test_real_client_reads_sizes_hashes_and_commit(hub: LocalHub) -> None:
    info = api(hub).model_info("org/tiny", files_metadata=True)
    files = {one.rfilename: one for one in info.siblings or ()}
    assert info.sha == hub.repos["org/tiny"].head
    assert files["model.safetensors"].size == len(WEIGHTS)
    assert files["model.safetensors"].lfs is not None
    assert files["model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["config.json"].lfs is None
    tree = {one.path: one for one in api(hub).list_repo_tree("org/tiny", recursive=True)}
    assert tree["model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()


def test_real_client_downloads_large_and_small_files(hub: LocalHub, tmp_path: Path) -> None:
    assert fetch(hub, tmp_path, "model.safetensors") == WEIGHTS
    assert fetch(hub, tmp_path, "config.json") == CONFIG
    assert hub.asked("xet-bridge", "store")


def test_real_client_asks_again_after_a_cut(hub: LocalHub, tmp_path: Path, caplog: Any) -> None:
    hub.faults.next(Fault("disconnect", at=100_000))
    assert fetch(hub, tmp_path, "model.safetensors") == WEIGHTS
    assert len([one for one in hub.asked("", "store") if one.method == "GET"]) == 2
    assert "peer closed" in caplog.text


def test_real_client_names_what_is_missing_gated_or_private(hub: LocalHub, tmp_path: Path) -> None:
    hub.add("org/gated", {"model.gguf": WEIGHTS}, gated="manual", users={"good"})
    hub.add("org/secret", {"model.gguf": WEIGHTS}, private=True, users={"good"})
    with pytest.raises(errors.RepositoryNotFoundError):
        api(hub).model_info("org/nothing")
    with pytest.raises(errors.RevisionNotFoundError):
        api(hub).model_info("org/tiny", revision="old")
    with pytest.raises(errors.RemoteEntryNotFoundError):
        fetch(hub, tmp_path, "absent.json")
    assert api(hub).model_info("org/gated").gated == "manual"
    for token in (False, "stranger"):
        with pytest.raises(errors.GatedRepoError):
            fetch(hub, tmp_path, "model.gguf", "org/gated", token=token)
    assert fetch(hub, tmp_path, "model.gguf", "org/gated", token="good") == WEIGHTS
    assert all("authorization" not in one.headers for one in hub.asked("", "store"))
    with pytest.raises(errors.RepositoryNotFoundError):
        api(hub, "stranger").model_info("org/secret")
    assert api(hub, "good").model_info("org/secret").private


def test_real_client_pages_through_a_search(hub: LocalHub) -> None:
    for number in range(7):
        hub.add(f"many/model-{number}-GGUF", {"m.gguf": b"x"}, downloads=number, tags=("chat",))
    hub.page_size = 3
    found = list(api(hub).list_models(search="model", filter="gguf", sort="downloads"))
    assert [one.id for one in found] == [f"many/model-{number}-GGUF" for number in range(6, -1, -1)]
    assert len(hub.asked("/api/models?")) == 3
    assert not list(api(hub).list_models(author="nobody"))


def test_renamed_repositories_redirect_info_and_files(hub: LocalHub, tmp_path: Path) -> None:
    hub.renamed["org/old"] = "org/tiny"
    assert api(hub).model_info("org/old").id == "org/tiny"
    assert fetch(hub, tmp_path, "config.json", "org/old") == CONFIG


def test_rate_limits_speak_the_real_headers(hub: LocalHub) -> None:
    limits = (("RateLimit", '"api";r=0;t=7'), ("RateLimit-Policy", '"fixed window";"api";q=5;w=9'))
    hub.faults.next(Fault("status", "api", status=429, headers=limits))
    with pytest.raises(errors.HfHubHTTPError, match="Retry after 7 seconds"):
        api(hub).model_info("org/tiny")


def test_model_info_has_the_recorded_fields(hub: LocalHub) -> None:
    recorded = json.loads((asset("hub-fixtures") / "models_api_recorded.json").read_text())
    bodies = [
        one["body"]
        for one in recorded["interactions"]
        if one["status"]["code"] == 200 and "siblings" in one["body"] and "?" not in one["uri"]
    ]
    assert bodies
    always = set.intersection(*(set(body) for body in bodies))
    repo = hub.repos["org/tiny"]
    mine = repo.info(repo.head, blobs=False)
    assert always <= set(mine)
    for name in always - {"model-index", "cardData", "config"}:
        assert {type(body[name]) for body in bodies} >= {type(mine[name])}, name


def test_tree_entries_and_resolve_headers_have_the_recorded_fields(hub: LocalHub) -> None:
    folder = asset("hub-fixtures")
    tree = json.loads((folder / "tree_bert_base_uncased.json").read_text())["body"]
    shapes = {frozenset(entry) for entry in tree}
    repo = hub.repos["org/tiny"]
    assert {frozenset(entry) for entry in repo.tree(repo.head)} <= shapes
    cases = json.loads((folder / "resolve_headers.json").read_text())["cases"]
    names = {name for case in cases[:1] for name in case["headers"]}
    client = utils.get_session()
    answer = client.head(
        f"{hub.endpoint}/org/tiny/resolve/main/config.json", follow_redirects=False
    )
    assert answer.status_code == 307
    assert names <= {name.lower() for name in answer.headers}
