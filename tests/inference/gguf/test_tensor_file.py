from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import (
    BackendUnavailableError,
    CorruptCheckpointError,
    ModelNotFoundError,
    UnsupportedRequestError,
)
from inference.gguf.ggml import unpack
from inference.gguf.tensor_file import TensorFile
from inference.inside.questions import AskAttention, AskLens, AskNeighbours
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.inference.gguf.conftest import OpenGguf


@pytest.mark.parametrize(
    "name", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "TQ1_0", "TQ2_0"]
)
def test_packed_weights_are_unpacked_as_the_format_s_own_library_does(name: str) -> None:
    numbers = np.random.default_rng(5).normal(size=(3, 256)).astype(np.float32)
    kind = gguf.GGMLQuantizationType[name]
    packed = gguf.quants.quantize(numbers, kind)
    expected = gguf.quants.dequantize(packed, kind)
    found = unpack(packed.tobytes(), name, numbers.size).reshape(3, 256)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"])
def test_random_blocks_of_the_k_types_mean_the_same_to_both(name: str) -> None:
    kind = gguf.GGMLQuantizationType[name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    # Scales are halves within the bytes: those above 0x7b would be infinite or no number.
    packed = np.random.default_rng(6).integers(0, 0x3C, (2, size), np.uint8)
    expected = gguf.quants.dequantize(packed, kind).ravel()
    found = unpack(packed.tobytes(), name, 2 * block)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_type_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BackendUnavailableError, match="Q9_Z"):
        unpack(b"", "Q9_Z", 0)


def test_rows_come_from_the_middle_of_the_file(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    reader = gguf.GGUFReader(path)
    expected = {tensor.name: np.asarray(tensor.data) for tensor in reader.tensors}
    file = TensorFile(path)
    table = expected["token_embd.weight"]
    assert file.row_count("token_embd.weight") == len(table)
    np.testing.assert_array_equal(file.rows("token_embd.weight", 7, 12), table[7:12])
    np.testing.assert_array_equal(file.vector("output_norm.weight"), expected["output_norm.weight"])
    assert "no such thing" not in file
    with pytest.raises(UnsupportedRequestError, match="no such thing"):
        file.vector("no such thing")


@pytest.mark.parametrize("looked_before", [False, True])
def test_weights_of_another_file_are_never_taken_for_those_that_were_loaded(
    tmp_path: Path, open_gguf: OpenGguf, *, looked_before: bool
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    engine = open_gguf(path)
    ids = tuple(piece.id for piece in engine.tokenize("one two"))
    from_the_file = (AskLens(ids), AskNeighbours(ids[:1]))
    for question in from_the_file if looked_before else ():
        engine.inspect(question, CancelToken())
    tiny_gguf(tmp_path / "other.gguf", std=0.3).replace(path)
    for question in from_the_file:
        with pytest.raises(CorruptCheckpointError, match="changed since it was loaded"):
            engine.inspect(question, CancelToken())
    engine.inspect(AskAttention(ids, 0), CancelToken())  # that is in memory
    path.unlink()
    for question in from_the_file:
        with pytest.raises(ModelNotFoundError, match="gone since it was loaded"):
            engine.inspect(question, CancelToken())
