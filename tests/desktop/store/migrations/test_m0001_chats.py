"""The first migration, and the demand that every migration has its test."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from desktop.store.migrations import MIGRATIONS, m0001_chats


def test_migration_0001_makes_chats_messages_and_an_index_that_follows_changes() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        m0001_chats.apply(db)
        db.execute(
            "INSERT INTO chats(id, title, created_at, updated_at) VALUES ('c', 'Bread', 1, 1)"
        )
        db.execute(
            "INSERT INTO messages(id, chat_id, role, text, state, created_at) "
            "VALUES ('m', 'c', 'user', 'salt and flour', 'complete', 1)"
        )
        hits = "SELECT count(*) FROM messages_index WHERE messages_index MATCH ?"
        assert db.execute(hits, ("flour",)).fetchone() == (1,)
        db.execute("UPDATE messages SET text = 'water'")
        assert db.execute(hits, ("flour",)).fetchone() == (0,)
        assert db.execute(hits, ("water",)).fetchone() == (1,)
        db.execute("DELETE FROM messages")
        assert db.execute(hits, ("water",)).fetchone() == (0,)


def test_every_migration_has_a_test_of_its_own() -> None:
    text = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
    )
    tested = {int(number) for number in re.findall(r"def test_migration_(\d{4})_", text)}
    assert tested == {step.number for step in MIGRATIONS}


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [step.number for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
