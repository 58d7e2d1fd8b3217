"""Searching by whatever a person may type."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.store.chats import Chats, new_id
from desktop.store.database import Database
from desktop.store.records import ChatRecord, MessageRecord
from desktop.store.search import search_chats

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with closing(Database.in_memory()) as database:
        chats = Chats(database)
        for title, text in (
            ("Why bread needs salt", "Gluten is strengthened, and the crust browns."),
            ("Small café", 'Names: Crème, Brûlée. 100% arabica_beans, "quoted" it\'s'),
            ("Übersetzung", "春の夜の夢のごとし 🎉 Bread is Brot."),
        ):
            chat = ChatRecord(title, title, 1.0, 1.0)
            chats.add(chat)
            chats.add_message(MessageRecord(new_id(), chat.id, None, "user", text))
        yield database


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("bread", ["Why bread needs salt", "Übersetzung"]),  # title before text
        ("BRE", ["Why bread needs salt", "Übersetzung"]),
        ("salt brea", ["Why bread needs salt"]),
        ("cafe", ["Small café"]),
        ("brulee", ["Small café"]),
        ("uber", ["Übersetzung"]),
        ("夜の夢", ["Übersetzung"]),
        ("🎉", ["Übersetzung"]),
        ("100%", ["Small café"]),
        ("arabica_be", ["Small café"]),
        ('"quoted"', ["Small café"]),
        ("it's", ["Small café"]),
        ("bread NOT salt", []),
        ("%", ["Small café"]),
        ("title:bread", []),
        ("", []),
        ("   ", []),
        ("nowhere", []),
    ],
)
def test_typed_text_finds_its_chats(db: Database, typed: str, found: list[str]) -> None:
    assert [row.title for row in search_chats(db, typed)] == found


def test_a_snippet_shows_where_the_word_is(db: Database) -> None:
    (row,) = search_chats(db, "crust")
    assert "crust browns" in row.snippet
    (row,) = search_chats(db, "夜の夢")
    assert "春の夜の夢" in row.snippet


def test_each_chat_comes_once_and_deleted_ones_never() -> None:
    with closing(Database.in_memory()) as database:
        chats = Chats(database)
        for name in ("a", "b"):
            chats.add(ChatRecord(name, f"fish {name}", 1.0, 1.0))
            for _ in range(5):
                chats.add_message(MessageRecord(new_id(), name, None, "user", "fish again"))
        chats.delete("b")
        rows = search_chats(database, "fish")
        assert [row.id for row in rows] == ["a"]
        assert rows[0].snippet == "fish again"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_the_search(db: Database, typed: str) -> None:
    assert isinstance(search_chats(db, typed), tuple)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="\"*^:()-+ANDORNEAT{}\\%_' ", max_size=30))
def test_no_query_syntax_breaks_the_search(db: Database, typed: str) -> None:
    assert isinstance(search_chats(db, typed), tuple)
