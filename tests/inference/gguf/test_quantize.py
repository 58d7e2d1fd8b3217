"""Smaller files: what they cost in exactness, in bytes, and what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.convert import space
from inference.convert.orders import QUANTIZED
from inference.convert.shrink import shrink
from inference.errors import (
    CorruptCheckpointError,
    DiskFullError,
    InferenceError,
    UnsupportedRequestError,
)
from inference.gguf.quantize import quantize, quantized_bytes
from inference.library.gguf_header import read_header
from tests.helpers.assets import REPO
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from inference.types import Candidate
    from tests.inference.gguf.conftest import OpenGguf

_STARTER = REPO / "resources" / "starter" / "starter-base-F16.gguf"
_TEXT = """Once upon a time there was a little girl named Lily. She loved to play outside in the
park. One day, she saw a big, red ball. It was round and shiny, and it rolled down the hill. The sky
is blue because the air scatters blue light more than red light. Lily and Tom went home, ate some
soup, and told their mother about the ball. She smiled and said that it was time to sleep."""


def _ignore(_done: int, _total: int) -> None:
    pass


def _chances(open_gguf: OpenGguf, path: Path) -> tuple[tuple[Candidate, ...], ...]:
    engine = open_gguf(path, kv_cache_type="f32", flash_attention=False)
    ids = tuple(piece.id for piece in engine.tokenize(_TEXT, add_bos=True))
    return engine.score(ids, 20, CancelToken())


def _distance(
    whole: tuple[tuple[Candidate, ...], ...], reduced: tuple[tuple[Candidate, ...], ...]
) -> float:
    """Return by how much a token's log-probability moves, on average over what would be drawn.

    It bounds the Kullback-Leibler divergence (the mean of the signed differences) from above.
    """
    total = 0.0
    for one, other in zip(whole, reduced, strict=True):
        known = {candidate.id: candidate.logprob for candidate in other}
        rest = other[-1].logprob
        total += sum(math.exp(c.logprob) * abs(c.logprob - known.get(c.id, rest)) for c in one)
    return total / len(whole)


def test_the_fewer_bits_the_further_from_the_original(tmp_path: Path, open_gguf: OpenGguf) -> None:
    whole = _chances(open_gguf, _STARTER)
    distance: dict[str, float] = {}
    size: dict[str, int] = {}
    for file_type in QUANTIZED:
        path = tmp_path / f"{file_type}.gguf"
        quantize(_STARTER, path, file_type, _ignore)
        assert read_header(path).quantization == file_type
        distance[file_type] = _distance(whole, _chances(open_gguf, path))
        size[file_type] = path.stat().st_size
    for finer, coarser in (
        ("Q8_0", "Q6_K"), ("Q6_K", "Q5_K_M"), ("Q5_K_M", "Q4_K_M"), ("Q4_K_M", "Q3_K_M"),
        ("Q3_K_M", "Q2_K"), ("Q8_0", "Q5_0"), ("Q5_0", "Q4_0"), ("Q5_K_S", "Q4_K_S"),
    ):  # fmt: skip
        assert size[finer] > size[coarser]
        assert distance[finer] < distance[coarser], distance
    assert distance["Q8_0"] < 0.02
    assert distance["Q4_K_M"] < 0.1
    assert list(size.values()) == sorted(size.values(), reverse=True)


@pytest.mark.parametrize("file_type", QUANTIZED)
def test_the_size_is_known_before(file_type: str, tmp_path: Path) -> None:
    path = tmp_path / "smaller.gguf"
    expected = quantized_bytes(_STARTER, file_type) + read_header(_STARTER).data_offset
    assert list(tmp_path.iterdir()) == []
    quantize(_STARTER, path, file_type, _ignore)
    assert path.stat().st_size == pytest.approx(expected, abs=20_000)


def test_a_quantised_file_is_quantised_again_only_when_asked(tmp_path: Path) -> None:
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    shrink(_STARTER, first, "Q6_K", _ignore)
    with pytest.raises(UnsupportedRequestError, match=r"quantised already \(Q6_K\)"):
        shrink(first, second, "Q4_K_M", _ignore)
    assert not second.exists()
    shrink(first, second, "Q4_K_M", _ignore, again=True)
    assert read_header(second).quantization == "Q4_K_M"


def test_what_would_not_become_smaller_is_refused(tmp_path: Path) -> None:
    small = tmp_path / "small.gguf"
    shrink(_STARTER, small, "Q4_0", _ignore)
    with pytest.raises(UnsupportedRequestError, match="as Q8_0 it would have"):
        shrink(small, tmp_path / "larger.gguf", "Q8_0", _ignore, again=True)


def test_a_full_disk_is_found_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "free_bytes", lambda _folder: 101_000_000)
    with pytest.raises(DiskFullError, match=r"needs 1\.9 MB .* 101 MB are free"):
        shrink(_STARTER, tmp_path / "smaller.gguf", "Q4_K_M", _ignore)
    assert list(tmp_path.iterdir()) == []


def test_rows_too_short_for_a_type_take_another_one(tmp_path: Path, open_gguf: OpenGguf) -> None:
    """K types need rows of 256; llama.cpp takes one of 32 there, and the file loads."""
    source, path = tiny_gguf(tmp_path / "narrow.gguf", hidden=64), tmp_path / "smaller.gguf"
    shrink(source, path, "Q4_K_M", _ignore)
    assert {tensor.type_name for tensor in read_header(path).tensors} <= {"F32", "Q5_0", "Q8_0"}
    assert open_gguf(path).loaded.dtype == "Q4_K_M"


def test_a_file_that_is_none_and_a_place_that_is_none_are_named(tmp_path: Path) -> None:
    text = tmp_path / "text.gguf"
    text.write_text("not a model", encoding="utf-8")
    with pytest.raises(CorruptCheckpointError, match="not a GGUF file"):
        shrink(text, tmp_path / "smaller.gguf", "Q4_K_M", _ignore)
    with pytest.raises(InferenceError, match="could not be written"):
        quantize(_STARTER, tmp_path / "nowhere" / "smaller.gguf", "Q4_K_M", _ignore)


def test_progress_goes_through_the_tensors(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = tiny_gguf(tmp_path / "wide.gguf", hidden=512, ffn=1024, layers=12)
    progress = told.append
    quantize(source, tmp_path / "small.gguf", "Q4_K_M", lambda done, of: progress((done, of)))
    assert told, "a work of a second tells nothing"
    assert told == sorted(told)
    assert {total for _, total in told} == {len(read_header(source).tensors)}
