"""Which model stands beside another as base beside instruct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop.controllers.pairs import other_half
from inference.library.catalog import load_catalog
from inference.library.installed import Library
from inference.paths import AppPaths
from inference.types import ModelInfo

if TYPE_CHECKING:
    from pathlib import Path

    from inference.types import EngineKind, ModelKind


def model(
    name: str,
    kind: ModelKind,
    path: str,
    *,
    engine: EngineKind = "gguf",
    quantization: str = "Q8_0",
    n_layers: int = 28,
) -> ModelInfo:
    return ModelInfo(
        id=path.rpartition("/")[2],
        name=name,
        path=path,
        engine=engine,
        kind=kind,
        architecture="qwen3",
        quantization=quantization,
        n_layers=n_layers,
    )


INSTRUCT = model("Qwen3 0.6B", "instruct", "/m/Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf")
BASE = model(
    "Qwen3 0.6B Base", "base", "/m/ggml-org/Qwen3-0.6B-Base-GGUF/Qwen3-0.6B-Base-Q8_0.gguf"
)
OTHER_SIZE = model("Qwen3 4B Base", "base", "/m/x/Qwen3-4B-Base-Q8_0.gguf", n_layers=36)
EMBEDDING = model("Qwen3 0.6B", "embedding", "/m/x/Qwen3-0.6B-Base-f16.gguf")


@pytest.mark.parametrize(("one", "other"), [(INSTRUCT, BASE), (BASE, INSTRUCT)])
def test_the_catalogue_leads_from_either_half_to_the_other(
    one: ModelInfo, other: ModelInfo
) -> None:
    installed = (OTHER_SIZE, EMBEDDING, INSTRUCT, BASE)
    found = other_half(one, installed)
    assert found.model == other
    assert found.fetchable is None


def test_the_same_form_and_version_is_taken_where_there_are_several() -> None:
    native = msgspec.structs.replace(
        BASE, id="n", path="/m/Qwen/Qwen3-0.6B-Base", engine="native", quantization="bfloat16"
    )
    smaller = msgspec.structs.replace(BASE, id="s", path="/m/x/base-Q4.gguf", quantization="Q4_0")
    assert other_half(INSTRUCT, (native, smaller, BASE)).model == BASE
    assert other_half(INSTRUCT, (native, smaller)).model == smaller
    assert other_half(INSTRUCT, (native,)).model == native


def test_what_cannot_be_loaded_now_is_no_other_half() -> None:
    broken = msgspec.structs.replace(BASE, problem="The file ends early.")
    away = msgspec.structs.replace(BASE, absent=True)
    assert other_half(INSTRUCT, (broken, away)).model is None


def test_a_half_that_is_not_here_is_named_with_its_page() -> None:
    found = other_half(INSTRUCT, (INSTRUCT, OTHER_SIZE))
    assert found.model is None
    assert found.fetchable is not None
    assert found.fetchable.name == "Qwen3 0.6B"
    assert found.fetchable.kind == "base"
    assert found.fetchable.version == "Q8_0"
    assert found.fetchable.version_id == "ggml-org-qwen3-0.6b-base-q8_0"
    assert found.fetchable.key == "catalog:qwen3-0.6b"


def test_every_pair_of_the_catalogue_is_found_by_where_its_files_lie() -> None:
    catalog = load_catalog()
    pairs = 0
    for family, entry in catalog.entries():
        partner = catalog.partner(entry)
        if partner is None or not partner.can_run:
            continue
        kind: ModelKind = "base" if entry.kind == "base" else "instruct"
        engine: EngineKind = "gguf" if entry.form == "gguf" else "native"
        file = f"/{entry.wanted or 'model'}.gguf" if engine == "gguf" else ""
        one = model(f"{family.name} x", kind, f"/m/{entry.repo}{file}", engine=engine)
        found = other_half(one, (one,)).fetchable
        assert found is not None, entry.id
        assert found.key == f"catalog:{family.id}"
        assert (found.kind == "base") != (entry.kind == "base")
        pairs += 1
    assert pairs > 10


def test_models_of_ones_own_are_a_pair_by_name_and_shape() -> None:
    chat = model("Prose 20M Chat", "instruct", "/m/a/prose-20m-chat.gguf")
    base = model("Prose 20M", "base", "/m/b/prose-20m.gguf", quantization="F16")
    deeper = model("Prose 20M", "base", "/m/c/prose-20m.gguf", n_layers=30)
    assert other_half(chat, (chat, deeper, base)).model == base
    nothing = other_half(chat, (chat, deeper))
    assert nothing.model is None
    assert nothing.fetchable is None


def test_the_starter_models_are_a_pair_and_are_offered_beside_others(tmp_path: Path) -> None:
    names = ("data", "config", "cache", "models", "log")
    starters = Library(AppPaths(*(tmp_path / name for name in names))).list()
    by_id = {one.id: one for one in starters}
    for one, other in (
        ("starter-instruct", "starter-base"),
        ("starter-base-native", "starter-instruct-native"),
    ):
        found = other_half(by_id[one], starters)
        assert found.model == by_id[other]
        assert found.starter is None
    beside = other_half(INSTRUCT, (INSTRUCT, *starters))
    assert beside.starter == by_id["starter-instruct"]
