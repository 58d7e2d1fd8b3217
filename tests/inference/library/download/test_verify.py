from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.library.download.patience import StoppedError
from inference.library.download.verify import Verification, verify
from tests.helpers.fetching import fetch, plan_of
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.local_hub import LocalHub


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "hashes.json"


def check(path: Path, memory: Path) -> Verification:
    return verify(path, memory, CancelToken(), lambda name, done, total: None)


def verdicts(result: Verification) -> dict[str, str]:
    return {one.path.rpartition("/")[2]: one.verdict for one in result.files}


def test_a_checkpoint_is_checked_file_by_file(hub: LocalHub, models: Path, memory: Path) -> None:
    files = {"config.json": b"{}", "model.safetensors": content(50_000), "tokenizer.json": b"[]"}
    hub.add("org/m", files)
    plan = plan_of(hub, "org/m", models)
    fetch(plan, HURRIED)
    folder = models / "org/m"
    result = check(folder, memory)
    assert set(verdicts(result).values()) == {"intact"}
    assert result.good
    assert result.published
    assert (result.repo, result.revision) == ("org/m", plan.revision)
    (folder / "tokenizer.json").write_bytes(b"{}")
    (folder / "config.json").unlink()
    result = check(folder, memory)
    assert verdicts(result) == {
        "config.json": "missing",
        "model.safetensors": "intact",
        "tokenizer.json": "damaged",
    }
    assert not result.good


def test_all_parts_of_a_split_file_count(hub: LocalHub, models: Path, memory: Path) -> None:
    names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    hub.add("org/m", {name: content(1_000, seed) for seed, name in enumerate(names)})
    first = fetch(plan_of(hub, "org/m", models), HURRIED)
    assert verdicts(check(first, memory)) == dict.fromkeys(names, "intact")
    first.with_name(names[1]).unlink()
    assert verdicts(check(first, memory))[names[1]] == "missing"


def test_a_store_that_names_files_by_their_hash_is_taken_at_its_word(
    tmp_path: Path, memory: Path
) -> None:
    data = content(10_000)
    digest = hashlib.sha256(data).hexdigest()
    for name in (f"sha256-{digest}", digest):
        blob = tmp_path / name
        blob.write_bytes(data)
        assert check(blob, memory).published
        assert check(blob, memory).good
        blob.write_bytes(data[:-1] + b"\0")
        assert verdicts(check(blob, memory)) == {name: "damaged"}
    assert not memory.exists()


def test_a_check_can_be_stopped(tmp_path: Path, memory: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content(1_000))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(StoppedError):
        verify(path, memory, cancel, lambda name, done, total: None)
