from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import gguf
import pytest
from gguf.constants import GGML_QUANT_SIZES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import CorruptCheckpointError, ModelNotFoundError
from inference.library.gguf_header import LongArray, read_header
from inference.library.gguf_types import FILE_TYPES, TENSOR_TYPES
from tests.helpers.assets import asset
from tests.helpers.gguf_files import bpe_vocabulary, tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_the_header_says_what_the_gguf_package_reads(tiny: Path) -> None:
    header = read_header(tiny)
    theirs = gguf.GGUFReader(tiny)
    assert header.version == 3
    assert header.data_offset == theirs.data_offset
    assert [(t.name, t.shape, t.size_bytes) for t in header.tensors] == [
        (t.name, tuple(int(n) for n in t.shape), t.n_bytes) for t in theirs.tensors
    ]
    assert header.parameters == sum(int(t.n_elements) for t in theirs.tensors)
    ours = {key for key in theirs.fields if not key.startswith("GGUF.")}
    assert set(header.metadata) == ours


def test_the_facts_of_a_tiny_model_are_found(tiny: Path) -> None:
    header = read_header(tiny)
    assert header.architecture == "llama"
    assert header.text("general.name") == "Tiny Random"
    assert header.own("context_length") == 512
    assert header.own("block_count") == 2
    assert header.n_vocab == len(bpe_vocabulary()[0])
    assert header.quantization == "F32"
    assert header.text("nothing") == ""
    assert header.number("nothing") == 0


@pytest.mark.parametrize(
    ("name", "n_vocab"),
    [("deepseek-coder", 32_256), ("gpt-2", 50_257), ("llama-spm", 32_000)],
)
def test_a_long_vocabulary_is_counted_and_not_kept(name: str, n_vocab: int) -> None:
    header = read_header(asset(f"gguf-vocab/ggml-vocab-{name}.gguf"))
    assert header.n_vocab == n_vocab
    assert isinstance(header.metadata["tokenizer.ggml.tokens"], LongArray)
    assert header.tensors == ()


def test_published_weights_are_read() -> None:
    header = read_header(asset("stories260K/stories260K.gguf"))
    assert (header.architecture, header.quantization, header.n_vocab) == ("llama", "F32", 512)
    # The file has the tied output matrix a second time.
    assert header.parameters == 260_032 + 512 * 64


def test_type_tables_agree_with_the_gguf_package() -> None:
    for type_id, kind in TENSOR_TYPES.items():
        theirs = gguf.GGMLQuantizationType(type_id)
        assert (kind.name, kind.block, kind.block_bytes) == (theirs.name, *GGML_QUANT_SIZES[theirs])
    for type_id, name in FILE_TYPES.items():
        theirs_named = gguf.LlamaFileType(type_id).name
        assert theirs_named.removeprefix("MOSTLY_").removeprefix("ALL_") == name


def test_a_download_cut_short_is_named_with_both_sizes(tiny: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.read_bytes()[:-1_000])
    with pytest.raises(CorruptCheckpointError, match=r"cut\.gguf is incomplete") as caught:
        read_header(cut)
    assert caught.value.message.count("kB") == 2
    assert caught.value.hint


def _header(n_tensors: int = 0, n_entries: int = 0, version: int = 3, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_entries) + rest


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


_TENSOR = _text("a") + struct.pack("<I", 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"GG", "not a GGUF file"),
        (b"not a model at all, only text" * 9, "not a GGUF file"),
        (b"GGUF\x03", "goes beyond the end"),
        (_header(version=1), "too old"),
        (_header(version=9), "version 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "byte order"),
        (_header(n_tensors=2**63), "more than fit"),
        (_header(n_entries=2**63), "more than fit"),
        (_header(n_entries=1, rest=struct.pack("<Q", 2**60) + b"x" * 40), "beyond the end"),
        (_header(n_entries=1, rest=_text("k") + struct.pack("<I", 77) + b"x" * 9), "unknown type"),
        (
            _header(n_entries=1, rest=_text("k") + struct.pack("<IIQ", 9, 9, 1) + b"x" * 40),
            "unknown type 9",
        ),
        (
            _header(n_entries=1, rest=_text("k") + struct.pack("<IIQ", 9, 4, 2**61)),
            "goes beyond the end",
        ),
        (
            _header(n_entries=1, rest=_text("k") + struct.pack("<IIQ", 9, 8, 2**61)),
            "goes beyond the end",
        ),
        (_header(n_entries=1, rest=struct.pack("<Q", 1) + b"\xff" * 30), "is not text"),
        (_header(n_entries=2, rest=(_text("k") + struct.pack("<IB", 7, 1)) * 2), "occurs twice"),
        (
            _header(n_entries=1, rest=_text("general.alignment") + struct.pack("<II", 4, 0)),
            "alignment",
        ),
        (_header(n_tensors=1, rest=_text("a") + struct.pack("<I", 99) + b"x" * 30), "99 dimension"),
        (
            _header(n_tensors=1, rest=_text("a") + struct.pack("<IQQIQ", 2, 2**60, 2**60, 0, 0)),
            "absurd shape",
        ),
        (_header(n_tensors=1, rest=_TENSOR + struct.pack("<QIQ", 33, 2, 0)), "does not fit Q4_0"),
        (_header(n_tensors=1, rest=_TENSOR + struct.pack("<QIQ", 4, 0, 2**60)), "incomplete"),
        (
            _header(n_tensors=2, rest=(_TENSOR + struct.pack("<QIQ", 0, 0, 0)) * 2),
            "occurs twice",
        ),
    ],
)
def test_hostile_files_are_refused_with_what_is_wrong(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(CorruptCheckpointError) as caught:
        read_header(path)
    assert sentence in caught.value.message
    assert "bad.gguf" in caught.value.message
    assert caught.value.hint


def test_an_unknown_tensor_type_is_kept_for_a_newer_engine(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(_header(n_tensors=1, rest=_TENSOR + struct.pack("<QIQ", 4, 99, 0)) + bytes(64))
    assert read_header(path).tensors[0].type_name == "type 99"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="There is no file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelNotFoundError, match="cannot be opened"):
        read_header(tmp_path)


_QUIET = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_QUIET
@given(data=st.data())
def test_random_damage_raises_nothing_but_a_corrupt_checkpoint(
    data: st.DataObject, tiny: Path, tmp_path: Path
) -> None:
    content = bytearray(tiny.read_bytes())
    header_bytes = read_header(tiny).data_offset
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, header_bytes - 1))
        patch = data.draw(st.binary(min_size=1, max_size=9))
        content[at : at + len(patch)] = patch
    end = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content[:end])
    with contextlib.suppress(CorruptCheckpointError):
        header = read_header(path)
        assert all(header.data_offset + t.offset + t.size_bytes <= end for t in header.tensors)


@_QUIET
@given(rest=st.binary(max_size=200), counts=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_random_bytes_after_the_magic_raise_nothing_but_a_corrupt_checkpoint(
    rest: bytes, counts: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "random.gguf"
    path.write_bytes(_header(*counts, rest=rest))
    with contextlib.suppress(CorruptCheckpointError):
        assert read_header(path).version == 3
