from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from inference.cancel import CancelToken
from inference.past.file_format import UnusableError, read_head, read_snapshot, write_snapshot
from inference.past.identity import Identity
from inference.past.snapshot import Part, Snapshot, as_tokens

if TYPE_CHECKING:
    from pathlib import Path

OURS = Identity("native", "0123", "1", "float32")
KEYS = np.arange(60, dtype=np.float32)


def a_snapshot(n_tokens: int = 5) -> Snapshot:
    keys = Part("F32", (3, n_tokens, 4), KEYS[: 12 * n_tokens].view(np.uint8))
    return Snapshot(as_tokens(range(n_tokens)), {"keys": keys}, {"turned_for": 7})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("format") / "one.safetensors"
    assert write_snapshot(path, a_snapshot(), OURS, "chat", CancelToken())
    return path.read_bytes()


@pytest.fixture
def path(data: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "one.safetensors"
    path.write_bytes(data)
    return path


def test_a_snapshot_is_read_as_it_was_written(path: Path) -> None:
    read = read_snapshot(path, OURS)
    assert read.tokens.tolist() == [0, 1, 2, 3, 4]
    assert read.facts == {"turned_for": 7}
    assert read.parts["keys"].shape == (3, 5, 4)
    np.testing.assert_array_equal(read.parts["keys"].data.view(np.float32), KEYS)
    assert read_head(path).chat == "chat"


def test_the_file_is_one_that_safetensors_reads(path: Path) -> None:
    arrays = load_file(path)
    assert arrays["tokens"].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(arrays["keys"], KEYS.reshape(3, 5, 4))


def test_no_tokens_at_all_can_be_written_too(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert write_snapshot(path, a_snapshot(0), OURS, "chat", CancelToken())
    assert len(read_snapshot(path, OURS).tokens) == 0


def test_a_write_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    hurried = CancelToken()
    hurried.cancel()
    assert not write_snapshot(tmp_path / "one", a_snapshot(), OURS, "chat", hurried)
    assert not list(tmp_path.iterdir())


def test_a_write_that_goes_wrong_leaves_nothing(tmp_path: Path) -> None:
    broken = Snapshot(as_tokens([1]), {"keys": Part("F32", (1,), None)}, {})  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        write_snapshot(tmp_path / "one", broken, OURS, "chat", CancelToken())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("field", ["engine", "model", "build", "settings"])
def test_somebody_elses_work_is_refused(path: Path, field: str) -> None:
    values = {name: getattr(OURS, name) for name in OURS.__struct_fields__} | {field: "other"}
    with pytest.raises(UnusableError, match="another model, build or setting"):
        read_snapshot(path, Identity(**values))


@given(share=st.floats(0, 1, exclude_max=True))
def test_no_cut_off_file_is_taken(data: bytes, share: float, tmp_path_factory: object) -> None:
    path = tmp_path_factory.getbasetemp() / "cut"  # type: ignore[attr-defined]
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UnusableError):
        read_snapshot(path, OURS)


@given(share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(
    data: bytes, share: float, bits: int, tmp_path_factory: object
) -> None:
    changed = bytearray(data)
    changed[int(share * len(data))] ^= bits
    path = tmp_path_factory.getbasetemp() / "changed"  # type: ignore[attr-defined]
    path.write_bytes(changed)
    with pytest.raises(UnusableError):
        read_snapshot(path, OURS)


@given(rest=st.binary(max_size=300), length=st.integers(0, 2**64 - 1))
def test_no_other_bytes_are_taken(rest: bytes, length: int, tmp_path_factory: object) -> None:
    path = tmp_path_factory.getbasetemp() / "foreign"  # type: ignore[attr-defined]
    path.write_bytes(struct.pack("<Q", length) + rest)
    with pytest.raises(UnusableError):
        read_snapshot(path, OURS)


def test_longer_files_than_they_say_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UnusableError, match="longer or shorter"):
        read_snapshot(path, OURS)
