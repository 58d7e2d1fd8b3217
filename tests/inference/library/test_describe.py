from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import gguf
import msgspec
import numpy as np
import pytest

from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.library.describe import describe, examine
from tests.helpers.assets import REPO, asset
from tests.helpers.checkpoints import VOCAB_SIZE, tiny_gpt2, tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "tiny-instruct")


def test_a_gguf_file_tells_its_facts(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny-instruct.gguf", name="Tiny Instruct")
    info = describe(path)
    assert (info.id, info.name, info.path) == ("tiny-instruct", "Tiny Instruct", str(path))
    assert (info.engine, info.kind, info.architecture) == ("gguf", "instruct", "llama")
    assert (info.quantization, info.n_ctx_train, info.n_layers) == ("F32", 512, 2)
    assert info.size_bytes == path.stat().st_size
    assert info.has_chat_template
    assert info.problem == ""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(info), type=type(info)) == info


def test_a_folder_tells_its_facts(llama: Path) -> None:
    (llama / "README.md").write_text("---\nlicense: mit\n---\n")
    info = describe(llama)
    assert (info.engine, info.kind, info.architecture) == ("native", "instruct", "llama")
    assert (info.quantization, info.n_ctx_train, info.n_layers) == ("float32", 512, 2)
    assert (info.n_vocab, info.license, info.problem) == (VOCAB_SIZE, "mit", "")
    assert info.parameters > VOCAB_SIZE * 32
    assert info.size_bytes > 4 * info.parameters


def test_gpt2_folders_are_known_too(tmp_path: Path) -> None:
    info = describe(tiny_gpt2(tmp_path / "tiny"))
    assert (info.architecture, info.n_ctx_train, info.n_layers) == ("gpt2", 512, 2)
    assert info.problem == ""


@pytest.mark.parametrize(
    ("name", "template", "kind"),
    [
        ("model-instruct", "{{ messages }}", "instruct"),
        ("gemma-2b-it", "{{ messages }}", "instruct"),
        ("model-base", "{{ messages }}", "base"),
        ("model", "{{ messages }}", "unknown"),
        ("italian", "{{ messages }}", "unknown"),
        ("model-instruct", None, "base"),
    ],
)
def test_the_kind_follows_template_and_name(
    name: str, template: str | None, kind: str, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / f"{name}.gguf", name="", chat_template=template)
    assert describe(path).kind == kind


def test_a_truncated_file_keeps_its_facts_and_says_its_problem(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:-5_000])
    info, error = examine(path)
    assert isinstance(error, CorruptCheckpointError)
    assert info.problem == f"{error.message} {error.hint}"
    assert info.size_bytes == path.stat().st_size


def test_garbage_of_any_name_is_described_with_a_problem(tmp_path: Path) -> None:
    for name in ("garbage.gguf", "notes.txt"):
        (tmp_path / name).write_text("no model " * 50)
        assert "is not a GGUF file" in describe(tmp_path / name).problem


def test_missing_models_are_described_with_a_problem(tmp_path: Path) -> None:
    assert "There is no file" in describe(tmp_path / "none.gguf").problem
    assert "There is no folder" in describe(tmp_path / "none").problem
    assert "no config.json" in describe(tmp_path).problem


def test_a_vocabulary_without_weights_is_named(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "vocab.gguf", weights=False)
    assert "only a vocabulary" in describe(path).problem


def test_files_that_are_no_language_model_are_named(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "eyes.gguf", architecture="clip")
    info, error = examine(path)
    assert isinstance(error, UnsupportedArchitectureError)
    assert "sees pictures" in info.problem


def test_an_unknown_architecture_is_named_with_the_way_out(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(llama, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["MambaForCausalLM"], "model_type": "mamba"}
    (folder / "config.json").write_text(json.dumps(config))
    info, error = examine(folder)
    assert isinstance(error, UnsupportedArchitectureError)
    assert "MambaForCausalLM" in info.problem
    assert "GGUF" in info.problem
    assert (info.architecture, info.parameters > 0) == ("mamba", True)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("model.safetensors", "has no weights"), ("tokenizer.json", "has no tokenizer.json")],
)
def test_a_folder_says_which_file_is_missing(
    missing: str, sentence: str, llama: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "incomplete"
    shutil.copytree(llama, folder)
    (folder / missing).unlink()
    assert sentence in describe(folder).problem


def test_truncated_weights_are_found_by_their_header(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(llama, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "model.safetensors is incomplete" in describe(folder).problem


def split_gguf(folder: Path, count: int = 3) -> list[Path]:
    """Write a model in ``count`` files, one tensor each."""
    paths = []
    for number in range(count):
        path = folder / f"big-{number + 1:05d}-of-{count:05d}.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", count)
        writer.add_tensor(f"blk.{number}.weight", np.zeros((4, 32), dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        paths.append(path)
    return paths


def test_a_split_model_counts_as_one(tmp_path: Path) -> None:
    paths = split_gguf(tmp_path)
    for path in paths:
        info = describe(path)
        assert (info.id, info.path, info.problem) == ("big", str(paths[0]), "")
        assert info.parameters == 3 * 4 * 32
        assert info.size_bytes == sum(part.stat().st_size for part in paths)


def test_a_split_model_says_which_part_is_missing(tmp_path: Path) -> None:
    paths = split_gguf(tmp_path)
    paths[1].unlink()
    assert f"{paths[1].name} is not beside it" in describe(paths[0]).problem


def test_a_renamed_part_of_a_split_model_is_recognised(tmp_path: Path) -> None:
    alone = split_gguf(tmp_path)[0].rename(tmp_path / "alone.gguf")
    assert "one of 3 files" in describe(alone).problem


def test_real_configs_are_described_without_an_exception(tmp_path: Path) -> None:
    for file in sorted(asset("configs").glob("*.json")):
        folder = tmp_path / file.stem
        folder.mkdir()
        shutil.copy(file, folder / "config.json")
        info = describe(folder)
        assert info.problem, file.name
        assert info.n_vocab > 30_000, file.name
        assert info.n_layers > 10, file.name


def test_describing_loads_no_engine(llama: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom inference.library.installed import Library\n"
        "from inference.library.estimate import estimate\n"
        "from inference.library.describe import describe\n"
        f"assert not describe(Path({str(llama)!r})).problem\n"
        "heavy = {'torch', 'llama_cpp', 'tokenizers', 'safetensors', 'numpy', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_name_that_is_only_the_architecture_gives_way_to_the_file_s() -> None:
    info = describe(asset("stories260K/stories260K.gguf"))
    assert info.architecture == "llama"
    assert info.name == "stories260K"
