from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody who has no other app."""
    folder = tmp_path / "person"
    folder.mkdir()
    for name in ("HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    return folder


def ids(said: Outcome) -> list[str]:
    return [row["id"] for row in said.events if not row["id"].startswith("starter-")]


def listed(fake_cli: Cli) -> list[str]:
    return ids(fake_cli("models", "list", "--json"))


def test_a_file_is_linked_by_default_copied_or_moved_where_asked(
    fake_cli: Cli, home: Path, tmp_path: Path
) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    content = file.read_bytes()
    assert "It stays at" in fake_cli("models", "add", file, "--link").out
    copied = fake_cli("models", "add", file, "--copy", "--json").events
    target = home / "models" / "added" / "mine" / "mine.gguf"
    assert copied[0]["event"] == "progress"
    assert copied[-1]["path"] == str(target)
    assert file.exists()
    again = fake_cli("models", "add", file, "--move")
    assert again.status == 1
    assert "same file is in the models folder already" in again.err
    assert fake_cli("models", "remove", "added/mine/mine").status == 0
    moved = fake_cli("models", "add", file, "--move")
    assert f"Moved to {target}" in moved.out
    assert "`glasshouse models restore added/mine/mine` moves it back." in moved.out
    assert not file.exists()
    assert listed(fake_cli) == ["added/mine/mine"]
    back = json.loads(fake_cli("models", "restore", "added/mine/mine", "--json").out)
    assert back["path"] == str(file)
    assert file.read_bytes() == content


def test_a_part_of_its_name_brings_a_removed_model_back(fake_cli: Cli, home: Path) -> None:
    for name in ("tiny-a", "tiny-b"):
        folder = home / "models" / "org" / name
        folder.mkdir(parents=True)
        tiny_gguf(folder / f"{name}.gguf")
        assert fake_cli("models", "remove", name).status == 0
    assert listed(fake_cli) == []
    either = fake_cli("models", "restore", "TINY")
    assert either.status == 1
    assert "Say which one: org/tiny-a/tiny-a, org/tiny-b/tiny-b." in either.err
    nothing = fake_cli("models", "restore", "else")
    assert nothing.status == 1
    assert "What can come back: org/tiny-a/tiny-a, org/tiny-b/tiny-b." in nothing.err
    assert "org/tiny-b/tiny-b is back." in fake_cli("models", "restore", "ny-b").out
    assert listed(fake_cli) == ["org/tiny-b/tiny-b"]


def test_only_one_way_and_one_thing_can_be_named(fake_cli: Cli, tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "mine.gguf")
    for words in (("--copy", "--move", file), (), ("--app", "ollama", file)):
        assert fake_cli("models", "add", *words).status == 2
    assert fake_cli("models", "remove").status == 2
    assert listed(fake_cli) == []


def test_a_folder_of_models_becomes_a_models_folder_and_survives_its_drive(
    fake_cli: Cli, home: Path, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    (drive / "org" / "name").mkdir(parents=True)
    tiny_gguf(drive / "org" / "name" / "mine.gguf")
    added = fake_cli("models", "add", drive)
    assert "is a models folder now, with 1 model." in added.out
    assert listed(fake_cli) == ["org/name/mine"]
    made = json.loads(fake_cli("models", "add", drive, "--default", "--json").out)
    assert made == {"folder": str(drive), "default": True, "models": 1}
    drive.rename(tmp_path / "unplugged")
    rows = fake_cli("models", "list").out.splitlines()
    row = next(line for line in rows if line.startswith("org/name/mine"))
    assert row.endswith("absent")
    shown = json.loads(fake_cli("models", "show", "org/name/mine", "--json").out)
    assert shown["absent"]
    assert shown["architecture"] == "llama"
    run = fake_cli("run", "org/name/mine", "Hello")
    assert run.status == 1
    assert "Connect its drive" in run.err
    refused = fake_cli("models", "add", tiny_gguf(tmp_path / "x.gguf"), "--copy")
    assert refused.status == 1
    assert "Connect its drive, or make another folder the default." in refused.err
    places = list(fake_cli("models", "list", "--folders", "--json").events)
    assert [(one["path"], one["state"], one["is_default"], one["models"]) for one in places] == [
        (str(home / "models"), "not made yet", False, 0),
        (str(drive), "absent", True, 1),
    ]
    (tmp_path / "unplugged").rename(drive)
    told = fake_cli("models", "list", "--folders").out
    assert "downloads go here" in told
    assert "Models take" in told
    gone = fake_cli("models", "remove", drive)
    assert "its files are untouched" in gone.out
    assert (drive / "org" / "name" / "mine.gguf").exists()
    assert listed(fake_cli) == []


def test_another_app_s_models_are_listed_when_asked_for(fake_cli: Cli, person: Path) -> None:
    assert "No folder of LM Studio" in fake_cli("models", "add", "--app", "lmstudio").err
    place = person / ".lmstudio" / "models" / "org" / "name"
    place.mkdir(parents=True)
    tiny_gguf(place / "theirs.gguf")
    tiny_llama(place.parent / "folder")
    assert listed(fake_cli) == []
    (app,) = list(fake_cli("models", "list", "--folders", "--json").events[1:])
    assert (app["name"], app["shown"], app["models"]) == ("LM Studio", None, 0)
    assert "listed now: 2" in fake_cli("models", "add", "--app", "lmstudio").out
    assert set(listed(fake_cli)) == {"lmstudio/org/name/theirs", "lmstudio/org/folder"}
    refused = fake_cli("models", "remove", "lmstudio/org/name/theirs")
    assert refused.status == 1
    assert "belongs to LM Studio and is only read here" in refused.err
    assert "not listed any more" in fake_cli("models", "remove", "--app", "lmstudio").out
    assert listed(fake_cli) == []


def test_both_engines_run_what_other_apps_keep_where_it_is(
    home: Path, person: Path, tmp_path: Path
) -> None:
    content = tiny_gguf(tmp_path / "made.gguf").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    blob = person / ".ollama" / "models" / "blobs" / f"sha256-{digest}"
    manifest = blob.parents[1] / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "1b"
    for file in (blob, manifest):
        file.parent.mkdir(parents=True)
    blob.write_bytes(content)
    layer = {"mediaType": "application/vnd.ollama.image.model", "size": len(content)}
    layers = [layer | {"digest": f"sha256:{digest}"}]
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
    repo = person / ".cache" / "huggingface" / "hub" / "models--org--tiny"
    made = tiny_llama(tmp_path / "made")
    snapshot = repo / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repo / "blobs").mkdir()
    for file in made.iterdir():
        blob_of = repo / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        blob_of.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(blob_of)
    for app in ("ollama", "huggingface"):
        assert real_cli("models", "add", "--app", app).status == 0
    for model, engine in (("ollama/tiny:1b", "gguf"), ("huggingface/org/tiny", "native")):
        said = real_cli("run", model, "Hello", "--raw", "--max-tokens", "3", "--json")
        assert said.status == 0, said.err
        assert said.events[0]["engine"] == engine
        assert said.events[-1]["usage"]["completion_tokens"] > 0
    assert blob.read_bytes() == content


def test_show_tells_types_last_use_and_the_person_s_note(fake_cli: Cli, tmp_path: Path) -> None:
    fake_cli("models", "add", tiny_gguf(tmp_path / "mine.gguf"))
    before = json.loads(fake_cli("models", "show", "mine", "--json").out)
    assert [one["type_name"] for one in before["types"]] == ["F32"]
    assert before["tokenizer"] == "gpt2 (gpt-2)"
    assert (before["last_used"], before["favourite"], before["note"]) == (None, False, "")
    assert fake_cli("run", "mine", "Hello", "--max-tokens", "2").status == 0
    after = json.loads(fake_cli("models", "show", "mine", "--json").out)
    assert after["last_used"] > 1e9
    assert "last used" in fake_cli("models", "show", "mine").out


def test_a_newer_version_is_asked_for_only_on_request(
    fake_cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        repo = hub.add("org/m", {"m.gguf": tiny_gguf(tmp_path / "made.gguf").read_bytes()})
        assert fake_cli("models", "pull", "org/m").status == 0
        asked = len(hub.requests)
        assert "newest version" not in fake_cli("models", "show", "org/m/m").out
        assert len(hub.requests) == asked
        assert "newest version" in fake_cli("models", "show", "org/m/m", "--check-update").out
        repo.commit({"m.gguf": b"newer weights"})
        said = fake_cli("models", "show", "org/m/m", "--check-update", "--json").events[0]
        assert said["update"]["is_newer"]
        assert said["update"]["changed"] == ["m.gguf"]
