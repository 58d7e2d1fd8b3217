from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from inference.errors import GatedModelError, NetworkError, RepositoryNotFoundError
from inference.library.hub import Hub, default_endpoint, file_url, translated
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        hub.add("org/m", {"m.gguf": b"weights", "config.json": b"{}"})
        yield hub


def test_a_listing_is_one_commit_with_sizes_and_hashes(hub: LocalHub) -> None:
    listing = Hub(hub.endpoint, token="").listing("org/m")
    repo = hub.repos["org/m"]
    assert (listing.repo, listing.revision, listing.license) == ("org/m", repo.head, "apache-2.0")
    files = {file.path: file for file in listing.files}
    tree = repo.commits[repo.head]
    assert files["m.gguf"].sha256 == tree["m.gguf"].sha256
    assert files["config.json"].git_sha1 == tree["config.json"].git_sha1
    assert files["config.json"].sha256 == ""
    assert files["config.json"].size_bytes == 2


def test_an_older_commit_can_be_listed_and_a_renamed_repository_found(hub: LocalHub) -> None:
    repo = hub.repos["org/m"]
    before = repo.head
    repo.commit({"m.gguf": b"newer weights"})
    reader = Hub(hub.endpoint, token="")
    assert reader.listing("org/m", before).files != reader.listing("org/m").files
    assert reader.newest_revision("org/m") == repo.head
    hub.renamed["old/m"] = "org/m"
    assert reader.listing("old/m").repo == "org/m"


def test_a_busy_hub_is_asked_again(hub: LocalHub) -> None:
    hub.faults.next(Fault("status", "api", status=503), Fault("refuse", "api"))
    assert Hub(hub.endpoint, token="").listing("org/m").files


def test_the_wait_that_the_hub_asks_for_is_obeyed(hub: LocalHub) -> None:
    slow = Fault("status", "api", status=429, headers=(("Retry-After", "1"),))
    hub.faults.next(slow)
    begun = time.monotonic()
    assert Hub(hub.endpoint, token="").listing("org/m").files
    assert time.monotonic() - begun >= 1


def test_a_long_wait_is_said_instead(hub: LocalHub) -> None:
    limit = (("RateLimit", '"api";r=0;t=250'),)
    hub.faults.always(Fault("status", "api", status=429, headers=limit))
    with pytest.raises(NetworkError) as caught:
        Hub(hub.endpoint, token="").listing("org/m")
    assert caught.value.hint == "Try again in 251 seconds."


def test_a_second_reader_does_not_cut_the_first_one_off(hub: LocalHub) -> None:
    first = Hub(hub.endpoint, token="")
    first.listing("org/m")
    hub.faults.next(Fault("stall", "api", seconds=0.5))
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(first.listing("org/m").repo))
    asked = len(hub.requests)
    thread.start()
    while len(hub.requests) == asked:
        time.sleep(0.01)
    Hub(hub.endpoint, token="").listing("org/m")
    thread.join()
    assert found == ["org/m"]
    assert len(hub.requests) == asked + 2, "the first one had to ask again"


@pytest.mark.parametrize("name", ["org/none", "no such name", "a/b/c", "../x", ""])
def test_what_is_not_there_is_a_sentence(hub: LocalHub, name: str) -> None:
    with pytest.raises(RepositoryNotFoundError) as caught:
        Hub(hub.endpoint, token="").listing(name)
    assert caught.value.hint


def test_a_gated_model_is_explained_before_the_first_byte(hub: LocalHub) -> None:
    hub.add("org/gated", {"m.gguf": b"x"}, gated="auto", users={"good"})
    for token in ("", "stranger"):
        reader = Hub(hub.endpoint, token=token)
        listing = reader.listing("org/gated")
        assert listing.gated == "auto"
        with pytest.raises(GatedModelError) as caught:
            reader.check_access(listing)
        assert f"{hub.endpoint}/org/gated" in caught.value.hint
    good = Hub(hub.endpoint, token="good")
    good.check_access(good.listing("org/gated"))
    assert hub.bytes_sent == 0


def test_a_file_without_size_or_hash_is_completed_from_its_headers(hub: LocalHub) -> None:
    reader = Hub(hub.endpoint, token="")
    listing = reader.listing("org/m")
    for file in listing.files:
        bare = type(file)(file.path, -1)
        assert reader.complete(listing, bare) == file


def test_offline_and_unreachable_are_sentences(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    reader = Hub(hub.endpoint, token="")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    with pytest.raises(NetworkError, match="HF_HUB_OFFLINE"):
        reader.listing("org/m")
    assert len(hub.requests) == asked
    monkeypatch.undo()
    with pytest.raises(NetworkError, match="cannot be reached"):
        Hub("http://127.0.0.1:9", token="").listing("org/m")
    with pytest.raises(NetworkError):
        Hub("nonsense", token="").listing("org/m")


def test_other_calls_of_the_client_can_be_translated_too(hub: LocalHub) -> None:
    reader = Hub(hub.endpoint, token="")
    with translated(endpoint=reader.endpoint):
        assert [one.id for one in reader.api.list_models(search="m")] == ["org/m"]
    hub.faults.always(Fault("status", "api", status=418))
    with pytest.raises(NetworkError), translated(endpoint=reader.endpoint):
        list(reader.api.list_models(search="m"))


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert default_endpoint() == "https://mirror.example"
    monkeypatch.delenv("HF_ENDPOINT")
    assert default_endpoint() == "https://huggingface.co"
    url = file_url("https://h", "org/m", "refs/pr/1", "a b/ü#.gguf")
    assert url == "https://h/org/m/resolve/refs%2Fpr%2F1/a%20b/%C3%BC%23.gguf"


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    code = (
        "import sys, inference.library.hub, inference.library.download.queue, inference.cli.pull;"
        "heavy = {'huggingface_hub', 'httpx2', 'httpcore2', 'torch'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
