from __future__ import annotations

import pytest

from inference.errors import NothingRunnableError, RepositoryNotFoundError
from inference.library.download.selection import CHECKPOINT, checkpoint_choice, choose, gguf_choices
from inference.library.download.values import Listing, RemoteFile


def listing(*names: str) -> Listing:
    files = tuple(RemoteFile(name, 1_000_000, sha256="a" * 64) for name in names)
    return Listing("org/name", "c" * 40, files, "https://hub.example")


def names(*files: str, wanted: str = "") -> list[str]:
    return [file.path for file in choose(listing(*files), wanted).files]


def test_the_parts_of_a_split_file_are_one_choice() -> None:
    parts = [f"Q8/m-Q8_0-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    choices = gguf_choices(listing(*parts, "m-Q4_K_M.gguf", "mmproj-m-f16.gguf"))
    assert [choice.main for choice in choices] == [parts[0], "m-Q4_K_M.gguf"]
    assert choices[0].size_bytes == 3_000_000
    assert names(*parts, "m-Q4_K_M.gguf", wanted=parts[1]) == parts


def test_a_split_file_with_a_part_missing_is_no_choice() -> None:
    assert gguf_choices(listing("m-00001-of-00002.gguf")) == ()


def test_the_usual_quantisation_is_taken_when_nobody_said() -> None:
    assert names("m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf") == ["m-Q4_K_M.gguf"]
    assert names("m-F16.gguf") == ["m-F16.gguf"]
    with pytest.raises(RepositoryNotFoundError) as caught:
        names("m-IQ2_XS.gguf", "m-IQ3_M.gguf")
    assert "m-IQ2_XS.gguf (1.0 MB)" in caught.value.hint


def test_the_checkpoint_can_be_asked_for_beside_gguf_files() -> None:
    files = ("m-Q4_K_M.gguf", "model.safetensors", "config.json", "tokenizer.json")
    assert names(*files) == ["m-Q4_K_M.gguf"]
    assert set(names(*files, wanted=CHECKPOINT)) == set(files[1:])
    with pytest.raises(NothingRunnableError):
        names("m-Q4_K_M.gguf", wanted=CHECKPOINT)


def test_a_part_of_the_name_is_enough_if_it_is_unique() -> None:
    files = ("m-Q4_K_S.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf")
    assert names(*files, wanted="q8_0") == ["m-Q8_0.gguf"]
    with pytest.raises(RepositoryNotFoundError, match="Several files"):
        names(*files, wanted="Q4_K")
    with pytest.raises(RepositoryNotFoundError, match="has no file Q6"):
        names(*files, wanted="Q6")


def test_a_checkpoint_is_its_weights_and_what_an_engine_reads() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    found = names(
        *shards, "model.safetensors.index.json", "config.json", "tokenizer.json", "README.md",
        "pytorch_model.bin", "consolidated.safetensors", "modeling_own.py", "onnx/model.onnx",
        "flax_model.msgpack", ".gitattributes",
    )  # fmt: skip
    assert set(found) == {
        *shards, "model.safetensors.index.json", "config.json", "tokenizer.json", "README.md"
    }  # fmt: skip
    assert choose(listing("config.json", "model.safetensors")).main == ""
    assert checkpoint_choice(listing("model.safetensors")) is None


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (("config.json", "pytorch_model.bin"), "pickle file that could run any program"),
        (("adapter_model.safetensors",), "not laid out as a model"),
        (("README.md",), "neither GGUF nor"),
        ((), "neither GGUF nor"),
    ],
)
def test_a_repository_with_nothing_to_run_says_why(files: tuple[str, ...], reason: str) -> None:
    with pytest.raises(NothingRunnableError, match=reason):
        names(*files)


def test_a_pickle_file_is_refused_even_by_name() -> None:
    with pytest.raises(NothingRunnableError, match="never downloads"):
        names("pytorch_model.bin", wanted="pytorch_model.bin")
