"""A small file is the old one or the new one, never half."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from inference.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_is_made_and_the_file_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "list.json"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_breaks_off_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.json"
    replace_file(path, b"old")

    def break_off(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", break_off)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
