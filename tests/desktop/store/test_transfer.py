"""Chats leave as lines of JSON and are the same chats where they arrive."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop.store.chats import Chats
from desktop.store.cli import main
from desktop.store.database import Database
from desktop.store.records import AnswerSettings, ChatRecord, MessageRecord
from desktop.store.transfer import read_line, take, written
from desktop.values import AnswerStats, Problem
from inference.errors import StoreError
from inference.paths import app_paths
from inference.types import LoadOptions, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest import CaptureFixture, MonkeyPatch  # noqa: PT013  names of types only

SETTINGS = AnswerSettings(
    SamplingParams(seed=7), "Be brief.", LoadOptions("a.gguf", "gguf"), "CPU", 512
)
CHAT = ChatRecord(
    "c1", "Grüße 🌱", 1.5, 9.25, pinned=True, model_id="a", system_prompt="Be brief.",
    sampling=SamplingParams(top_k=3), active_leaf="m3",
)  # fmt: skip
ASKED = MessageRecord("m1", "c1", None, "user", "Why?", created_at=2.0)
MESSAGES = (
    ASKED,
    MessageRecord(
        "m2", "c1", "m1", "assistant", "Because\n\"so\".", "stopped", 3.0, "a", "A", "gguf", False,
        SETTINGS, AnswerStats(3, 41.5), None, b"\x00\x01\xff",
    ),
    MessageRecord(
        "m3", "c1", "m1", "assistant", "Half", "failed", 4.0,
        problem=Problem("It stopped.", "Memory ran out.", offers=("new_chat",)),
    ),
    MessageRecord("m4", "c1", "m2", "user", "And then?", created_at=5.0),
)  # fmt: skip

FIRST: dict[str, object] = {"id": "a", "parent_id": None, "role": "user", "text": ""}


@pytest.fixture
def full() -> Iterator[Chats]:
    database = Database.in_memory()
    chats = Chats(database)
    chats.bring(CHAT, MESSAGES)
    yield chats
    database.close()


@pytest.fixture
def empty() -> Iterator[Chats]:
    database = Database.in_memory()
    yield Chats(database)
    database.close()


def line_of(chats: Chats) -> bytes:
    chat = chats.get("c1")
    assert chat is not None
    return written(chats, chat)


def test_a_whole_tree_arrives_as_it_was(full: Chats, empty: Chats) -> None:
    line = line_of(full)
    assert b"\n" not in line
    assert take(empty, read_line(line, 1)) == "imported"
    assert empty.get("c1") == full.get("c1") == CHAT
    assert empty.tree("c1") == full.tree("c1")
    assert [replace(one, version=1, versions=1) for one in empty.tree("c1")] == list(MESSAGES)
    assert [one.id for one in empty.branch("m3")] == ["m1", "m3"]
    assert empty.show_version("m3", -1) == "m4"


@pytest.mark.parametrize("folder", ["/home/ada/models/", "C:\\Users\\Ada\\models\\"])
def test_folders_of_this_computer_stay_here(full: Chats, folder: str) -> None:
    options = LoadOptions(f"{folder}a.gguf", "gguf", draft=f"{folder}b.gguf")
    answer = replace(full.message("m2"), settings=replace_options(options))
    full.save_answer(answer)
    line = line_of(full)
    assert b"ada" not in line.lower()
    told = read_line(line, 1).messages[1].settings
    assert told is not None
    assert told.options is not None
    assert (told.options.path, told.options.draft) == ("a.gguf", "b.gguf")


def replace_options(options: LoadOptions) -> AnswerSettings:
    return msgspec.structs.replace(SETTINGS, options=options)


def test_a_chat_that_is_here_stays_as_it_is_unless_a_copy_is_asked_for(full: Chats) -> None:
    line = read_line(line_of(full), 1)
    full.rename("c1", "Mine")
    assert take(full, line) == "present"
    assert [row.title for row in full.list()] == ["Mine"]
    assert take(full, line, again=True) == "imported"
    titles = {row.title: row.id for row in full.list()}
    assert set(titles) == {"Mine", CHAT.title}
    copy = full.tree(titles[CHAT.title])
    assert [one.text for one in copy] == [one.text for one in MESSAGES]
    assert not {one.id for one in copy} & {one.id for one in MESSAGES}


def test_a_deleted_chat_comes_back_as_one_of_its_own(full: Chats) -> None:
    line = read_line(line_of(full), 1)
    full.delete("c1")
    assert take(full, line) == "imported"
    assert [row.title for row in full.list()] == [CHAT.title]


def test_an_answer_that_was_being_written_arrives_as_stopped(full: Chats, empty: Chats) -> None:
    full.add_message(replace(ASKED, id="m9", parent_id="m1", role="assistant", state="streaming"))
    take(empty, read_line(line_of(full), 1))
    assert empty.message("m9").state == "stopped"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"glasshouse_chat": 2}, "newer version"),
        ({"messages": [{"id": "a", "parent_id": "z", "role": "user", "text": ""}]}, "is missing"),
        ({"messages": [FIRST, FIRST]}, "two messages"),
        ({"messages": [FIRST | {"role": "king"}]}, "not a chat"),
        ({"active_leaf": "nowhere"}, "it ends with"),
        ({"title": 7}, "not a chat"),
        ({"messages": [], "active_leaf": None, "id": ""}, "it ends with"),
    ],
)
def test_what_does_not_hang_together_is_refused_by_line(
    full: Chats, change: dict[str, object], words: str
) -> None:
    raw = json.loads(line_of(full)) | change
    with pytest.raises(StoreError, match=words) as caught:
        read_line(json.dumps(raw).encode(), 12)
    assert caught.value.message.startswith("Line 12 cannot be taken: ")
    with pytest.raises(StoreError):
        read_line(b"{", 1)


def test_from_one_home_to_another_by_the_command_line(
    tmp_path: Path, monkeypatch: MonkeyPatch, capsys: CaptureFixture[str]
) -> None:
    file = tmp_path / "chats.jsonl"
    for name in ("one", "two"):
        monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / name))
        if name == "one":
            path = app_paths().database
            path.parent.mkdir(parents=True)
            database = Database.open(path)
            chats = Chats(database)
            chats.bring(CHAT, MESSAGES)
            assert main(["export", "--out", str(file)]) == 0  # beside a window
            assert main(["import", str(file)]) == 1
            assert "use" in capsys.readouterr().err
            database.close()
        else:
            assert main(["import", str(file)]) == 0
            assert "1 chat taken in; 0 were here already." in capsys.readouterr().out
            assert main(["import", str(file), "--json"]) == 0
            said = json.loads(capsys.readouterr().out)
            assert said == {"id": "c1", "title": CHAT.title, "outcome": "present"}
            assert main(["export", "c1"]) == 0
            assert capsys.readouterr().out.encode() == file.read_bytes()
    assert main(["import", str(tmp_path / "nowhere")]) == 1
    assert "cannot be read" in capsys.readouterr().err
