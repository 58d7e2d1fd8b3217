from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from inference.library.describe import describe
from inference.library.other_apps import (
    ForeignModel,
    Place,
    find_places,
    models_in,
)
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf


def listed(place: Place) -> dict[str, Path]:
    return {model.id: model.path for model in models_in(place)}


def state_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything about the files below a folder that a reader must leave alone."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_size,
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def hugging_face(folder: Path) -> Place:
    repo = folder / "models--org--tiny-GGUF"
    commit = "a" * 40
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text(commit)
    (repo / "blobs").mkdir()
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    tiny_gguf(repo / "blobs" / "b1")
    (snapshot / "tiny-Q8_0.gguf").symlink_to("../../blobs/b1")
    other = folder / "models--org--tiny" / "snapshots" / ("b" * 40)
    tiny_llama(other)
    (folder / "models--org--only-config" / "snapshots" / ("c" * 40)).mkdir(parents=True)
    (folder / "datasets--org--texts").mkdir()
    (folder / "version.txt").write_text("1")
    return Place("huggingface", folder)


def ollama(folder: Path) -> Place:
    blobs = folder / "blobs"
    blobs.mkdir(parents=True)
    content = tiny_gguf(folder / "made.gguf").read_bytes()
    (folder / "made.gguf").unlink()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / f"sha256-{digest}").write_bytes(content)

    def manifest(place: str, size: int, digest: str) -> None:
        path = folder / "manifests" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        layer = {"mediaType": "application/vnd.ollama.image.model", "size": size}
        template = {"mediaType": "application/vnd.ollama.image.template", "size": 1}
        layers = [template | {"digest": "sha256:0"}, layer | {"digest": digest}]
        path.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))

    size = len(content)
    manifest("registry.ollama.ai/library/qwen3/4b", size, f"sha256:{digest}")
    manifest("registry.ollama.ai/someone/tuned/latest", size, f"sha256:{digest}")
    manifest("hf.co/org/name-GGUF/Q4_0", size, f"sha256:{digest}")
    manifest("registry.ollama.ai/library/partial/1b", size + 1, f"sha256:{digest}")
    manifest("registry.ollama.ai/library/gone/1b", size, f"sha256:{'0' * 64}")
    manifest("registry.ollama.ai/library/evil/1b", size, "sha256:../../../etc/passwd")
    (folder / "manifests/registry.ollama.ai/library/broken").mkdir()
    (folder / "manifests/registry.ollama.ai/library/broken/1b").write_text("{not json")
    return Place("ollama", folder)


def test_the_hugging_face_cache_gives_files_and_whole_checkpoints(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("links need a privilege on Windows")
    place = hugging_face(tmp_path / "hub")
    found = listed(place)
    assert set(found) == {"huggingface/org/tiny-GGUF/tiny-Q8_0", "huggingface/org/tiny"}
    assert found["huggingface/org/tiny"].name == "b" * 40


def test_ollama_manifests_lead_to_whole_blobs_only(tmp_path: Path) -> None:
    place = ollama(tmp_path / "models")
    found = listed(place)
    assert set(found) == {
        "ollama/qwen3:4b",
        "ollama/someone/tuned:latest",
        "ollama/hf.co/org/name-GGUF:Q4_0",
    }
    assert {path.name[:7] for path in found.values()} == {"sha256-"}


def test_an_ollama_blob_is_described_by_the_name_it_has_there(tmp_path: Path) -> None:
    place = ollama(tmp_path / "models")
    model = next(model for model in models_in(place) if model.name == "qwen3:4b")
    info = describe(model.path, model.name)
    assert (model.id, info.engine) == ("ollama/qwen3:4b", "gguf")
    assert info.problem == ""
    assert info.architecture == "llama"


def test_lm_studio_keeps_publisher_and_model_folders(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / "org" / "tiny-GGUF").mkdir(parents=True)
    tiny_gguf(folder / "org" / "tiny-GGUF" / "tiny-Q4_0.gguf")
    tiny_gguf(folder / "org" / "tiny-GGUF" / "mmproj-tiny.gguf")
    tiny_gguf(folder / "org" / "tiny-GGUF" / "half-00001-of-00002.gguf")
    assert set(listed(Place("lmstudio", folder))) == {"lmstudio/org/tiny-GGUF/tiny-Q4_0"}


def test_gpt4all_leaves_out_what_it_has_not_finished(tmp_path: Path) -> None:
    tiny_gguf(tmp_path / "Llama-3.2-1B.Q4_0.gguf")
    tiny_gguf(tmp_path / "incomplete-Other.Q4_0.gguf")
    (tmp_path / "localdocs_v3.db").write_bytes(b"x")
    assert set(listed(Place("gpt4all", tmp_path))) == {"gpt4all/Llama-3.2-1B.Q4_0"}


def test_jan_says_where_a_linked_file_is(tmp_path: Path) -> None:
    data = tmp_path / "Jan" / "data"
    own = data / "llamacpp" / "models" / "org" / "own"
    linked = data / "llamacpp" / "models" / "linked"
    own.mkdir(parents=True)
    linked.mkdir()
    tiny_gguf(own / "model.gguf")
    (own / "model.yml").write_text("model_path: llamacpp/models/org/own/model.gguf\nname: own\n")
    elsewhere = tiny_gguf(tmp_path / "elsewhere.gguf")
    (linked / "model.yml").write_text(f"name: linked\nmodel_path: '{elsewhere}'\n")
    assert listed(Place("jan", data)) == {
        "jan/org/own": own / "model.gguf",
        "jan/linked": elsewhere,
    }


def test_nothing_is_changed_by_looking(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("links need a privilege on Windows")
    places = (hugging_face(tmp_path / "hub"), ollama(tmp_path / "ollama"))
    before = state_of(tmp_path)
    for place in places:
        for model in models_in(place):
            describe(model.path, model.name)
    assert state_of(tmp_path) == before


def test_places_are_found_by_environment_and_in_the_home_folder(tmp_path: Path) -> None:
    for name in ("hf/hub", "ollama", "home/.lmstudio/models", "home/jan"):
        (tmp_path / name).mkdir(parents=True)
    environ = {"HF_HOME": str(tmp_path / "hf"), "OLLAMA_MODELS": str(tmp_path / "ollama")}
    places = {place.app: place.folder for place in find_places(environ, tmp_path / "home")}
    assert places["huggingface"] == tmp_path / "hf" / "hub"
    assert places["ollama"] == tmp_path / "ollama"
    assert places["lmstudio"] == tmp_path / "home" / ".lmstudio" / "models"
    assert places["jan"] == tmp_path / "home" / "jan"
    assert "gpt4all" not in places


def test_a_folder_that_lm_studio_was_told_to_use_is_found(tmp_path: Path) -> None:
    chosen = tmp_path / "drive"
    chosen.mkdir()
    (tmp_path / ".lmstudio").mkdir()
    settings = json.dumps({"downloadsFolder": str(chosen)})
    (tmp_path / ".lmstudio" / "settings.json").write_text(settings)
    places = [place for place in find_places({}, tmp_path) if place.app == "lmstudio"]
    assert [place.folder for place in places] == [chosen]


def test_a_place_that_is_gone_has_no_models(tmp_path: Path) -> None:
    for app in ("huggingface", "lmstudio", "ollama", "gpt4all", "jan"):
        assert models_in(Place(app, tmp_path / "gone")) == ()


def test_models_are_values() -> None:
    assert len({ForeignModel("a", "a", Path("a")), ForeignModel("a", "a", Path("a"))}) == 1
