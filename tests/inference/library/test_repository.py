from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import msgspec
import pytest

from inference.library.architectures import WRITING, gguf_objection
from inference.library.catalog import CatalogEntry
from inference.library.download.values import Listing, RemoteFile
from inference.library.fit import Fit
from inference.library.machine import Machine
from inference.library.repository import (
    Repository,
    arrange,
    recommended,
    version_fit,
    version_of,
    with_architecture,
)
from tests.helpers.assets import asset

BIG = Machine(64 * 10**9, 64 * 10**9, (), 40e9)
LLAMA = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "torch_dtype": "bfloat16",
    "hidden_size": 576,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "num_hidden_layers": 30,
    "intermediate_size": 1536,
    "vocab_size": 49152,
}


def of(files: dict[str, int]) -> Listing:
    return Listing(
        "org/model",
        "0" * 40,
        tuple(RemoteFile(name, size, "ab" * 32) for name, size in files.items()),
        "http://127.0.0.1",
    )


def labels(repository: Repository) -> list[str]:
    return [version.label for version in repository.versions]


def test_each_quantisation_is_a_row_from_small_to_large() -> None:
    repository = arrange(
        of({"m-Q8_0.gguf": 80, "m-Q4_K_M.gguf": 45, "m-F16.gguf": 160, "README.md": 1})
    )
    assert labels(repository) == ["Q4_K_M", "Q8_0", "F16"]
    assert [version.quality.words for version in repository.versions] == [
        "Good",
        "No loss to notice",
        "The original",
    ]
    assert repository.reason == ""
    assert repository.versions[0].sha256 == "ab" * 32


def test_split_files_are_one_row() -> None:
    parts = {f"BF16/m-BF16-0000{number}-of-00003.gguf": 100 for number in (1, 2, 3)}
    repository = arrange(of({**parts, "m-Q4_K_M.gguf": 45}))
    assert labels(repository) == ["Q4_K_M", "BF16"]
    whole = repository.versions[1]
    assert (whole.parts, whole.weights_bytes, whole.sha256) == (3, 300, "")
    assert whole.main.endswith("-00001-of-00003.gguf")


def test_a_split_model_with_a_missing_part_is_no_row() -> None:
    repository = arrange(of({"m-00001-of-00002.gguf": 100}))
    assert repository.versions == ()
    assert "parts are missing" in repository.reason


def test_sharded_safetensors_are_one_row_with_all_their_files() -> None:
    files = {f"model-0000{number}-of-00002.safetensors": 100 for number in (1, 2)}
    files |= {"model.safetensors.index.json": 5, "config.json": 1, "tokenizer.json": 7}
    repository = arrange(of(files), LLAMA)
    (version,) = repository.versions
    assert (version.engine, version.label, version.parts) == ("native", "BF16", 2)
    assert version.weights_bytes == 200
    assert {file.path for file in version.files} == set(files)
    assert version.problem == ""


def test_projectors_for_pictures_are_no_rows() -> None:
    assert labels(arrange(of({"mmproj-F16.gguf": 9, "m-Q4_0.gguf": 45}))) == ["Q4_0"]


def test_several_models_in_one_repository_keep_their_names() -> None:
    repository = arrange(of({"a-Q4_0.gguf": 1, "b-Q4_0.gguf": 2, "a-Q8_0.gguf": 3}))
    assert labels(repository) == ["a-Q4_0", "b-Q4_0", "Q8_0"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pytorch_model.bin": 5, "config.json": 1}, "pickle"),
        ({"weights/model.ckpt": 5}, "pickle"),
        ({"adapter_config.json": 1, "adapter_model.safetensors": 2}, "adapter"),
        ({"model_index.json": 1, "unet/diffusion.safetensors": 2}, "pictures"),
        ({"onnx/model.onnx": 5}, "other programs"),
        ({"README.md": 5}, "no weights"),
        ({"model.safetensors": 5}, "config.json"),
    ],
)
def test_a_repository_with_nothing_runnable_says_why(files: dict[str, int], words: str) -> None:
    repository = arrange(of(files))
    assert repository.runnable == ()
    assert words in repository.reason
    assert "GGUF" in repository.reason


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"]}, "architecture"),
        ({**LLAMA, "auto_map": {"AutoModel": "modeling.X"}}, "Python code"),
        ({**LLAMA, "quantization_config": {"quant_method": "gptq"}}, "quantized"),
    ],
)
def test_a_checkpoint_that_the_native_engine_cannot_run_says_why(
    config: dict[str, object], words: str
) -> None:
    files = of({"model.safetensors": 5, "config.json": 1, "tokenizer.json": 1})
    repository = arrange(files, config)
    assert words in repository.reason
    assert repository.versions[0].problem == repository.reason


def test_an_unknown_architecture_speaks_against_every_gguf_row() -> None:
    repository = arrange(of({"m-Q4_0.gguf": 4, "m-Q8_0.gguf": 8}))
    assert with_architecture(repository, "llama") == repository
    refused = with_architecture(repository, "brandnew9")
    assert refused.runnable == ()
    assert "'brandnew9'" in refused.reason
    assert "does not write" in with_architecture(repository, "bert").reason


def test_the_usual_compromise_is_recommended_unless_it_does_not_fit() -> None:
    rows = arrange(of({"m-Q2_K.gguf": 3, "m-Q4_K_M.gguf": 5, "m-Q8_0.gguf": 8})).versions
    usual = recommended(rows, {})
    assert usual is not None
    assert usual.label == "Q4_K_M"
    small = recommended(rows, {"Q4_K_M": Fit("too_large"), "Q8_0": Fit("too_large")})
    assert small is not None
    assert small.label == "Q2_K"
    none = recommended(rows, {row.label: Fit("too_large") for row in rows})
    assert none is None


def test_a_catalogue_entry_leads_to_its_row() -> None:
    files = {"a-Q4_K_M.gguf": 5, "a-Q8_0.gguf": 8}
    repository = arrange(of(files))

    def row_of(**fields: object) -> str | None:
        entry = msgspec.convert(
            {"id": "a", "kind": "base", "form": "gguf", "repo": "a/b", "weights": "a/b",
             "engines": ["gguf"], "version": "Q8_0", **fields}, CatalogEntry,
        )  # fmt: skip
        row = version_of(repository, entry)
        return row.main if row else None

    assert row_of(files=[{"name": "a-Q4_K_M.gguf"}]) == "a-Q4_K_M.gguf"
    assert row_of(files=[{"sha256": "ab" * 32}]) == "a-Q4_K_M.gguf"
    assert row_of(files=[{}]) == "a-Q8_0.gguf"
    assert row_of(files=[{}], version="Q2_K") is None
    assert row_of(form="safetensors", version="BF16", engines=["native"]) is None


def test_rows_are_judged_from_config_or_roughly_from_their_size() -> None:
    files = of(
        {
            "m-Q8_0.gguf": 144_811_360,
            "model.safetensors": 269_060_552,
            "config.json": 1,
            "tokenizer.json": 1,
        }
    )
    repository = arrange(files, LLAMA)
    gguf, native = repository.versions
    rough = version_fit(repository, gguf, BIG)
    assert rough.rough
    exact = version_fit(repository, native, BIG)
    assert not exact.rough
    assert exact.memory is not None
    assert exact.memory.weights_bytes == pytest.approx(4 * 134_515_008, rel=0.01)
    unread = arrange(files)
    assert version_fit(unread, unread.versions[1], BIG).verdict == "unknown"


def test_a_real_config_of_a_known_family_has_no_objection() -> None:
    config = json.loads(asset("configs/meta-llama__Llama-3.2-1B.json").read_text())
    files = of({"model.safetensors": 5, "config.json": 1, "tokenizer.json": 1})
    assert arrange(files, config).reason == ""


def test_the_architectures_are_those_of_the_installed_llama_cpp() -> None:
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        pytest.skip("llama.cpp is not installed")
    folder = Path(spec.origin).parent / "lib"
    libraries = [path for path in folder.iterdir() if "llama" in path.name and path.is_file()]
    content = max(libraries, key=lambda path: path.stat().st_size).read_bytes()
    # Compilers fold short names into instructions or into the ends of longer ones.
    missing = [name for name in WRITING if len(name) >= 8 and name.encode() + b"\0" not in content]
    assert missing == []
    assert gguf_objection("llama") == ""
