from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from inference.past import folder as files
from inference.past.identity import short_digest

if TYPE_CHECKING:
    from pathlib import Path


def add(folder: Path, chat: str, size: int, used: float) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / files.file_name("model", short_digest(chat))
    path.write_bytes(bytes(size))
    os.utime(path, (used, used))
    return path


def test_files_are_listed_by_last_use_and_by_chat(tmp_path: Path) -> None:
    late, early = add(tmp_path, "a", 10, 200), add(tmp_path, "b", 20, 100)
    assert files.files(tmp_path) == [(early, 20), (late, 10)]
    assert files.files(tmp_path, short_digest("a")) == [(late, 10)]
    assert files.used_bytes(tmp_path) == 30
    files.mark_used(early)
    assert [path for path, _size in files.files(tmp_path)] == [late, early]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert files.used_bytes(tmp_path / "none") == 0
    files.forget(tmp_path / "none", ["a"])
    files.clear(tmp_path / "none")


def test_room_is_made_by_those_not_used_for_the_longest_time(tmp_path: Path) -> None:
    oldest, newer = add(tmp_path, "a", 100, 100), add(tmp_path, "b", 100, 200)
    assert files.make_room(tmp_path, 100, limit=200)
    assert not oldest.exists()
    assert newer.exists()


def test_what_is_larger_than_the_limit_takes_nothing_away(tmp_path: Path) -> None:
    kept = add(tmp_path, "a", 100, 100)
    assert not files.make_room(tmp_path, 300, limit=200)
    assert kept.exists()


def test_forgetting_chats_leaves_the_others_alone(tmp_path: Path) -> None:
    add(tmp_path, "a", 1, 1), add(tmp_path, "a", 1, 2)
    kept = add(tmp_path, "b", 1, 3)
    foreign = tmp_path / "notes.txt"
    foreign.write_text("mine")
    files.forget(tmp_path, ["a", "c"])
    assert set(tmp_path.iterdir()) == {kept, foreign}
    files.clear(tmp_path)
    assert set(tmp_path.iterdir()) == {foreign}


def test_what_a_killed_process_left_goes_after_a_while(tmp_path: Path) -> None:
    fresh, old = files.unfinished(tmp_path / "x"), files.unfinished(tmp_path / "y")
    fresh.touch()
    old.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    assert files.make_room(tmp_path, 1, limit=10)
    assert fresh.exists()
    assert not old.exists()
