"""Which of a hub's models are here already."""

from __future__ import annotations

from desktop.controllers.installed_index import InstalledIndex
from inference.types import ModelInfo


def index(*models: tuple[str, str, str]) -> InstalledIndex:
    return InstalledIndex(ModelInfo(name, name, path, engine) for name, path, engine in models)  # type: ignore[arg-type]  # the engines below


def test_a_file_in_the_models_folder_is_known_by_its_place() -> None:
    here = index(("q4", "/m/Org/Name-GGUF/name-Q4_K_M.gguf", "gguf"))
    assert here.has("org/name-gguf")
    assert here.find("Org/Name-GGUF", "gguf", "name-Q4_K_M.gguf") == "q4"
    assert here.find("Org/Name-GGUF", "gguf", "Q4_K_M") == "q4"
    assert here.find("Org/Name-GGUF", "gguf", "Q8_0") == ""
    assert here.find("Org/Name-GGUF", "native") == ""
    assert not here.has("org/other")


def test_a_checkpoint_folder_and_a_windows_path() -> None:
    here = index(("native", r"C:\models\Org\Name", "native"))
    assert here.find("org/name", "native", "model.safetensors") == "native"


def test_a_snapshot_of_the_hubs_cache() -> None:
    path = "/c/hub/models--Org--Name/snapshots/abc/x-Q8_0.gguf"
    assert index(("cached", path, "gguf")).find("Org/Name", "gguf", "Q8_0") == "cached"


def test_a_model_that_cannot_be_loaded_is_not_counted() -> None:
    broken = ModelInfo("b", "B", "/m/org/name/b.gguf", "gguf", problem="The file is cut short.")
    assert not InstalledIndex((broken,)).has("org/name")
