"""What is kept of past work gives the same answers, on both engines, from memory and from disk."""

from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from inference.cancel import CancelToken
from inference.inside.questions import AskHidden, AskNext
from inference.past import folder as files
from inference.past.file_format import read_head
from inference.types import PastOptions
from tests.inference.past.talking import (
    BOTH,
    DISK,
    KINDS,
    MEMORY,
    make_model,
    open_here,
    options,
    say,
    say_afresh,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inference.types import LoadOptions
    from tests.inference.past.conftest import OpenEngine

pytestmark = pytest.mark.parametrize("kind", KINDS)

A, B, LONG_A = text(120, 1), text(120, 2), text(300, 1)


@pytest.fixture
def asked(kind: str, models: dict[str, Path]) -> LoadOptions:
    return options(kind, models[kind], DISK)


def kept_files(folder: Path) -> list[Path]:
    return [path for path, _size in files.files(folder)]


@pytest.mark.parametrize("past", [MEMORY, DISK, BOTH], ids=["memory", "disk", "both"])
def test_coming_back_to_a_chat_reads_only_what_is_new(
    kind: str, past: PastOptions, models: dict[str, Path], opened: OpenEngine
) -> None:
    asked = options(kind, models[kind], past)
    engine = opened(asked)
    first = say(engine, A, "a")
    say(engine, B, "b")
    engine.rest(CancelToken())
    back = (*A, *first.ids, *text(5, 3))
    said = say(engine, back, "a")
    assert said.reused >= len(A) + len(first.ids) - 1
    assert said.ids == say_afresh(asked, back)


def test_a_later_process_goes_on_from_the_disk(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    asked = options(kind, models[kind], DISK)
    engine = open_here(asked)
    first = say(engine, A, "a", tokens=64)
    engine.close()
    again = opened(asked)
    back = (*A, *first.ids, *text(5, 3))
    said = say(again, back, "a", tokens=64)
    assert said.reused >= len(A) + len(first.ids) - 1
    assert said.ids == say_afresh(asked, back, tokens=64)


def test_without_a_chat_or_with_nothing_allowed_nothing_is_kept(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], BOTH))
    say(engine, A)
    say(engine, B, "b")
    assert say(engine, A).reused == 0
    off = opened(options(kind, models[kind], PastOptions()))
    say(off, A, "a")
    say(off, B, "b")
    assert say(off, A, "a").reused == 0
    off.rest(CancelToken())
    off.close()
    assert not kept_files(past_folder)


def test_a_beginning_that_another_chat_has_read_counts_too(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    asked = options(kind, models[kind], MEMORY)
    engine = opened(asked)
    say(engine, LONG_A, "a")
    say(engine, B, "b")
    fork = (*LONG_A[:200], *text(40, 4))
    said = say(engine, fork, "c")
    assert said.reused == 200
    assert said.ids == say_afresh(asked, fork)


def test_branches_of_one_chat_are_kept_side_by_side(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], MEMORY))
    other = (*LONG_A[:100], *text(200, 5))
    say(engine, LONG_A, "a")
    say(engine, other, "a")
    say(engine, B, "b")
    assert say(engine, LONG_A, "a").reused == len(LONG_A) - 1
    assert say(engine, other, "a").reused == len(other) - 1


def test_the_last_token_is_read_even_where_all_is_kept(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], MEMORY))
    first = say(engine, A, "a")
    say(engine, B, "b")
    again = say(engine, A, "a")
    assert (again.reused, again.ids) == (len(A) - 1, first.ids)


def test_scoring_a_text_does_not_lose_the_chat(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], MEMORY))
    say(engine, A, "a")
    engine.score(B[:20], 1, CancelToken())
    assert say(engine, A, "a").reused == len(A) - 1


def test_looking_inside_does_not_lose_the_chat_nor_count_as_part_of_it(
    asked: LoadOptions, past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(asked)
    said = say(engine, A, "a")
    engine.inspect(AskNext(B), CancelToken())
    engine.inspect(AskNext((*A, *said.ids, *text(60, 5))), CancelToken())
    engine.inspect(AskHidden(B, (3,)), CancelToken())
    engine.rest(CancelToken())
    [path] = kept_files(past_folder)
    assert len(read_head(path).tokens) <= len(A) + len(said.ids)
    assert say(engine, A, "a").reused == len(A) - 1


def test_forgetting_a_chat_takes_it_from_memory_and_disk(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], BOTH))
    say(engine, A, "a")
    say(engine, B, "b")
    engine.rest(CancelToken())
    assert len(kept_files(past_folder)) == 2
    engine.forget("a")
    assert len(kept_files(past_folder)) == 1
    assert say(engine, A, "c").reused == 0
    engine.forget(None)
    assert not kept_files(past_folder)
    engine.close()
    assert not kept_files(past_folder)


def test_files_of_the_oldest_chats_go_when_the_limit_is_reached(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], DISK))
    say(engine, A, "a")
    engine.rest(CancelToken())
    [(path, size)] = files.files(past_folder)
    os.utime(path, (1, 1))
    tight = msgspec.structs.replace(DISK, disk_bytes=int(2.5 * size))
    small = opened(options(kind, models[kind], tight))
    say(small, B, "b")
    small.rest(CancelToken())
    assert len(kept_files(past_folder)) == 2
    say(small, text(120, 9), "c")
    small.rest(CancelToken())
    assert len(kept_files(past_folder)) == 2
    assert path not in kept_files(past_folder)
    assert say(small, A, "a").reused == 0
    assert say(small, B, "b").reused == len(B) - 1


def test_copies_in_memory_stay_within_their_limit(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    probe = opened(options(kind, models[kind], MEMORY))
    say(probe, A, "a")
    say(probe, B, "b")
    one = probe._past.memory_bytes  # type: ignore[attr-defined]
    assert one > 0
    two = msgspec.structs.replace(MEMORY, memory_bytes=int(2.5 * one))
    engine = opened(options(kind, models[kind], two))
    texts = [text(120, seed) for seed in range(20, 24)]
    for number, ids in enumerate(texts):
        say(engine, ids, str(number))
        assert engine._past.memory_bytes <= 2.5 * one  # type: ignore[attr-defined]
    assert say(engine, texts[2], "2").reused == len(texts[2]) - 1
    assert say(engine, texts[0], "0").reused == 0


def test_writing_makes_way_and_goes_on_later(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], BOTH))
    say(engine, A, "a")
    hurried = CancelToken()
    hurried.cancel()
    engine.rest(hurried)
    assert not list(past_folder.glob("*"))
    engine.rest(CancelToken())
    assert len(kept_files(past_folder)) == 1


def test_a_longer_state_of_a_chat_takes_the_place_of_the_shorter_one(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], DISK))
    ids = A
    for turn in range(3):
        ids = (*ids, *say(engine, ids, "a").ids, *text(20, turn))
        engine.rest(CancelToken())
    assert len(kept_files(past_folder)) == 1


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def with_other_tokens(path: Path) -> None:
    data = path.read_bytes()
    old = b"".join(token.to_bytes(4, "little") for token in A[:20])
    new = b"".join(token.to_bytes(4, "little") for token in B[:20])
    assert old in data
    path.write_bytes(data.replace(old, new))


def of_something_else(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 50)


def of_another_version(path: Path) -> None:
    data = path.read_bytes()
    assert b'"version":"1"' in data
    path.write_bytes(data.replace(b'"version":"1"', b'"version":"9"'))


@pytest.mark.parametrize(
    "spoil", [cut, emptied, flipped, with_other_tokens, of_something_else, of_another_version]
)
def test_a_spoilt_file_is_dropped_and_the_answer_is_right(
    spoil: Callable[[Path], None],
    asked: LoadOptions,
    past_folder: Path,
    opened: OpenEngine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = open_here(asked)
    first = say(engine, A, "a")
    engine.close()
    [path] = kept_files(past_folder)
    spoil(path)
    with caplog.at_level(logging.INFO, logger="inference.past"):
        again = opened(asked)
        said = say(again, A, "a")
    assert (said.reused, said.ids) == (0, first.ids)
    assert path not in kept_files(past_folder)
    assert [record.levelno for record in caplog.records if "is dropped" in record.message] == [
        logging.INFO
    ]


def test_a_file_that_vanished_is_read_anew(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine
) -> None:
    engine = opened(options(kind, models[kind], DISK))
    first = say(engine, A, "a")
    say(engine, B, "b")
    engine.rest(CancelToken())
    shutil.rmtree(past_folder)
    said = say(engine, A, "a")
    assert (said.reused, said.ids) == (0, first.ids)


def test_work_of_another_build_is_dropped(
    asked: LoadOptions,
    past_folder: Path,
    opened: OpenEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = open_here(asked)
    say(engine, A, "a")
    engine.close()
    import inference.gguf.past
    import inference.native.past

    monkeypatch.setattr(inference.gguf.past, "VERSION", "0.0.1")
    monkeypatch.setattr(inference.native.past, "_KEYS_VERSION", 0)
    with caplog.at_level(logging.INFO, logger="inference.past"):
        assert say(opened(asked), A, "a").reused == 0
    assert "another build" in caplog.text
    assert not kept_files(past_folder)


def test_work_of_another_model_or_setting_is_not_used_and_stays(
    kind: str, models: dict[str, Path], past_folder: Path, opened: OpenEngine, tmp_path: Path
) -> None:
    asked = options(kind, models[kind], DISK)
    engine = open_here(asked)
    say(engine, A, "a")
    engine.close()
    of_other = options(kind, make_model(kind, tmp_path, seed=5), DISK)
    said = say(opened(of_other), A, "a")
    assert (said.reused, said.ids) == (0, say_afresh(of_other, A))
    changes: dict[str, object] = {"dtype": "bfloat16"}
    if kind == "gguf":
        changes = {"kv_cache_type": "f16"}
    set_otherwise = opened(options(kind, models[kind], DISK, **changes))
    assert say(set_otherwise, A, "a").reused == 0
    assert len(kept_files(past_folder)) == 1
    assert say(opened(asked), A, "a").reused == len(A) - 1


def test_weights_that_changed_in_place_are_another_model(
    kind: str, opened: OpenEngine, tmp_path: Path
) -> None:
    asked = options(kind, make_model(kind, tmp_path), DISK)
    engine = open_here(asked)
    say(engine, A, "a")
    engine.close()
    fresh = make_model(kind, tmp_path, seed=5)
    if fresh.is_dir():
        shutil.rmtree(asked.path)
        fresh.rename(asked.path)
    else:
        fresh.replace(asked.path)
    said = say(opened(asked), A, "a")
    assert (said.reused, said.ids) == (0, say_afresh(asked, A))


def test_a_context_that_is_too_small_for_a_kept_text_reads_anew(
    kind: str, models: dict[str, Path], opened: OpenEngine
) -> None:
    engine = open_here(options(kind, models[kind], DISK))
    say(engine, LONG_A, "a")
    engine.close()
    small = options(kind, models[kind], DISK, n_ctx=256)
    said = say(opened(small), LONG_A[:150], "a")
    # llama.cpp gives a state back whole; the native engine takes as much of it as it needs.
    assert said.reused == (149 if kind == "native" else 0)
    assert said.ids == say_afresh(small, LONG_A[:150])
