"""Whatever happens to the work, the folder holds a whole new file or nothing new."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from inference.cancel import CancelToken
from inference.convert.child import write_error
from inference.convert.job import MakingStopped, make_file
from inference.convert.orders import Order
from inference.errors import (
    DiskFullError,
    EngineCrashedError,
    StoreError,
    UnsupportedArchitectureError,
    UnsupportedRequestError,
)
from inference.library.gguf_header import read_header
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable


def _ignore(_action: str, _done: int, _total: int) -> None:
    pass


def _order(folder: Path) -> Order:
    return Order("convert", str(folder), "", "F16", name="Made here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of 40 MB as F16: long enough to be interrupted."""
    return tiny_llama(tmp_path / "model", width=512, mlp_width=4096, n_layers=3, dtype="float16")


def _fate(folder: Path, target: Path, on_progress: Callable[[], None], cancel: CancelToken) -> None:
    make_file([_order(folder)], target, lambda *_: on_progress(), cancel)


def test_the_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    folder, target = tiny_llama(tmp_path / "model"), tmp_path / "new" / "deep" / "made.gguf"
    made = make_file([_order(folder)], target, lambda *step: told.append(step), CancelToken())
    assert made.path == target
    assert made.size_bytes == target.stat().st_size
    assert list(target.parent.iterdir()) == [target]
    assert read_header(target).text("general.name") == "Made here"
    assert told[-1] == ("convert", told[-1][2], told[-1][2])


def test_a_folder_becomes_a_smaller_file_in_two_steps(tmp_path: Path) -> None:
    told: set[str] = set()
    folder, target = tiny_llama(tmp_path / "model", width=256), tmp_path / "made.gguf"
    steps = [_order(folder), Order("quantize", "", "", "Q8_0")]
    make_file(steps, target, lambda action, *_: told.add(action), CancelToken())
    assert read_header(target).quantization == "Q8_0"
    assert "convert" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.gguf", "model"]


def test_a_file_of_that_name_stays_unless_it_may_go(tmp_path: Path) -> None:
    folder, target = tiny_llama(tmp_path / "model"), tmp_path / "made.gguf"
    target.write_bytes(b"precious")
    with pytest.raises(UnsupportedRequestError, match=r"There is a made\.gguf in"):
        make_file([_order(folder)], target, _ignore, CancelToken())
    assert target.read_bytes() == b"precious"
    make_file([_order(folder)], target, _ignore, CancelToken(), replace=True)
    assert read_header(target).quantization == "F16"


def test_stopped_in_the_middle_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(MakingStopped):
        _fate(folder, tmp_path / "new" / "made.gguf", cancel.cancel, cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert not psutil.Process().children()


def test_a_crash_costs_nothing_and_is_named(folder: Path, tmp_path: Path) -> None:
    def kill() -> None:
        for child in psutil.Process().children():
            child.kill()

    with pytest.raises(EngineCrashedError, match="The work stopped: ") as caught:
        _fate(folder, tmp_path / "new" / "made.gguf", kill, CancelToken())
    assert "Nothing was changed" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_refusal_arrives_as_it_was_said(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "model")
    described = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    changed = described | {"pre_tokenizer": {"type": "WhitespaceSplit"}}
    (folder / "tokenizer.json").write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(UnsupportedArchitectureError, match="cuts text in a way") as caught:
        make_file([_order(folder)], tmp_path / "new" / "made.gguf", _ignore, CancelToken())
    assert caught.value.hint == "It runs from its folder as it is."
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failing_second_step_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "model", dtype="float16")
    steps = [_order(folder), Order("quantize", "", "", "Q8_0"), Order("quantize", "", "", "Q6_K")]
    with pytest.raises(UnsupportedRequestError, match="quantised already"):
        make_file(steps, tmp_path / "made.gguf", _ignore, CancelToken())
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_parts_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    orphan = tmp_path / f".made.gguf.{gone.pid}.0.part"
    at_work = tmp_path / f".made.gguf.{os.getppid()}.0.part"
    other = tmp_path / f".other.gguf.{gone.pid}.0.part"
    for part in (orphan, at_work, other):
        part.write_bytes(b"half")
    folder = tiny_llama(tmp_path / "model")
    make_file([_order(folder)], tmp_path / "made.gguf", _ignore, CancelToken())
    assert [path.exists() for path in (orphan, at_work, other)] == [False, True, True]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="anyone may write here")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be changed"):
        make_file([_order(tmp_path)], locked / "new" / "made.gguf", _ignore, CancelToken())


def test_a_disk_that_fills_up_on_the_way_is_named() -> None:
    order = Order("convert", "model", str(Path("there", ".made.part")), "F16")
    error = write_error(OSError(errno.ENOSPC, "No space left on device"), order)
    assert isinstance(error, DiskFullError)
    assert error.message == "The disk of there is full. Nothing was kept of the new file."
    other = write_error(OSError(errno.EIO, "Input/output error"), order)
    assert "Input/output error" in other.message


def test_the_source_is_never_touched(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "source.gguf", hidden=256)
    before = source.read_bytes()
    make_file(
        [Order("quantize", str(source), "", "Q4_K_M")], tmp_path / "m.gguf", _ignore, CancelToken()
    )
    assert source.read_bytes() == before
