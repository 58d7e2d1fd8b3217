from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desktop.store.chats import Chats
from desktop.store.cli import main
from desktop.store.database import Database
from desktop.store.records import ChatRecord, MessageRecord
from inference.paths import app_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    """Two chats in a database that stays open, as under a running window."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    path = app_paths().database
    path.parent.mkdir(parents=True)
    database = Database.open(path)
    store = Chats(database)
    store.add(ChatRecord("aa1", "Blue skies", 1.0, 1.0))
    store.add(ChatRecord("aa2", "Sums", 2.0, 2.0))
    store.add_message(MessageRecord("m1", "aa1", None, "user", "Why is the sky blue?"))
    answer = MessageRecord("m2", "aa1", "m1", "assistant", "Rayleigh scattering.", model_name="T")
    store.add_message(answer)
    yield store
    database.close()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(words)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_chats_are_listed_beside_a_running_window(
    chats: Chats, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = said(capsys, "list", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert {row["id"] for row in rows} == {row.id for row in chats.list()} == {"aa1", "aa2"}
    assert "Blue skies" in said(capsys, "list")[1]


@pytest.mark.parametrize("name", ["aa1", "blue skies"])
@pytest.mark.usefixtures("chats")
def test_a_chat_is_shown_by_id_or_title(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = json.loads(said(capsys, "show", name, "--json")[1])
    assert [message["text"] for message in value["messages"]] == [
        "Why is the sky blue?",
        "Rayleigh scattering.",
    ]
    text = said(capsys, "show", name)[1]
    assert text.startswith("# Blue skies\n\n## You\n\nWhy is the sky blue?")


@pytest.mark.parametrize(("name", "words"), [("aa", "Several chats"), ("zz", "There is no chat")])
@pytest.mark.usefixtures("chats")
def test_a_chat_that_is_not_clear_is_a_sentence(
    name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = said(capsys, "show", name)
    assert status == 1
    assert words in err
    assert len(err.splitlines()) == 2


@pytest.mark.usefixtures("chats")
def test_search_finds_words_of_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(said(capsys, "search", "rayleigh", "--json")[1])["id"] == "aa1"
    assert said(capsys, "search", "nothing like this") == (0, "No chat has these words.\n", "")


def test_before_the_first_chat_there_is_an_empty_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    assert said(capsys, "list") == (0, "No chats yet.\n", "")
    assert said(capsys, "list", "--json") == (0, "", "")


def test_a_database_that_is_none_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path))
    path = app_paths().database
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database at all" * 100)
    status, _, err = said(capsys, "list")
    assert status == 1
    assert err.startswith("glasshouse: ")
