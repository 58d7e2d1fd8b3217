from __future__ import annotations

import contextlib
import json
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library.checkpoint_folder import (
    has_chat_template,
    license_of,
    read_config,
    read_safetensors_header,
    read_weights,
)
from tests.helpers.assets import asset

if TYPE_CHECKING:
    from pathlib import Path


def _file(path: Path, header: object, data: bytes = b"") -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)
    return path


def _tensor(begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    width = {"F32": 4, "BF16": 2}.get(dtype, 1)
    return {"dtype": dtype, "shape": [(end - begin) // width], "data_offsets": [begin, end]}


def test_published_weights_are_counted_as_safetensors_counts_them() -> None:
    from safetensors import safe_open

    folder = asset("stories260K-hf")
    weights = read_weights(folder)
    with safe_open(folder / "model.safetensors", framework="np") as theirs:
        names = set(theirs.keys())
    assert {tensor.name for tensor in weights.tensors} == names
    assert (weights.parameters, weights.dtype) == (260_032, "float32")
    assert weights.size_bytes == 4 * 260_032
    assert read_config(folder)["model_type"] == "llama"


def test_sharded_weights_are_read_from_every_part(tmp_path: Path) -> None:
    _file(tmp_path / "a.safetensors", {"x": _tensor(0, 8, "BF16")}, bytes(8))
    _file(tmp_path / "b.safetensors", {"y": _tensor(0, 4, "BF16")}, bytes(4))
    index = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    weights = read_weights(tmp_path)
    assert (weights.parameters, weights.dtype) == (6, "bfloat16")
    (tmp_path / "b.safetensors").unlink()
    with pytest.raises(CorruptCheckpointError, match=r"b\.safetensors of 2 weight files"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    "name", ["../x.safetensors", "a\\x.safetensors", "/x.safetensors", "x.bin"]
)
def test_an_index_cannot_name_files_elsewhere(name: str, tmp_path: Path) -> None:
    index = {"weight_map": {"x": name}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CorruptCheckpointError, match="no file of this folder"):
        read_weights(tmp_path)


def test_a_tensor_in_two_parts_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _file(tmp_path / f"{name}.safetensors", {"x": _tensor(0, 4)}, bytes(4))
    index = {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CorruptCheckpointError, match="two of its files"):
        read_weights(tmp_path)


def test_pickle_files_are_refused_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    with pytest.raises(CorruptCheckpointError, match=r"pytorch_model\.bin, a pickle file"):
        read_weights(tmp_path)


def test_a_folder_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CorruptCheckpointError, match=r"model\.safetensors is missing"):
        read_weights(tmp_path)


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no config\.json"):
        read_config(tmp_path)
    with pytest.raises(ModelNotFoundError, match="There is no folder"):
        read_config(tmp_path / "none")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_config_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b"not json", "is not JSON"),
        (b"[1, 2]", "no JSON object"),
        ({"x": 1}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [1] * 999, "data_offsets": [0, 4]}}, "described wrongly"),
        ({"x": {"dtype": "NEW", "shape": [2**60], "data_offsets": [0, 4]}}, "described wrongly"),
        ({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, "is incomplete"),
    ],
)
def test_hostile_headers_are_refused_with_what_is_wrong(
    header: object, sentence: str, tmp_path: Path
) -> None:
    path = _file(tmp_path / "bad.safetensors", header, bytes(8))
    with pytest.raises(CorruptCheckpointError) as caught:
        read_safetensors_header(path)
    assert sentence in caught.value.message
    assert "bad.safetensors" in caught.value.message
    assert caught.value.hint


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=40), length=st.integers(0, 2**64 - 1), tidy=st.booleans())
def test_random_bytes_raise_nothing_but_a_corrupt_checkpoint(
    content: bytes, length: int, tidy: bool, tmp_path: Path
) -> None:
    path = tmp_path / "random.safetensors"
    path.write_bytes(struct.pack("<Q", len(content) if tidy else length) + content)
    with contextlib.suppress(CorruptCheckpointError):
        assert all(tensor.size_bytes >= 0 for tensor in read_safetensors_header(path))


def test_a_chat_template_is_found_in_each_of_its_places(tmp_path: Path) -> None:
    assert not has_chat_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": null}')
    assert not has_chat_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    assert has_chat_template(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("damaged")
    assert not has_chat_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert has_chat_template(tmp_path)


@pytest.mark.parametrize(
    ("card", "license_name"),
    [
        ("---\nlicense: apache-2.0\n---\n# Model", "apache-2.0"),
        ("---\ntags: [a]\nlicense: 'mit'\n---\n", "mit"),
        ("# Model\nlicense: mit\n", ""),
        ("", ""),
    ],
)
def test_the_licence_is_taken_from_the_front_matter_only(
    card: str, license_name: str, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text(card)
    assert license_of(tmp_path) == license_name
