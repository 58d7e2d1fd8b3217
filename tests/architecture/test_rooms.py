"""Which room may import what, and what may stand nowhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
HEAVY = (
    *("torch", "llama_cpp", "tokenizers", "transformers", "huggingface_hub", "sklearn", "scipy"),
    "py3langid",
)


def sources(*rooms: str) -> list[Path]:
    """Return every Python file of the given folders."""
    return sorted(path for room in rooms for path in (REPO / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def test_inference_and_resources_know_neither_qt_nor_the_window() -> None:
    found = {
        str(path): sorted(roots(path) & {"PySide6", "desktop"})
        for path in sources("inference", "resources")
        if roots(path) & {"PySide6", "desktop"}
    }
    assert not found


def test_resources_import_nothing_of_ours() -> None:
    assert not [path for path in sources("resources") if roots(path) & {"inference", "desktop"}]


def test_the_store_is_free_of_qt() -> None:
    assert sources("desktop/store")
    assert not [path for path in sources("desktop/store") if "PySide6" in roots(path)]


def test_only_the_engine_rooms_import_the_engines_libraries() -> None:
    allowed = (REPO / "inference" / "native", REPO / "inference" / "gguf")
    found = [
        (path.name, name)
        for path in sources("inference", "desktop", "resources")
        for name in roots(path) & {"torch", "llama_cpp", "tokenizers", "transformers"}
        if not path.is_relative_to(allowed[0]) and not path.is_relative_to(allowed[1])
    ]
    assert not found


@pytest.mark.parametrize("module", ["desktop.app", "desktop.__main__", "inference.__main__"])
def test_starting_imports_no_engine_library(module: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True
    )
    assert run.stdout.strip() == ""


@pytest.mark.parametrize("module", ["inference.native.engine", "inference.gguf.engine"])
def test_an_engine_imports_what_only_maps_need_when_a_map_is_asked_for(module: str) -> None:
    code = (
        f"import sys, inference.host.server, {module}; "
        "print(*[m for m in ('sklearn', 'scipy', 'joblib') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True
    )
    assert run.stdout.strip() == ""


def test_no_pickle_is_loaded_and_no_event_is_processed_by_hand() -> None:
    found: list[tuple[str, str]] = []
    for path in sources("inference", "desktop", "resources"):
        names = imported(path)
        found += [(path.name, name) for name in names & {"pickle", "marshal", "dill"}]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "processEvents":
                found.append((path.name, node.attr))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                found.append((path.name, "torch.load"))
    assert not found


def test_no_file_outgrows_its_room() -> None:
    long = {
        str(path.relative_to(REPO)): lines
        for path in sources("inference", "desktop", "resources", "tests", "packaging")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not long


def test_packaging_never_shadows_the_library_of_that_name() -> None:
    assert not (REPO / "packaging" / "__init__.py").exists()
