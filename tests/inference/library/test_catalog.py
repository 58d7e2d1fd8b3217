from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from inference.library.catalog import (
    Catalog,
    CatalogEntry,
    CatalogFile,
    load_catalog,
    native_knows,
    read_catalog,
)
from inference.library.catalog_search import (
    CatalogQuery,
    entry_fit,
    family_fit,
    propose,
    search_catalog,
)
from inference.library.machine import Gpu, Machine

CATALOG = load_catalog()
LAPTOP = Machine(7_000_000_000, 8_000_000_000, (), 20e9)
GAMING = Machine(
    12_000_000_000, 16_000_000_000, (Gpu("CUDA: RTX", 7_100_000_000, 8_000_000_000),), 40e9
)


def entry(entry_id: str) -> CatalogEntry:
    found = CATALOG.find(entry_id)
    assert found is not None
    return found[1]


def test_there_are_at_least_thirty_entries_most_of_them_pinned() -> None:
    entries = [entry for _, entry in CATALOG.entries()]
    assert len(entries) >= 30
    pinned = [entry for entry in entries if entry.revision]
    hashed = [entry for entry in entries if any(file.sha256 for file in entry.files)]
    assert len(pinned) >= 30
    assert len(hashed) >= 30


def test_every_gated_entry_has_a_neighbour_without_a_gate() -> None:
    gated = [entry for _, entry in CATALOG.entries() if entry.gated]
    assert gated
    for one in gated:
        assert one.neighbour is not None
        assert not entry(one.neighbour).gated


def test_base_and_instruct_are_partners_in_the_same_form() -> None:
    base = entry("smollm2-135m-safetensors")
    partner = CATALOG.partner(base)
    assert partner is not None
    assert partner.repo == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert CATALOG.partner(partner) == base


def test_the_native_form_leads_to_the_gguf_of_the_same_weights() -> None:
    native = entry("smollm2-135m-safetensors")
    others = CATALOG.same_weights(native)
    assert [other.repo for other in others] == ["QuantFactory/SmolLM2-135M-GGUF"]
    assert native in CATALOG.same_weights(others[0])


def test_pairs_for_both_engines_are_there() -> None:
    both = {
        one.weights
        for _, one in CATALOG.entries()
        if one.form == "safetensors"
        and any(other.form == "gguf" for other in CATALOG.same_weights(one))
    }
    assert {"openai-community/gpt2", "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B-Base"} <= both
    assert {"HuggingFaceTB/SmolLM2-360M", "HuggingFaceTB/SmolLM2-360M-Instruct"} <= both


def test_sizes_agree_with_the_number_of_weights() -> None:
    checked = 0
    for family, one in CATALOG.entries():
        size = one.size_bytes
        if size is None or family.parameters is None:
            continue
        bits = 8 * size / family.parameters
        low, high = (4.0, 8.6) if one.form == "gguf" else (15.9, 36.0)
        assert low < bits < high or one.version == "Q8_0", one.id
        checked += 1
    assert checked >= 30


def test_the_native_engine_is_asked_what_it_builds() -> None:
    assert native_knows("llama")
    assert native_knows("gpt2")
    assert not native_knows("mamba2")
    assert not native_knows("")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"revision": "main"}, "revision"),
        ({"repo": "../../etc"}, "repository"),
        ({"files": (CatalogFile(name="../x.gguf"),)}, "file"),
        ({"files": (CatalogFile(name="x.gguf", sha256="abc"),)}, "file"),
        ({"gated": True, "neighbour": None}, "neighbour"),
        ({"neighbour": "nothing"}, "neighbour"),
        ({"engines": ("native",)}, "engine"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(change: dict[str, object], complaint: str) -> None:
    family, good = next(iter(CATALOG.entries()))
    good = next(one for one in family.entries if one.form == "gguf")
    bad = msgspec.structs.replace(good, **change)
    content = msgspec.json.encode(
        Catalog(1, "", (msgspec.structs.replace(family, entries=(bad,)),))
    )
    with pytest.raises(ValueError, match=rf"{good.id}: .*{complaint}"):
        read_catalog(content)


def test_an_unknown_field_is_refused() -> None:
    content = json.loads(msgspec.json.encode(CATALOG))
    content["families"][0]["entries"][0]["sha265"] = "typo"
    with pytest.raises(msgspec.ValidationError, match="sha265"):
        read_catalog(json.dumps(content).encode())


def test_text_finds_name_author_and_repository() -> None:
    def ids(text: str) -> set[str]:
        return {family.id for family in search_catalog(CATALOG, CatalogQuery(text))}

    assert {"qwen3-4b", "qwen3-0.6b"} <= ids("qwen3")
    assert ids("smollm2 135m") == {"smollm2-135m"}
    assert "llama-3.2-1b" in ids("bartowski")
    assert ids("no such model") == set()


def test_filters_narrow_by_kind_licence_sign_in_and_fit() -> None:
    def ids(query: CatalogQuery) -> set[str]:
        return {family.id for family in search_catalog(CATALOG, query, LAPTOP)}

    base = ids(CatalogQuery(kinds=("base",)))
    assert "gpt2" in base
    assert "gpt-oss-20b" not in base
    assert ids(CatalogQuery(licenses=("MIT",))) >= {"gpt2", "deepseek-r1-distill-qwen-1.5b"}
    assert "gpt-oss-20b" not in ids(CatalogQuery(fits=True))
    native = ids(CatalogQuery(engines=("native",)))
    assert {"gpt2", "smollm2-135m"} <= native
    assert "gemma-3-1b" not in native


def test_sorting_by_size_puts_unknown_sizes_last() -> None:
    sizes = [family.smallest_bytes for family in search_catalog(CATALOG, CatalogQuery(sort="size"))]
    known = [size for size in sizes if size is not None]
    assert known == sorted(known)
    assert sizes[: len(known)] == known


def test_a_family_is_judged_by_its_best_download() -> None:
    family = CATALOG.family("gpt-oss-20b")
    assert family is not None
    assert family_fit(family, LAPTOP).verdict == "too_large"
    assert family_fit(family, GAMING).verdict == "partly"
    small = CATALOG.family("smollm2-135m")
    assert small is not None
    assert family_fit(small, GAMING).verdict == "gpu"


def test_of_downloads_that_fit_alike_the_quickest_speaks_for_its_family() -> None:
    family = load_catalog().family("qwen3-0.6b")
    assert family is not None
    slow = Machine(16_000_000_000, 32_000_000_000, (), 4e9)
    speeds = [entry_fit(family, entry, slow).tokens_per_s for entry in family.entries]
    assert len(set(speeds)) > 1
    assert family_fit(family, slow).tokens_per_s == max(speeds)


def test_an_entry_of_unknown_shape_is_judged_roughly_by_its_size() -> None:
    family = CATALOG.family("qwen3.5-4b")
    assert family is not None
    fit = entry_fit(family, family.entries[0], LAPTOP)
    assert fit.verdict == "processor"
    assert fit.rough


@pytest.mark.parametrize("free_gb", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("with_gpu", [False, True])
def test_three_models_are_proposed_that_fit_and_need_no_account(
    free_gb: int, *, with_gpu: bool
) -> None:
    free = free_gb * 10**9
    machine = Machine(free, free, (Gpu("GPU", free, free),) if with_gpu else (), 20e9)
    proposals = propose(CATALOG, machine)
    assert len(proposals) == 3
    assert len({proposal.entry.id for proposal in proposals}) == 3
    for proposal in proposals:
        assert proposal.fit.runs
        assert proposal.entry.can_run
        assert not proposal.entry.gated
    best, quick, study = proposals
    assert (best.family.parameters or 0) > (quick.family.parameters or 0)
    assert study.entry.kind == "base"


def test_the_catalogue_loads_neither_torch_nor_the_hub_client() -> None:
    code = (
        "import sys\n"
        "from inference.library.catalog_search import propose\n"
        "from inference.library.catalog import load_catalog\n"
        "from inference.library.machine import Machine\n"
        "propose(load_catalog(), Machine(8 * 10**9, 8 * 10**9))\n"
        "heavy = {'torch', 'llama_cpp', 'huggingface_hub', 'tokenizers', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
