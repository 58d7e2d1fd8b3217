from __future__ import annotations

import os
from typing import TYPE_CHECKING

from inference.library.freed import freed_bytes, used_bytes
from inference.library.installed import Library
from inference.paths import AppPaths
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path


def test_plain_files_and_folders_free_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(10))
    (tmp_path / "b").write_bytes(bytes(5))
    assert freed_bytes([tmp_path / "folder", tmp_path / "b", tmp_path / "none"]) == 15


def test_a_file_with_another_name_elsewhere_frees_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    os.link(tmp_path / "a", tmp_path / "b")
    assert freed_bytes([tmp_path / "a"]) == 0
    assert freed_bytes([tmp_path / "a", tmp_path / "b"]) == 10
    assert used_bytes([tmp_path / "a", tmp_path / "b"]) == 10


def test_a_link_frees_nothing_of_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(10))
    (tmp_path / "to_file").symlink_to(tmp_path / "folder" / "a")
    (tmp_path / "to_folder").symlink_to(tmp_path / "folder")
    assert freed_bytes([tmp_path / "to_file", tmp_path / "to_folder"]) == 0


def test_removing_a_linked_model_tells_the_truth_and_can_be_undone(tmp_path: Path) -> None:
    paths = AppPaths(*(tmp_path / name for name in ("data", "config", "cache", "models", "log")))
    elsewhere = tiny_gguf(tmp_path / "elsewhere.gguf")
    paths.models.mkdir()
    (paths.models / "link.gguf").symlink_to(elsewhere)
    os.link(elsewhere, paths.models / "hard.gguf")
    plain = tiny_gguf(paths.models / "plain.gguf")
    size = plain.stat().st_size
    library = Library(paths, tmp_path / "no starters")
    assert library.remove("link").freed_bytes == 0
    assert library.remove("hard").freed_bytes == 0
    assert library.remove("plain").freed_bytes == size
    assert library.restore("link").size_bytes == elsewhere.stat().st_size
    library.remove("link")
    assert size <= library.empty_trash() < size + 1_000  # and the notes about what lies there
    assert elsewhere.exists()
